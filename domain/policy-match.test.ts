import { describe, expect, test } from 'vitest';
import type { IncidentMatch } from './policies.ts';
import { holds, type PolicySubject } from './policy-match.ts';

const subject: PolicySubject = {
  severity: 'critical',
  service: 'payment-api',
  alerts: ['HighLatency', 'DiskFull'],
  team: 'payments',
  labels: { cluster: 'eu-1', job: 'api' },
};

describe('an incident is one of those that a policy is for when all that it names holds', () => {
  test.each<[IncidentMatch, boolean]>([
    [{}, true],
    [{ severity: 'critical', service: 'payment-*', alert: 'Disk*' }, true],
    [{ severity: 'high' }, false],
    [{ team: 'payments' }, true],
    [{ team: 'search' }, false],
    [{ labels: { cluster: 'eu-*', job: 'api' } }, true],
    [{ labels: { cluster: 'eu-*', job: 'web' } }, false],
    [{ labels: { zone: '*' } }, false],
    [{ team: 'payments', labels: { cluster: 'us-*' } }, false],
  ])('%j: %s', (match, expected) => {
    expect(holds(match, subject)).toBe(expected);
  });

  test('what no team owns is for no policy of a team', () => {
    expect(holds({ team: 'payments' }, { ...subject, team: null })).toBe(false);
  });
});
