import { describe, expect, it } from 'vitest';
import { capacityReport } from './capacity.ts';
import { storedReport } from './stored.ts';
import { reportTables } from './tables.ts';

const hour = 3_600_000;
const now = Date.parse('2026-11-16T08:00:00Z');

describe('reportTables', () => {
  it('lists each resource with the time to each threshold', () => {
    const { rows } = capacityReport(
      [
        {
          instance: 'db-1',
          resource: 'disk',
          part: '/data',
          points: Array.from({ length: 168 }, (_, i) => ({
            at: now - (167 - i) * hour,
            value: 0.7 + (0.02 * i) / 24,
          })),
        },
      ],
      now,
    );
    const [table] = reportTables(
      {
        kind: 'capacity',
        sentence: '',
        timeZone: 'UTC',
        charts: [],
        rows,
        omitted: 3,
        instances: 1,
        urgent: 1,
        gap: null,
        remedy: null,
      },
      now,
    );
    expect(table!.rows[0]!.cells.slice(0, 7)).toEqual([
      '/data on db-1',
      '84 %',
      '77 %',
      '+2.0 %',
      'reached',
      'in 3 days',
      'in 8 days',
    ]);
    expect(table!.note).toBe('3 more, all with more room, are left out.');
  });

  it('has no table where there is nothing to list', () => {
    expect(
      reportTables(
        {
          kind: 'capacity',
          sentence: '',
          timeZone: 'UTC',
          charts: [],
          rows: [],
          omitted: 0,
          instances: 0,
          urgent: 0,
          gap: { kind: 'not_configured' },
          remedy: null,
        },
        now,
      ),
    ).toEqual([]);
  });
});

describe('storedReport', () => {
  it('takes nothing else for a report', () => {
    expect(storedReport({})).toBeUndefined();
    expect(storedReport({ kind: 'sla', charts: 'none' })).toBeUndefined();
    expect(storedReport({ kind: 'sla', charts: [] })).toBeDefined();
  });
});
