import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { formatDuration } from '../../domain/duration.ts';
import type { RenderedSql } from '../../domain/runbook/rendered.ts';
import type { CheckContext, Finding, StepAdapter, StepContext, StepResult } from './adapter.ts';
import { checkStatements } from './sql-check.ts';
import {
  databaseUrl,
  isRefusal,
  reasonOf,
  SqlConnection,
  type StatementResult,
  TooManyRowsError,
} from './sql-connection.ts';
import { alignedRows } from './sql-rows.ts';

export interface SqlDeps {
  /** A commit is not broken off: this long its answer is waited for; absent: a quarter of a minute. */
  commitMs?: number;
}

export function createSqlAdapter({ commitMs = 15_000 }: SqlDeps = {}): StepAdapter<RenderedSql> {
  return { check: checkSql, run: async (step, context) => await runSql(step, { ...context, commitMs }) };
}

/** Milliseconds that the server has to end a statement that it was asked to end. */
const endingMs = 5_000;
/** Statements that would end the transaction which makes a step all or nothing. */
const transactionCommands = new Set([
  'BEGIN',
  'START TRANSACTION',
  'COMMIT',
  'ROLLBACK',
  'PREPARE TRANSACTION',
]);

async function checkSql(step: RenderedSql, context: CheckContext): Promise<Finding[]> {
  const what = `connection ${step.connection}`;
  let connection: SqlConnection | undefined;
  try {
    const url = await databaseUrl(step.connection, context.secrets);
    connection = await SqlConnection.open(url, { name: 'Holdfast dry run', timeoutMs: context.timeoutMs });
    const { database, user } = connection.client;
    const detail = `connected to ${database ?? ''} at ${connection.host} as ${user ?? ''}`;
    return [{ ok: true, what, detail }, ...(await checkStatements(step, connection))];
  } catch (error) {
    return [{ ok: false, what, detail: reasonOf(error) }];
  } finally {
    connection?.close();
  }
}

async function runSql(step: RenderedSql, context: StepContext & Required<SqlDeps>): Promise<StepResult> {
  const timeout = AbortSignal.timeout(context.timeoutMs);
  const stop = AbortSignal.any([context.signal, timeout]);
  const why = () =>
    context.signal.aborted ? 'cancelled' : `timed out after ${formatDuration(context.timeoutMs)}`;
  let connection: SqlConnection;
  try {
    const url = await databaseUrl(step.connection, context.secrets);
    const opening = SqlConnection.open(url, { name: context.idempotencyKey, timeoutMs: context.timeoutMs });
    const opened = await Promise.race([opening, abortOf(stop)]);
    if (opened === 'stopped') {
      opening.then((late) => late.close()).catch(() => undefined);
      return { ok: false, error: `${why()} while connecting to the database` };
    }
    connection = opened;
  } catch (error) {
    return { ok: false, error: `the database of ${step.connection} cannot be reached: ${reasonOf(error)}` };
  }
  try {
    return await new SqlRun({ step, context, connection, stop, why }).run();
  } finally {
    connection.close();
  }
}

/** Ends the transaction; the message is the step's error. */
class SqlStepError extends Error {}

class SqlRun {
  private readonly step: RenderedSql;
  private readonly context: StepContext & Required<SqlDeps>;
  private readonly connection: SqlConnection;
  private readonly stop: AbortSignal;
  /** Why it was stopped. */
  private readonly why: () => string;

  constructor(given: {
    step: RenderedSql;
    context: StepContext & Required<SqlDeps>;
    connection: SqlConnection;
    stop: AbortSignal;
    why: () => string;
  }) {
    this.step = given.step;
    this.context = given.context;
    this.connection = given.connection;
    this.stop = given.stop;
    this.why = given.why;
  }

  async run(): Promise<StepResult> {
    const { connection, context, step } = this;
    await context.started({
      pgid: connection.backend,
      startedAt: '',
      machine: `postgresql ${connection.host}`,
      sudo: false,
    });
    try {
      await this.guarded(connection.run(step.readOnly ? 'begin read only' : 'begin'));
      // after its first query a transaction cannot be made one that writes
      if (step.readOnly) await this.guarded(connection.run('select 1'));
      const last = await this.statements();
      this.checkExpected(last);
      this.show(last);
    } catch (error) {
      return { ok: false, error: await this.rolledBack(error) };
    }
    return await this.commit();
  }

  private async statements(): Promise<StatementResult> {
    const { statements, maxRows, readOnly } = this.step;
    let last: StatementResult = { command: '', rows: 0, columns: [], shown: [] };
    let returned = 0;
    let changed = 0;
    for (const [index, { text, parameters }] of statements.entries()) {
      const at = `statement ${index + 1}`;
      const began = performance.now();
      try {
        last = await this.guarded(this.connection.run(text, parameters, maxRows - returned - changed));
      } catch (error) {
        if (error instanceof SqlStepError) throw error;
        throw new SqlStepError(
          error instanceof TooManyRowsError ? this.tooMany(at) : `${at}: ${reasonOf(error)}`,
        );
      }
      const took = `${Math.round(performance.now() - began)} ms`;
      this.context.output.note(`${at}: ${last.command} ${last.rows} (${took})`);
      if (transactionCommands.has(last.command)) {
        throw new SqlStepError(`${at} ended the transaction that the step is; take it out`);
      }
      if (last.columns.length > 0 && last.command === 'SELECT') returned += last.rows;
      else changed += last.rows;
      // what a function, a trigger or a WITH query changed has no command tag of its own
      if (!readOnly) changed = Math.max(changed, await this.changedRows());
      if (returned + changed > maxRows) throw new SqlStepError(this.tooMany(at));
    }
    return last;
  }

