import { AsyncLocalStorage } from 'node:async_hooks';
import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  PostgresDialect,
  PostgresDriver,
  type Transaction,
  type TransactionSettings,
} from 'kysely';
import pg from 'pg';
import type { Schema } from './schema.ts';

// bigint columns are counters and identities here, far below 2^53
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

export type Tx = Transaction<Schema>;

/** Who sees: an organization, and in it all teams ('*') or those of a member. */
export interface Scope {
  orgId: string;
  teamIds?: '*' | string[];
}

/** PostgreSQL is away, starting or out of connections: what was asked can be asked again. */
export class DatabaseUnavailableError extends Error {
  override name = 'DatabaseUnavailableError';
}

/** PostgreSQL cannot keep what was sent, such as a NUL character: sending it again does not help. */
export class UnstorableError extends Error {
  override name = 'UnstorableError';
}

export interface DatabaseOptions {
  url: string;
  /** Connections at most. */
  poolSize: number;
  /** Milliseconds that a statement may take before PostgreSQL ends it. */
  statementTimeoutMs?: number;
}

/** Of transactions that wait for each other PostgreSQL ends one, which is run again up to so often. */
const deadlockRetries = 4;

export class Database {
  readonly pool: pg.Pool;
  private readonly kysely: Kysely<Schema>;

  constructor(options: DatabaseOptions) {
    this.pool = new pg.Pool({
      connectionString: options.url,
      max: options.poolSize,
      connectionTimeoutMillis: 5000,
      statement_timeout: options.statementTimeoutMs ?? 30_000,
      application_name: 'holdfast',
      // runs before a connection is handed out for the first time: from here on row-level security holds
      onConnect: async (client: pg.ClientBase) => {
        await client.query('set role holdfast_app');
      },
    });
    // an idle connection that breaks is replaced by the pool; without a listener it would end the process
    this.pool.on('error', () => {});
    this.kysely = new Kysely<Schema>({ dialect: new ScopedDialect(this.pool) });
  }

  /**
   * One transaction inside `scope`; after a deadlock `work` is run again from the start. Throws
   * DatabaseUnavailableError when PostgreSQL cannot be reached.
   */
  async write<T>(scope: Scope, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.transaction(scope, false, work);
  }

  /** As `write`, in a read-only transaction. */
  async read<T>(scope: Scope, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.transaction(scope, true, work);
  }

  /** A transaction before the organization is known: row-level security hides every row but the functions'. */
  async unscoped<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.transaction(undefined, false, work);
  }

  async close(): Promise<void> {
    await this.kysely.destroy();
  }

  private async transaction<T>(
    scope: Scope | undefined,
    readOnly: boolean,
    work: (tx: Tx) => Promise<T>,
  ): Promise<T> {
    for (let retries = 0; ; retries++) {
      try {
        return await this.attempt(scope, readOnly, work);
      } catch (error) {
        if (retries === deadlockRetries || !isDeadlock(error)) throw error;
      }
    }
  }

  private async attempt<T>(
    scope: Scope | undefined,
    readOnly: boolean,
    work: (tx: Tx) => Promise<T>,
  ): Promise<T> {
    try {
      const transaction = this.kysely.transaction();
      const scoped = readOnly ? transaction.setAccessMode('read only') : transaction;
      return await scopeOfTransaction.run(scope, () => scoped.execute(work));
    } catch (error) {
      if (isUnavailable(error)) throw new DatabaseUnavailableError('the database is away', { cause: error });
      if (isUnstorable(error)) {
        throw new UnstorableError('it holds a character or a number that cannot be stored', { cause: error });
      }
      throw error;
    }
  }
}

/** How the scope of a transaction reaches the driver that begins it. */
const scopeOfTransaction = new AsyncLocalStorage<Scope | undefined>();

class ScopedDialect extends PostgresDialect {
  private readonly pool: pg.Pool;

  constructor(pool: pg.Pool) {
    super({ pool });
    this.pool = pool;
  }

  override createDriver(): PostgresDriver {
    return new ScopedDriver({ pool: this.pool });
  }
}

/** Begins a transaction and says whose it is in one round trip. */
class ScopedDriver extends PostgresDriver {
  override async beginTransaction(
    connection: DatabaseConnection,
    { accessMode }: TransactionSettings,
  ): Promise<void> {
    const scope = scopeOfTransaction.getStore();
    const teams = scope?.teamIds ?? '*';
    const teamIds = Array.isArray(teams) ? teams.join(',') || 'none' : teams;
    await connection.executeQuery(
      CompiledQuery.raw(
        `begin ${accessMode ?? 'read write'};
        select set_config('app.org_id', ${pg.escapeLiteral(scope?.orgId ?? '')}, true),
          set_config('app.team_ids', ${pg.escapeLiteral(teamIds)}, true)`,
      ),
    );
  }
}

const unavailableCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
  // PostgreSQL: connection exceptions, shutdown, crash, starting up, too many connections, disk full, read-only
  '08000',
  '08001',
  '08003',
  '08006',
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '53100',
  '25006',
]);

function isDeadlock(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '40P01';
}

const unstorableCodes = new Set([
  // a NUL character, in text and in jsonb
  '22021',
  '22P05',
  // a number or a time beyond what a column takes
  '22003',
  '22008',
]);

function isUnstorable(error: unknown): boolean {
  if (!(error instanceof Error && 'code' in error)) return false;
  // half a surrogate pair in jsonb
  const noJson = error.code === '22P02' && error.message.endsWith('type json');
  return noJson || unstorableCodes.has(String(error.code));
}

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && unavailableCodes.has(String(error.code))) return true;
  if (error instanceof AggregateError) return error.errors.some(isUnavailable);
  return /Connection terminated|timeout exceeded when trying to connect|connection timeout/i.test(
    error.message,
  );
}
