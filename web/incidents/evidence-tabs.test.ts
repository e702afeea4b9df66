import { describe, expect, it } from 'vitest';
import type { IncidentHead } from '../../db/incident-detail.ts';
import type {
  IncidentAnalysis,
  IncidentChange,
  IncidentLogs,
  SimilarIncidentRecord,
} from '../../db/incident-evidence.ts';
import { parseRunbook } from '../../domain/runbook/parse.ts';
import { causeView } from './cause-view.ts';
import { changesTabView } from './changes-view.ts';
import { evidenceView } from './evidence-view.ts';
import { metricsTabView } from './metrics-view.ts';
import { similarTabView } from './similar-view.ts';

const opened = new Date('2026-11-21T02:14:00Z');
const minutes = (count: number) => new Date(opened.getTime() + count * 60_000);
const people = [{ email: 'ben@example.com', name: 'Ben' }];

describe('the cause', () => {
  const incident = {
    services: ['checkout', 'payments'].map((service) => ({ service, alerts: 2, firing: 1, firstAt: opened })),
    causeService: null,
    causeConfidence: null,
    causeBy: null,
    resolvedAt: null,
  } as unknown as IncidentHead;
  const analysis: IncidentAnalysis = {
    causes: [
      {
        service: 'db-primary',
        score: 0.9,
        confidence: 0.85,
        reasons: ['It fails, and nothing that it calls does.', '5 of 6 reach it.'],
      },
      { service: 'payments', score: 0.3, confidence: 0.1, reasons: [] },
      { service: 'search', score: 0.1, confidence: 0.004, reasons: [] },
    ],
    notes: [],
    analysedAt: opened,
  };
  const surroundings = {
    dependencies: [
      { from: 'checkout', to: 'payments' },
      { from: 'payments', to: 'pool' },
      { from: 'pool', to: 'db-primary' },
      { from: 'reports', to: 'pool' },
    ],
    kinds: new Map([['db-primary', 'database' as const]]),
  };
  const view = (changes: Partial<IncidentHead> = {}) =>
    causeView({ incident: { ...incident, ...changes }, analysis, surroundings, people });

  it('is the first of the ranking with its reasons, the others behind it but for those of 0 %', () => {
    const { first, lead, others, by } = view();
    expect(first).toMatchObject({ service: 'db-primary', percent: '85 %', reasons: ['5 of 6 reach it.'] });
    expect(lead).toBe('It fails, and nothing that it calls does.');
    expect(others.map(({ service }) => service)).toEqual(['payments']);
    expect(by).toBeNull();
  });

  it("is a person's word before the ranking, also where that never thought of it", () => {
    const { first, others, by, choices } = view({
      causeService: 'dns',
      causeConfidence: 1,
      causeBy: 'ben@example.com',
    });
    expect([first?.service, by]).toEqual(['dns', 'Ben']);
    expect(others.map(({ service }) => service)).toEqual(['db-primary', 'payments']);
    expect(choices).not.toContain('dns');
  });

  it('is drawn with the way of the failure through silent services, and nothing beside it', () => {
    const names = view().graph?.drawings[0]?.nodes.map(({ name, state }) => [name, state]);
    expect(names?.toSorted()).toEqual([
      ['checkout', 'failing'],
      ['db-primary', 'cause'],
      ['payments', 'failing'],
      ['pool', 'quiet'],
    ]);
    expect(
      causeView({ incident, analysis, surroundings: { ...surroundings, dependencies: [] }, people }).graph,
    ).toBeNull();
  });

  it('is left open while nothing points anywhere', () => {
    const nothing = { causes: [], notes: ['No logs.'], analysedAt: null };
    expect(causeView({ incident, analysis: nothing, surroundings, people })).toMatchObject({
      first: null,
      notes: ['No logs.'],
    });
  });
});

const change: IncidentChange = {
  id: 7,
  teamId: null,
  source: 'argocd',
  type: 'deployment',
  status: 'succeeded',
  service: 'payments',
  environment: 'production',
  title: 'payments synced',
  version: 'v2.3.1',
  previousVersion: 'v2.3.0',
  author: 'ben@example.com',
  url: 'javascript:alert(1)',
  at: minutes(-15),
  score: 0.85,
  reasons: ['15 min before the first alert'],
  verdict: null,
  judgedBy: null,
  judgedAt: null,
};

