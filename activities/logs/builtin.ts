import type { Database } from '../../db/database.ts';
import { DatabaseUnavailableError } from '../../db/database.ts';
import { queryLogs } from '../../db/logs.ts';
import { describeSelectors, type LogQuery } from '../../domain/logs/query.ts';
import { type LogSource, LogSourceUnavailableError } from './log-source.ts';

/** The log store in Holdfast's own database, filled through `POST /api/v1/logs`. Time-out: the statement's. */
export function createBuiltinLogs({ db }: { db: Pick<Database, 'read' | 'unscoped'> }): LogSource {
  return {
    kind: 'builtin',
    name: 'builtin',
    // it is asked by fields alone
    quote: () => null,

    async probe() {
      await available(() => db.unscoped((tx) => tx.selectFrom('logs').select('id').limit(1).execute()));
      return 'lines of POST /api/v1/logs, kept in the database';
    },

    async query(orgId, query) {
      const found = await available(() => db.read({ orgId }, (tx) => queryLogs(tx, query)));
      return { ...found, asked: describe(query), note: null };
    },

    link() {
      return null;
    },
  };
}

async function available<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DatabaseUnavailableError)) throw error;
    throw new LogSourceUnavailableError('the built-in log store is away with its database', { cause: error });
  }
}

function describe(query: LogQuery): string {
  const what = query.anyOf.length > 0 ? describeSelectors(query.anyOf) : 'errors of everything';
  return query.within.length > 0 ? `${what}; within ${describeSelectors(query.within)}` : what;
}
