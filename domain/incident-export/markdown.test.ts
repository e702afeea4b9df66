import { describe, expect, it } from 'vitest';
import type { IncidentExport } from './incident-export.ts';
import { markdownOf } from './markdown.ts';
import { code, link, plain } from './markdown-text.ts';

const incident: IncidentExport = {
  exportedAt: '2026-11-21T08:00:00.000Z',
  url: 'https://holdfast.example.com/incidents/42',
  number: 42,
  title: 'checkout: db-primary refuses connections',
  summary: 'checkout had trouble from 02:14 UTC to 03:10 UTC. The cause was probably db-primary (85 %).',
  status: 'resolved',
  severity: 'critical',
  service: 'checkout',
  openedAt: '2026-11-21T02:14:00.000Z',
  acknowledgedAt: '2026-11-21T02:16:00.000Z',
  acknowledgedBy: 'Ana',
  assignedTo: null,
  resolvedAt: '2026-11-21T03:10:00.000Z',
  resolvedBy: 'Holdfast',
  mergedInto: null,
  alertCount: 70,
  services: [{ service: 'checkout', alerts: 70, firstAt: '2026-11-21T02:14:00.000Z' }],
  cause: { service: 'db-primary', confidence: 0.85, by: null },
  causes: [
    {
      service: 'db-primary',
      score: 0.9,
      confidence: 0.85,
      reasons: ['It fails, and nothing that it calls does.'],
    },
    { service: 'payments', score: 0.2, confidence: 0.1, reasons: [] },
    { service: 'search', score: 0.1, confidence: 0.004, reasons: [] },
  ],
  notes: ['The traces could not be read.'],
  changes: [
    {
      words: 'db-primary 14.9 → 15.3',
      at: '2026-11-21T02:02:00.000Z',
      score: 0.85,
      reasons: [],
      verdict: 'confirmed',
      judgedBy: 'Ben',
      author: null,
      url: 'javascript:alert(1)',
    },
  ],
  sla: [],
  executions: [],
  timeline: [
    { at: '2026-11-21T02:14:00.000Z', kind: 'opened', actor: 'Holdfast', summary: 'Opened' },
    { at: '2026-11-21T02:20:00.000Z', kind: 'note', actor: 'Ben', summary: 'two\n# lines' },
  ],
  timelineOmitted: 0,
  alerts: [
    {
      name: 'High|Errors',
      status: 'firing',
      severity: 'critical',
      service: null,
      summary: '<img src=x onerror=alert(1)> **bold** [x](javascript:alert(1))',
      labels: {},
      receivedAt: '2026-11-21T02:14:00.000Z',
      resolvedAt: null,
      occurrences: 1,
      flapping: false,
    },
  ],
  logs: null,
  metrics: [],
  similar: [],
};

describe('the draft of a post-mortem', () => {
  const draft = markdownOf(incident);

  it('tells what is known and asks for what only people know', () => {
    expect(draft).toContain('# \\#\u206042 checkout: db-primary refuses connections\n');
    expect(draft).toContain('| Acknowledged | 2026-11-21 02:16:00 UTC by Ana, after 2 min |');
    expect(draft).toContain(
      'Probably **db-primary** (85 %), by the evidence:\n\n- It fails, and nothing that it calls does.',
    );
    expect(draft).toContain('Also considered: payments (10 %).');
    expect(draft).toContain('- The traces could not be read.');
    expect(draft).toContain('| 02:02:00 | db-primary 14.9 → 15.3 |  | 85 % | confirmed by Ben |');
    expect(draft).toContain('_To be written: who was affected');
    expect(draft).toContain('## What will change');
    expect(draft).toContain('And 69 more.');
  });

  it('takes every text from outside as text', () => {
    expect(draft).toContain('- 02:20:00 Ben: two \\# lines');
    expect(draft).toContain('| High\\|Errors |');
    expect(draft).toContain('\\<img src=x onerror=alert(1)\\> \\*\\*bold\\*\\* \\[x\\](javascript:alert(1))');
    expect(draft).not.toMatch(/^#+ lines/m);
  });

  it('says whose word the cause is, and that there is none where there is none', () => {
    expect(markdownOf({ ...incident, cause: { service: 'db_primary', confidence: 1, by: 'Ana' } })).toContain(
      '**db\\_primary**, said by Ana.',
    );
    expect(markdownOf({ ...incident, cause: null, causes: [] })).toContain(
      'The evidence points at no single service.',
    );
  });

  it('tells a night that goes into the next day by day', () => {
    const entry = { kind: 'note', actor: 'Holdfast', summary: 'x' };
    const timeline = ['2026-11-20T23:59:00.000Z', '2026-11-21T00:01:00.000Z'].map((at) => ({ ...entry, at }));
    expect(markdownOf({ ...incident, timeline })).toContain(
      '## Timeline\n\n2026-11-20, UTC:\n\n- 23:59:00 x\n\n2026-11-21, UTC:\n\n- 00:01:00 x\n',
    );
  });

  it('leaves out what there is nothing of', () => {
    const bare = markdownOf({ ...incident, changes: [], alerts: [], services: [], notes: [] });
    for (const heading of ['Changes before it', 'Alerts', 'Logs', 'Similar incidents', 'Response'])
      expect(bare).not.toContain(`## ${heading}`);
  });
});

describe('text in Markdown', () => {
  it('loses controls, marks that turn the order of reading round, and lines', () => {
    expect(plain('a\u202eb\u0000c\nd')).toBe('a b c d');
  });

  it('calls nobody, refers to nothing and is no formula', () => {
    const marks = plain('@acme/all ops@example.com https://x.example WWW.x.example #42 $x$');
    expect(marks).not.toMatch(/@\w|:\/\/|www\.|#\d|\$x/i);
    expect(marks.replaceAll('\u2060', '')).toBe(
      '@acme/all ops@example.com https://x.example WWW.x.example \\#42 <span>$</span>x<span>$</span>',
    );
  });

  it('is fenced by more backticks than it holds', () => {
    expect(code('a ``x`` b')).toBe('```a ``x`` b```');
    expect(code('`')).toBe('`` ` ``');
    expect(code('a|b')).toBe('`a¦b`');
  });

  it('links only where a browser may follow, and holds the address together', () => {
    expect(link('x', 'javascript:alert(1)')).toBe('x');
    expect(link('[x]', 'https://ci.example.com/a) <b>|c')).toBe(
      '[\\[x\\]](<https://ci.example.com/a)%20%3Cb%3E%7Cc>)',
    );
  });
});