describe('changes', () => {
  const view = (changes: Partial<IncidentChange>, runbooks: string[] = []) =>
    changesTabView({
      incident: { number: 42, openedAt: opened },
      changes: [{ ...change, ...changes }],
      people,
      definitions: runbooks.map((yaml) => {
        const parsed = parseRunbook(`${yaml}\nsteps: [{name: A, command: [ls]}]\n`, 'a.yaml');
        if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
        return parsed.definition;
      }),
    }).changes[0];

  it('say what, when, by whom and how likely, and never link to a script', () => {
    expect(view({})).toMatchObject({
      words: 'payments v2.3.0 → v2.3.1',
      percent: '85 %',
      when: '15 min before it opened',
      what: 'Deployment to production by Ben, succeeded',
      sourceHref: null,
      title: 'payments synced',
    });
    expect(view({ at: minutes(1) })?.when).toBe('1 min after it opened');
    expect(view({ version: null })?.title).toBeNull();
  });

  it('may be judged again, to the other side', () => {
    expect(view({ verdict: 'confirmed', judgedBy: 'ben@example.com' })).toMatchObject({
      canConfirm: false,
      canDismiss: true,
      judgedBy: 'Ben',
      verdict: { word: 'Confirmed as cause' },
    });
    expect(view({ verdict: 'dismissed' })).toMatchObject({ canConfirm: true, canDismiss: false });
  });

  it('lead to the runbook that takes them back, filled in', () => {
    const rollback = view({}, ['name: rollback\ninputs: {service: {}, version: {}}'])?.rollback;
    expect(rollback?.runbook).toBe('rollback');
    expect(new URL(rollback?.href ?? '', 'http://x').searchParams).toEqual(
      new URLSearchParams({
        incident: '42',
        environment: 'production',
        'input.service': 'payments',
        'input.version': 'v2.3.0',
      }),
    );
    expect(view({ verdict: 'dismissed' }, ['name: rollback'])?.rollback).toBeNull();
  });
});

describe('metrics', () => {
  const metric = {
    title: 'Latency',
    expression: 'x > 1',
    service: null,
    unit: 's',
    threshold: 1,
    link: 'javascript:alert(1)',
    series: [
      { name: 'a', points: [-30, 0, 10].map((at): [number, number] => [minutes(at).getTime() / 1000, 2]) },
    ],
  };

  it('mark the opening and the changes that lie in their time, by letter', () => {
    const { charts, changes } = metricsTabView({
      incident: { openedAt: opened, resolvedAt: minutes(5) },
      metrics: [metric],
      changes: [
        { ...change, id: 1, at: minutes(-5) },
        { ...change, id: 2, at: minutes(-20), service: 'earlier' },
        { ...change, id: 3, at: minutes(-90) },
        { ...change, id: 4, at: minutes(-6), verdict: 'dismissed' },
      ],
      notes: [],
    });
    expect(changes.map(({ letter, href }) => [letter, href])).toEqual([
      ['A', '/changes/2'],
      ['B', '/changes/1'],
    ]);
    for (const text of ['opened', 'resolved', 'A', 'B', 'threshold 1 s'])
      expect(charts[0]?.svg).toContain(`>${text}<`);
    expect(charts[0]?.link).toBeNull();
  });

  it('say so where nothing was measured', () => {
    const view = metricsTabView({
      incident: { openedAt: opened, resolvedAt: null },
      metrics: [{ ...metric, series: [] }],
      changes: [change],
      notes: ['Prometheus did not answer.'],
    });
    expect([view.charts[0]?.svg, view.changes, view.notes]).toEqual(['', [], ['Prometheus did not answer.']]);
  });
});

describe('similar incidents', () => {
  const past: SimilarIncidentRecord = {
    number: 12,
    title: 'Down',
    score: 0.8,
    reasons: ['alert HighLatency'],
    status: 'resolved',
    service: 'checkout',
    openedAt: opened,
    resolvedAt: minutes(56),
    resolvedBy: 'ben@example.com',
    causeService: 'db-primary',
    executions: [{ id: 'e', runbook: 'restart', status: 'rolled_back' }],
  };

  it('say how long they lasted, what was behind them, what ran and what it came to', () => {
    expect(similarTabView([past], people).incidents).toMatchObject([
      {
        percent: '80 %',
        lasted: '56 min, by Ben',
        cause: 'db-primary',
        runbooks: [{ name: 'restart', state: { word: 'Rolled back' } }],
      },
    ]);
    expect(similarTabView([{ ...past, resolvedBy: 'Holdfast' }], people).incidents[0]?.lasted).toBe(
      '56 min, with its last alert',
    );
    expect(similarTabView([{ ...past, resolvedAt: null }], people).incidents[0]?.lasted).toBeNull();
  });
});

describe('logs', () => {
  const logs: IncidentLogs = {
    source: 'loki',
    query: {},
    link: null,
    total: 70,
    patterns: [
      {
        template: 'refused',
        count: 70,
        level: 'error',
        firstAt: '',
        lastAt: '',
        sample: '',
        isNew: false,
        before: 10,
      },
      {
        template: 'seen',
        count: 5,
        level: 'info',
        firstAt: '',
        lastAt: '',
        sample: '',
        isNew: true,
        before: null,
      },
      {
        template: 'usual',
        count: 5,
        level: 'info',
        firstAt: '',
        lastAt: '',
        sample: '',
        isNew: false,
        before: 5,
      },
    ],
    stackTraces: [],
    lines: [],
    error: 'no answer within 10 s',
    retryAt: minutes(2),
    fetchedAt: opened,
  };

  it('stand against the hour before, and say what failed and when it is tried again', () => {
    const view = evidenceView(logs);
    expect(view.patterns.map(({ compared }) => compared)).toEqual(['7× usual', 'new', null]);
    expect([view.error, view.retryAt]).toEqual(['no answer within 10 s', '2026-11-21T02:16:00.000Z']);
  });
});
