import { expect, test } from 'vitest';
import type { ConsolidatedFacts } from '../../db/notification-limits.ts';
import { composeMail } from './compose.ts';

const now = Date.parse('2026-11-21T03:20:00Z');
const at = (minutes: number) => new Date(now + minutes * 60_000);
const incident = (
  number: number,
  change: Partial<ConsolidatedFacts['incidents'][number]> = {},
): ConsolidatedFacts['incidents'][number] => ({
  number,
  title: `checkout <fails> ${number}`,
  severity: 'critical',
  acknowledgedAt: null,
  acknowledgedBy: null,
  resolvedAt: null,
  opening: 1,
  recordedSeq: 3,
  ...change,
});
const mailOf = (incidents: ConsolidatedFacts['incidents'], incidentCount = incidents.length) =>
  composeMail({
    type: 'notifications.consolidated',
    facts: { incident: undefined, execution: undefined, approval: undefined },
    consolidated: {
      id: 7,
      pattern: 'HighErrorRate checkout',
      held: 23,
      due: 23,
      heldSince: at(-10),
      ends: at(40),
      incidentCount,
      incidents,
    },
    detail: {},
    publicUrl: 'https://holdfast.example',
    reader: 'ana@example.com',
    links: {},
    acknowledgeLinks: new Map([[9, { url: 'https://holdfast.example/l/nine', until: at(60) }]]),
    now,
    timeZone: 'UTC',
  });

test('one message in place of many says how many, which, who has them, and how to take one', () => {
  const taken = { acknowledgedAt: at(-1), acknowledgedBy: 'ben@example.com' };
  const mail = mailOf([incident(9), incident(8, taken), incident(7, { ...taken, resolvedAt: at(-1) })], 12);
  expect(mail.subject).toBe('[critical] 23 more about HighErrorRate checkout, in 12 incidents');
  expect(mail.sentence).toBe(
    '23 more messages about HighErrorRate checkout since 03:10 UTC, told in this one: 12 incidents, 1 not acknowledged.',
  );
  for (const part of [
    'nobody has it',
    'ben@example.com has it',
    'resolved',
    'https://holdfast.example/l/nine',
    'And 9 more',
    '04:00 UTC',
  ]) {
    expect(mail.text).toContain(part);
  }
  expect(mail.html).toContain('checkout &lt;fails&gt; 9');
  expect(mail.urgent).toBe(true);
});

test('what it cannot count it does not claim to have counted', () => {
  expect(mailOf([incident(9), incident(8)], 12).sentence).toContain('2 or more not acknowledged');
  expect(mailOf([incident(9, { resolvedAt: at(-1) })]).sentence).toContain('each acknowledged or over');
});
