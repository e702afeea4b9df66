import { describe, expect, it } from 'vitest';
import { type IncidentFacts, incidentSentence, sentenceText } from './incident-sentence.ts';

const now = Date.parse('2026-11-21T02:20:00Z');
const at = (time: string) => `2026-11-21T${time}:00Z`;

const base: IncidentFacts = {
  title: 'checkout: db-primary refuses connections',
  service: 'checkout',
  severity: 'critical',
  status: 'investigating',
  openedAt: at('02:14'),
  alertCount: 14,
  firingCount: 14,
  serviceCount: 5,
  cause: null,
  mergedInto: null,
  acknowledgedAt: null,
  acknowledgedBy: null,
  assignedTo: null,
  snoozedUntil: null,
  silencedUntil: null,
  resolvedAt: null,
  resolvedBy: null,
  pages: [{ who: 'Ana', at: at('02:14') }],
  deadlines: [{ kind: 'escalation', at: at('02:29'), what: 'pages Ben (level 2)' }],
  waiting: [],
  executions: [],
};

const say = (changes: Partial<IncidentFacts>) =>
  sentenceText(incidentSentence({ ...base, ...changes }, now), (iso) => iso.slice(11, 16));

describe('the one sentence', () => {
  it('says what is wrong, since when, how much, who was paged and who is next', () => {
    expect(say({})).toBe(
      'checkout has been failing since 02:14: db-primary refuses connections; 14 alerts on 5 services. Ana was paged 02:14, Ben is next at 02:29.',
    );
  });

  it('names the probable cause and how sure it is, before who has it', () => {
    const cause = { service: 'db-primary', confidence: 0.846, by: null };
    expect(say({ cause })).toContain(
      '14 alerts on 5 services. The cause is probably db-primary (85 %). Ana was paged',
    );
    expect(say({ cause: { ...cause, confidence: 0.31 } })).toContain('The cause may be db-primary (31 %).');
    expect(say({ cause: { ...cause, service: 'checkout' } })).toContain('probably checkout itself (85 %).');
    const over = { status: 'resolved' as const, resolvedAt: at('03:10'), resolvedBy: 'Ben' };
    expect(say({ cause, ...over })).toContain('The cause was probably db-primary (85 %).');
    expect(say({ cause, ...over, status: 'false_positive' })).not.toContain('cause');
  });

  it("takes a person's word for the cause without a figure", () => {
    expect(say({ cause: { service: 'db-primary', confidence: 1, by: 'Ana' } })).toContain(
      'The cause is db-primary, says Ana.',
    );
  });

  it('says until when it is to be resolved once somebody has it', () => {
    const deadlines = [
      { kind: 'resolve_sla' as const, at: at('02:44'), what: 'SLA critical: time to resolve is over' },
    ];
    const has = { acknowledgedBy: 'Ana', acknowledgedAt: at('02:16'), deadlines };
    expect(say(has)).toMatch(/Ana acknowledged it at 02:16\. Its time to resolve ends at 02:44\.$/);
  });

  it('says where the alerts of a merged incident are', () => {
    const merged = {
      status: 'resolved' as const,
      resolvedAt: at('02:18'),
      resolvedBy: 'Ana',
      mergedInto: 41,
    };
    expect(say(merged)).toMatch(/5 services\. It is part of #41 now\.$/);
  });

  it('names the runbook that waits for approval', () => {
    expect(say({ waiting: [{ runbook: 'restart-pool', expiresAt: at('02:44') }] })).toMatch(
      / restart-pool waits for approval until 02:44\.$/,
    );
  });

  it('says who has it once it is acknowledged, and no longer who is next', () => {
    const sentence = say({ acknowledgedBy: 'Ana', acknowledgedAt: at('02:16'), assignedTo: 'Ben' });
    expect(sentence).toContain('Ana acknowledged it at 02:16, and it is assigned to Ben.');
    expect(sentence).not.toContain('next');
  });

  it('says that nobody has answered when the last page went out', () => {
    expect(say({ deadlines: [] })).toContain('Ana was paged 02:14 and nobody has answered.');
    expect(say({ deadlines: [], pages: [] })).toContain('Nobody has been paged yet.');
  });

  it('counts those who were paged before', () => {
    const pages = [
      { who: 'Ana', at: at('02:14') },
      { who: 'Ben', at: at('02:19') },
    ];
    expect(say({ pages, deadlines: [] })).toContain('Ben was paged 02:19 after one other page');
  });

  it('says until when a snooze lasts, and forgets one that has passed', () => {
    expect(say({ snoozedUntil: at('03:00') })).toContain('Escalation is snoozed until 03:00.');
    expect(say({ snoozedUntil: at('02:10') })).toContain('Ana was paged');
    expect(say({ silencedUntil: at('03:00') })).toContain('It is silenced, and nobody is told, until 03:00.');
  });

  it('tells how long it lasted and who ended it', () => {
    expect(say({ status: 'resolved', resolvedAt: at('03:10'), resolvedBy: 'Ben' })).toBe(
      'checkout had trouble from 02:14 to 03:10: db-primary refuses connections; 14 alerts on 5 services. Resolved by Ben after 56 min.',
    );
    expect(say({ status: 'resolved', resolvedAt: at('03:10'), resolvedBy: 'Holdfast' })).toContain(
      'It ended with its last alert, after 56 min.',
    );
    expect(say({ status: 'false_positive', resolvedAt: at('02:16'), resolvedBy: 'Ben' })).toContain(
      'checkout was reported by mistake: db-primary refuses connections; 14 alerts on 5 services. Marked as a false positive by Ben after 2 min.',
    );
  });

  it('says how many alerts still fire, and nothing of a single one', () => {
    expect(say({ firingCount: 3 })).toContain('14 alerts on 5 services, 3 still firing.');
    expect(say({ alertCount: 1, firingCount: 1, serviceCount: 1 })).toContain('connections. Ana');
  });

  it('holds without a service, with a title that is the service, and with characters that mean something elsewhere', () => {
    expect(say({ service: null })).toMatch(/^Something has been failing since 02:14: checkout: db-primary/);
    expect(say({ title: 'HighCPU on checkout' })).toContain('since 02:14: HighCPU;');
    // minutes where the time grows with the square of the gap
    expect(say({ title: `High${' '.repeat(200_000)}CPU on checkout` })).toContain('CPU;');
    expect(say({ title: 'checkout refuses connections' })).toContain(
      'since 02:14: checkout refuses connections;',
    );
    expect(say({ service: 'a.b(c', title: 'Down on a.b(c' })).toContain(
      'a.b(c has been failing since 02:14: Down;',
    );
  });

  it('tells what the latest runbook came to', () => {
    const executions = [
      { runbook: 'a', status: 'succeeded' as const },
      { runbook: 'b', status: 'rolled_back' as const },
    ];
    expect(say({ executions })).toMatch(/ b failed and was rolled back\.$/);
  });
});
