import pg from 'pg';
import type { CheckContext } from './adapter.ts';

export interface StatementResult {
  /** The command tag without numbers: 'UPDATE', 'SELECT'. */
  command: string;
  /** Rows that were returned or changed. */
  rows: number;
  columns: string[];
  /** The first of the rows that were returned, as PostgreSQL writes the values. */
  shown: (string | null)[][];
}

/** Rows that are kept to be shown. */
const mostShown = 100;
/** Milliseconds that a second connection, which ends what the first one does, may take. */
const helperMs = 5_000;

/**
 * Settings that make the server notice soon that the worker is gone, and end what it does for it. Older servers have
 * not all of them: then it notices when the statement is over, which its time-out sees to.
 */
const vigilance = {
  client_connection_check_interval: '1s',
  idle_in_transaction_session_timeout: '10s',
  tcp_keepalives_idle: '4',
  tcp_keepalives_interval: '2',
  tcp_keepalives_count: '3',
};

/** Throws an error that repeats nothing of the secret. */
export async function databaseUrl(reference: string, secrets: CheckContext['secrets']): Promise<string> {
  const text = await secrets.read(reference);
  const url = URL.parse(text);
  if (url === null || !['postgres:', 'postgresql:'].includes(url.protocol)) {
    throw new Error(`${reference} is no PostgreSQL URL; write postgres://user:password@host:5432/database`);
  }
  return text;
}

/** One connection that does one thing after another, and can be asked to stop from outside. */
export class SqlConnection {
  readonly client: pg.Client;
  /** The server's process for it. */
  backend = 0;
  private readonly url: string;
  private readonly name: string;

  private constructor(url: string, client: pg.Client, name: string) {
    this.url = url;
    this.name = name;
    this.client = client;
  }

  /** `name`: of it PostgreSQL keeps 63 bytes. Throws an error when the database refuses or does not answer in time. */
  static async open(url: string, options: { name: string; timeoutMs: number }): Promise<SqlConnection> {
    const client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: options.timeoutMs,
      keepAlive: true,
    });
    // what is under way fails by itself
    client.on('error', () => {});
    await client.connect();
    const connection = new SqlConnection(url, client, options.name.slice(0, 63));
    try {
      await connection.set('application_name', connection.name);
      await connection.set('statement_timeout', String(Math.ceil(options.timeoutMs) + 1000));
      for (const [name, value] of Object.entries(vigilance))
        await connection.set(name, value).catch(() => undefined);
      const { shown } = await connection.run('select pg_backend_pid()');
      connection.backend = Number(shown[0]?.[0]);
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  get host(): string {
    return `${this.client.host}:${this.client.port}`;
  }

  /**
   * One statement, by the extended protocol, which takes no second one. `mostRows`: when more are returned, the
   * statement is stopped and TooManyRowsError thrown.
   */
  async run(
    text: string,
    values: readonly string[] = [],
    mostRows = Number.POSITIVE_INFINITY,
  ): Promise<StatementResult> {
    const config = {
      text,
      values: [...values],
      queryMode: 'extended',
      rowMode: 'array',
      types: { getTypeParser: () => (value: string) => value },
    };
    const query = new pg.Query(config);
    let rows = 0;
    let stopping: Promise<void> | undefined;
    const shown: (string | null)[][] = [];
    query.on('row', (row: (string | null)[]) => {
      rows += 1;
      if (shown.length < mostShown) shown.push(row);
      if (rows === Math.floor(mostRows) + 1) stopping = this.stop();
    });
    const result = new Promise<StatementResult>((resolve, reject) => {
      query.on('end', ({ command, rowCount, fields }) => {
        resolve({
          command: command ?? '',
          rows: rowCount ?? 0,
          columns: fields.map(({ name }) => name),
          shown,
        });
      });
      query.on('error', reject);
    });
    this.client.query(query);
    try {
      return await result;
    } catch (error) {
      if (rows > mostRows) throw new TooManyRowsError('too many rows', { cause: error });
      throw error;
    } finally {
      // this statement may be over before it is stopped: the next one would be stopped in its place
      await stopping;
    }
  }

  /** Asks the server, by another connection, to end what this one does. */
  async stop(): Promise<void> {
    await this.beside((other) => other.query('select pg_cancel_backend($1)', [this.backend]));
  }

  /** The same, with the connection itself. Returns whether the server no longer has it; undefined: it does not say. */
  async terminate(): Promise<boolean | undefined> {
    return await this.beside(async (other) => {
      const { rowCount } = await other.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and application_name = $2',
        [this.backend, this.name],
      );
      return rowCount === 0;
    });
  }

  /** 'committed', 'aborted' or 'in progress'; undefined where the server does not say. */
  async outcomeOf(transaction: string): Promise<string | undefined> {
    return await this.beside(async (other) => {
      const { rows } = await other.query<{ outcome: string | null }>('select txid_status($1) as outcome', [
        transaction,
      ]);
      return rows[0]?.outcome ?? undefined;
    });
  }

  /** Whatever it does is rolled back by the server. */
  close(): void {
    this.client.end().catch(() => undefined);
  }

  /** As `close`, also where the other side takes no more. */
  destroy(): void {
    this.client.connection.stream.destroy();
  }

  private async set(name: string, value: string): Promise<void> {
    await this.client.query('select set_config($1, $2, false)', [name, value]);
  }

  private async beside<T>(work: (other: pg.Client) => Promise<T>): Promise<T | undefined> {
    const other = new pg.Client({
      connectionString: this.url,
      connectionTimeoutMillis: helperMs,
      query_timeout: helperMs,
    });
    other.on('error', () => {});
    try {
      await other.connect();
      return await work(other);
    } catch {
      return undefined;
    } finally {
      await other.end().catch(() => undefined);
    }
  }
}

export class TooManyRowsError extends Error {
  override name = 'TooManyRowsError';
}

/** What PostgreSQL says is wrong, in its own words, and where it says so what would help. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  if (error instanceof pg.DatabaseError) {
    return [error.message, error.detail, error.hint].filter((part) => part).join('; ');
  }
  return error instanceof Error ? error.message || error.name : String(error);
}

/** The transaction was rolled back for sure: the server went on to say what is wrong with it. */
export function isRefusal(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.severity === 'ERROR';
}
