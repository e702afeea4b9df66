import type { LogQuery } from '../../domain/logs/query.ts';

/** The minute that the lines of log tests are about. */
export const at = Date.UTC(2026, 10, 21, 2, 14);

/** The lines of one service around it. */
export const logQuery = (change: Partial<LogQuery> = {}): LogQuery => ({
  from: at - 300_000,
  to: at + 300_000,
  anyOf: [{ field: 'service', values: ['checkout'] }],
  within: [],
  limit: 100,
  ...change,
});