  private async changedRows(): Promise<number> {
    const { shown } = await this.guarded(
      this.connection.run(
        'select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) from pg_catalog.pg_stat_xact_user_tables',
      ),
    );
    return Number(shown[0]?.[0] ?? 0);
  }

  private tooMany(at: string): string {
    return `${at} made it more than ${this.step.maxRows.toLocaleString('en')} rows, so everything was rolled back; narrow it, or raise max_rows`;
  }

  private checkExpected({ rows }: StatementResult): void {
    const { least = 0, most = Number.POSITIVE_INFINITY } = this.step.expectRows ?? {};
    if (rows >= least && rows <= most) return;
    const expected =
      least === most
        ? `${least}`
        : most === Number.POSITIVE_INFINITY
          ? `at least ${least}`
          : `${least} to ${most}`;
    throw new SqlStepError(
      `expected ${expected} rows of the last statement, got ${rows}; everything was rolled back`,
    );
  }

  private show(last: StatementResult): void {
    if (last.columns.length > 0) this.context.output.note(alignedRows(last));
  }

  /** The result, or the end of the statement once the step is to stop. */
  private async guarded<T>(running: Promise<T>): Promise<T> {
    const settled = running.then(
      () => undefined,
      () => undefined,
    );
    const first = await Promise.race([running, abortOf(this.stop)]);
    if (first !== 'stopped') return first;
    throw new SqlStepError(`${this.why()}; ${await this.end(settled)}`);
  }

  /** Ends the statement that runs, at the server, and says what became of it. */
  private async end(settled: Promise<void>): Promise<string> {
    const within = (ms: number) => Promise.race([settled.then(() => true), delay(ms, false)]);
    for (const ask of [() => this.connection.stop(), () => this.connection.terminate()]) {
      await ask();
      if (await within(endingMs)) return 'its statement was ended and everything rolled back';
    }
    this.connection.destroy();
    return 'the database does not answer; it rolls back when it sees that the connection is gone';
  }

  /** The error of the step, after the server has rolled back. */
  private async rolledBack(error: unknown): Promise<string> {
    const rollback = this.connection.run('rollback').then(
      () => true,
      () => false,
    );
    if (!(await Promise.race([rollback, delay(endingMs, false)]))) await this.untilGone();
    return error instanceof SqlStepError ? error.message : reasonOf(error);
  }

  /** What a connection that broke had begun may go on at the server for a moment. */
  private async untilGone(): Promise<void> {
    const until = performance.now() + endingMs;
    while ((await this.connection.terminate()) !== true && performance.now() < until) await delay(100);
  }

  private async commit(): Promise<StepResult> {
    const { connection } = this;
    const { commitMs } = this.context;
    let transaction: string | undefined;
    try {
      const { shown } = await this.guarded(connection.run('select txid_current_if_assigned()'));
      transaction = shown[0]?.[0] ?? undefined;
    } catch (error) {
      return { ok: false, error: await this.rolledBack(error) };
    }
    // from here on nothing stops it: half a commit is no commit, and nobody could tell which it was
    try {
      const committing = connection.run('commit');
      committing.catch(() => undefined);
      const done = await Promise.race([committing, delay(commitMs, undefined, { ref: false })]);
      if (done?.command === 'COMMIT') return { ok: true };
      if (done) return { ok: false, error: 'PostgreSQL rolled everything back instead of committing it' };
      return await this.findOut(transaction, `it gave no answer within ${formatDuration(commitMs)}`);
    } catch (error) {
      if (isRefusal(error)) return { ok: false, error: `nothing was committed: ${reasonOf(error)}` };
      return await this.findOut(transaction, reasonOf(error));
    }
  }

  /** The connection broke in the middle of the commit: the server still knows what became of the transaction. */
  private async findOut(transaction: string | undefined, reason: string): Promise<StepResult> {
    if (transaction === undefined) {
      this.context.output.note(
        `the connection broke at the end (${reason}), where nothing was left to commit`,
      );
      return { ok: true };
    }
    const until = performance.now() + this.context.commitMs;
    while (performance.now() < until) {
      const outcome = await this.connection.outcomeOf(transaction);
      if (outcome === 'committed') {
        this.context.output.note(`the connection broke while it committed (${reason}); it was committed`);
        return { ok: true };
      }
      if (outcome === 'aborted') {
        return {
          ok: false,
          error: `the connection broke while it committed (${reason}); nothing was committed`,
        };
      }
      await delay(500);
    }
    return {
      ok: false,
      error: `the connection broke while it committed (${reason}), and whether it was committed is unknown: ask the database by select txid_status(${transaction}), and look at the data`,
    };
  }
}

async function abortOf(signal: AbortSignal): Promise<'stopped'> {
  if (!signal.aborted) await once(signal, 'abort');
  return 'stopped';
}
