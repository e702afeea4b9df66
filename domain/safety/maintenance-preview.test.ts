import { describe, expect, test } from 'vitest';
import {
  matchingRunbooks,
  type PastExecution,
  previewMaintenance,
  type StartableRunbook,
} from './maintenance-preview.ts';

const at = (text: string) => Date.parse(text);
const about = { target: 'db-*', teamId: null, weekly: null };
const ran = (given: Partial<PastExecution> = {}): PastExecution => ({
  runbook: 'restart',
  target: 'db-1',
  teamId: null,
  automatic: true,
  askedAt: at('2026-06-01T10:00:00Z'),
  actedAt: at('2026-06-01T10:00:00Z'),
  ...given,
});

describe('the executions that a maintenance window would have held back', () => {
  test('are those of automation on its targets, the most frequent first', () => {
    const found = previewMaintenance(about, [
      ran({ runbook: 'clear-cache', actedAt: at('2026-06-03T10:00:00Z') }),
      ran({ actedAt: at('2026-06-02T10:00:00Z') }),
      ran(),
      ran({ target: 'web-1' }),
      ran({ automatic: false }),
    ]);
    expect(found).toEqual({
      executions: 5,
      heldBack: 3,
      byPeople: 1,
      kinds: [
        { runbook: 'restart', target: 'db-1', heldBack: 2, lastAt: at('2026-06-02T10:00:00Z') },
        { runbook: 'clear-cache', target: 'db-1', heldBack: 1, lastAt: at('2026-06-03T10:00:00Z') },
      ],
      kindsCut: false,
    });
  });

  test("are those of its team, where it is a team's", () => {
    const found = previewMaintenance({ ...about, teamId: 'red' }, [
      ran({ teamId: 'red' }),
      ran({ teamId: 'blue' }),
      ran(),
    ]);
    expect(found).toMatchObject({ executions: 3, heldBack: 1, byPeople: 0 });
  });

  test('of one that comes back every week are those that were asked for, or acted, in its hours', () => {
    const weekly = { timeZone: 'Europe/Berlin', days: ['mon' as const], from: '12:00', to: '13:00' };
    const then = (asked: string, acted: string, given: Partial<PastExecution> = {}) =>
      ran({ askedAt: at(asked), actedAt: at(acted), ...given });
    const found = previewMaintenance({ ...about, weekly }, [
      then('2026-06-02T10:30:00Z', '2026-06-02T10:30:00Z'),
      then('2026-06-01T10:30:00Z', '2026-06-01T11:30:00Z'),
      then('2026-06-01T09:30:00Z', '2026-06-01T10:30:00Z', { automatic: false }),
      then('2026-06-01T09:30:00Z', '2026-06-01T10:00:00Z'),
      then('2026-06-01T09:30:00Z', '2026-06-01T09:59:59Z'),
    ]);
    expect(found).toMatchObject({ executions: 5, heldBack: 2, byPeople: 1 });
    expect(previewMaintenance({ ...about, weekly }, [])).toMatchObject({ executions: 0, heldBack: 0 });
  });

  test('are shown up to 50 kinds, and counted all', () => {
    const found = previewMaintenance(
      about,
      Array.from({ length: 60 }, (_, n) => ran({ target: `db-${n}` })),
    );
    expect(found).toMatchObject({ heldBack: 60, kindsCut: true });
    expect(found.kinds).toHaveLength(50);
  });
});

describe('the runbooks that a maintenance window would hold back now', () => {
  const runbook = (given: Partial<StartableRunbook> = {}): StartableRunbook => ({
    name: 'vacuum',
    target: 'db-1',
    teamId: null,
    ...given,
  });

  test('are those whose target matches; others are known only when they run', () => {
    const found = matchingRunbooks(about, [
      runbook(),
      runbook({ name: 'restart', target: null }),
      runbook({ name: 'web', target: 'web-1' }),
    ]);
    expect(found).toEqual({ matching: 1, runbooks: [{ name: 'vacuum', target: 'db-1' }], undecided: 1 });
  });

  test('of no team may run for its team, those of another team do not', () => {
    const found = matchingRunbooks({ ...about, teamId: 'red' }, [
      runbook({ name: 'own', teamId: 'red' }),
      runbook({ name: 'other', teamId: 'blue' }),
      runbook({ name: 'other-open', teamId: 'blue', target: null }),
      runbook({ name: 'shared' }),
    ]);
    expect(found).toEqual({ matching: 1, runbooks: [{ name: 'own', target: 'db-1' }], undecided: 1 });
  });
});
