import { expect, test } from 'vitest';
import { countMessage, hourMs, isLimited, type LimitCount, messagesPerHour } from './notification-limits.ts';

const began = Date.parse('2026-11-21T03:00:00Z');

test('ten messages go in an hour, the rest is held, and the hour after begins anew', () => {
  let count: LimitCount | undefined;
  const verdicts = Array.from({ length: messagesPerHour + 3 }, (_, n) => {
    const counted = countMessage(count, began + n * 60_000);
    count = counted.count;
    return counted.verdict;
  });
  expect(verdicts).toEqual([...Array(messagesPerHour).fill('send'), 'hold', 'hold', 'hold']);
  expect(count).toEqual({ began, sent: messagesPerHour, held: 3 });
  expect(countMessage(count, began + hourMs - 1).verdict).toBe('hold');
  expect(countMessage(count, began + hourMs)).toEqual({
    verdict: 'send',
    count: { began: began + hourMs, sent: 1, held: 0 },
  });
});

test('what somebody must decide on is never held, nor that PagerDuty has to close what it has', () => {
  expect(isLimited('escalation.page', 'email')).toBe(true);
  expect(isLimited('approval.needed', 'email')).toBe(false);
  expect(isLimited('escalation.reminder', 'slack')).toBe(false);
  expect(isLimited('report.sla', 'email')).toBe(false);
  expect(isLimited('incident.resolved', 'email')).toBe(true);
  expect(isLimited('incident.resolved', 'pagerduty')).toBe(false);
});
