import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RenderedSql } from '../../domain/runbook/rendered.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { createSecretSource } from '../secrets/create-secret-source.ts';
import type { CheckContext } from './adapter.ts';
import { EgressRules } from './egress.ts';
import { StepOutput } from './output.ts';
import { createSqlAdapter } from './sql.ts';
import { SqlConnection } from './sql-connection.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await database.owner.query('create table accounts (id int primary key, name text, balance int)');
  await database.owner.query('create table audit (note text)');
});
afterAll(async () => {
  await database.close();
});
beforeEach(async () => {
  await database.owner.query('truncate accounts, audit');
  await database.owner.query(
    `insert into accounts select n, 'account ' || n, 100 from generate_series(1, 10) n`,
  );
});

interface Options {
  timeoutMs?: number;
  signal?: AbortSignal;
  url?: string;
  started?: () => Promise<void>;
  commitMs?: number;
}
const statement = (text: string, ...parameters: string[]) => ({ text, parameters });
const stepOf = (change: Partial<RenderedSql>): RenderedSql => ({
  kind: 'sql',
  connection: 'env:DB',
  statements: [],
  readOnly: false,
  maxRows: 100,
  ...change,
});
const contextOf = (options: Options): CheckContext => ({
  timeoutMs: options.timeoutMs ?? 10_000,
  signal: options.signal ?? new AbortController().signal,
  egress: new EgressRules([]),
  secrets: createSecretSource({
    environment: { HOLDFAST_SECRET_DB: options.url ?? database.url },
    ssm: {},
  }),
  environment: {},
});
const key = 'execution:00000000-0000-4000-8000-000000000000:step:0';

async function run(change: Partial<RenderedSql>, options: Options = {}) {
  const output = new StepOutput({ secrets: [] });
  const { commitMs } = options;
  const adapter = createSqlAdapter(commitMs === undefined ? {} : { commitMs });
  const result = await adapter.run(stepOf(change), {
    ...contextOf(options),
    output,
    key: `${key}:1`,
    idempotencyKey: key,
    started: options.started ?? (async () => {}),
  });
  return { result, text: output.text() };
}
const one = async <T>(query: string): Promise<T> =>
  Object.values((await database.owner.query(query)).rows[0] as Record<string, T>)[0]!;
const total = () => one<string>('select sum(balance)::text from accounts');
/** Statements of steps that the server still works on. */
const underWay = () =>
  one<string>(
    `select count(*)::text from pg_stat_activity where application_name = '${key}' and state <> 'idle'`,
  );
/** Once the statement that sleeps has begun: before it, a step is between two statements. */
const isUnderWay = async () => {
  const sleeping = `select count(*)::text from pg_stat_activity
    where application_name = '${key}' and state = 'active' and query like '%pg_sleep%'`;
  await expect.poll(() => one(sleeping)).toBe('1');
};

describe('an sql step', () => {
  it('runs its statements in one transaction and shows what the last one returned', async () => {
    const { result, text } = await run({
      statements: [
        statement('update accounts set balance = balance - $1 where id = $2', '30', '1'),
        statement('select id, name, balance, null as note from accounts where id <= $1 order by id', '2'),
      ],
    });
    expect(result).toEqual({ ok: true });
    expect(text.replaceAll(/\d+ ms/g, 'n ms')).toBe(
      [
        'statement 1: UPDATE 1 (n ms)',
        'statement 2: SELECT 2 (n ms)',
        'id  name       balance  note',
        '--  ---------  -------  ----',
        '1   account 1  70       NULL',
        '2   account 2  100      NULL',
        '',
      ].join('\n'),
    );
    expect(await total()).toBe('970');
  });

  it('rolls everything back when one statement fails, with what PostgreSQL says', async () => {
    const { result } = await run({
      statements: [
        statement('update accounts set balance = 0'),
        statement('insert into accounts values (1)'),
      ],
    });
    expect(result).toEqual({
      ok: false,
      error:
        'statement 2: duplicate key value violates unique constraint "accounts_pkey"; Key (id)=(1) already exists.',
    });
    expect(await total()).toBe('1000');
  });

  it('takes values as values and one statement at a time', async () => {
    const evil = `'; drop table accounts; --`;
    await run({ statements: [statement('insert into audit values ($1)', evil)] });
    expect(await one('select note from audit')).toBe(evil);
    const { result } = await run({ statements: [statement('select 1; drop table accounts')] });
    expect(result).toMatchObject({ error: expect.stringMatching(/cannot insert multiple commands/) });
    expect(await total()).toBe('1000');
  });

  it('changes nothing when it is read-only', async () => {
    for (const statements of [
      [statement('update accounts set balance = 0')],
      [statement('set transaction read write'), statement('update accounts set balance = 0')],
    ]) {
      const { result } = await run({ readOnly: true, statements });
      expect(result).toMatchObject({ error: expect.stringMatching(/read-only|read-write/) });
    }
    expect(await total()).toBe('1000');
  });

  it('does not let a statement end its transaction unseen', async () => {
    const { result } = await run({
      statements: [statement('/* at once */ commit'), statement('update accounts set balance = 0')],
    });
    expect(result).toMatchObject({
      error: 'statement 1 ended the transaction that the step is; take it out',
    });
    expect(await total()).toBe('1000');
  });

  it('carries the idempotency key as its application name', async () => {
    const { text } = await run({ statements: [statement('show application_name')] });
    expect(text).toContain(key);
  });

  it('does not begin when that cannot be written down', async () => {
    const begun = run(
      { statements: [statement('update accounts set balance = 0')] },
      {
        started: async () => {
          throw new Error('the database is away');
        },
      },
    );
    await expect(begun).rejects.toThrow('the database is away');
    expect(await total()).toBe('1000');
  });
});

describe('the limit of rows', () => {
  const tooMany = (n: number) =>
    `statement ${n} made it more than 9 rows, so everything was rolled back; narrow it, or raise max_rows`;

  it.each([
    ['changed', [statement('update accounts set balance = 0')], 1],
    ['returned', [statement('select * from accounts')], 1],
    ['returned without end', [statement('select generate_series(1, 1000000000)')], 1],
    [
      'added up',
      [
        statement('update accounts set balance = 0 where id <= 5'),
        statement('update accounts set balance = 0 where id > 5'),
      ],
      2,
    ],
    [
      'changed in passing',
      [statement('with gone as (delete from accounts returning 1) select count(*) from gone')],
      1,
    ],
    ['changed in a block', [statement('do $$ begin update accounts set balance = 0; end $$')], 1],
  ] as const)('counts rows that are %s', async (_, statements, n) => {
    const { result } = await run({ statements: [...statements], maxRows: 9 });
    expect(result).toEqual({ ok: false, error: tooMany(n) });
    expect(await total()).toBe('1000');
  });

  it('ends no statement after the one that went beyond it', async () => {
    const connection = await SqlConnection.open(database.url, { name: 'limited', timeoutMs: 10_000 });
    try {
      await connection.run('select generate_series(1, 10)', [], 9).catch(() => undefined);
      expect(await connection.run('select 1 from pg_sleep(0.3)')).toMatchObject({ rows: 1 });
    } finally {
      connection.close();
    }
  });

  it('lets through what is just within it', async () => {
    const { result } = await run({ statements: [statement('update accounts set balance = 1')], maxRows: 10 });
    expect(result).toEqual({ ok: true });
    expect(await total()).toBe('10');
  });

  it('may be narrowed for the last statement', async () => {
    const statements = [statement('update accounts set balance = 0 where id > $1', '7')];
    expect((await run({ statements, expectRows: { least: 4 } })).result).toEqual({
      ok: false,
      error: 'expected at least 4 rows of the last statement, got 3; everything was rolled back',
    });
    expect((await run({ statements, expectRows: { least: 1, most: 1 } })).result).toMatchObject({
      error: expect.stringMatching(/^expected 1 rows/),
    });
    expect(await total()).toBe('1000');
    expect((await run({ statements, expectRows: { least: 3, most: 3 } })).result).toEqual({ ok: true });
  });
});

describe('an sql step that is to end', () => {
  it('has its statement ended at the server when it is cancelled, and what came before rolled back', async () => {
    const controller = new AbortController();
    const running = run(
      { statements: [statement('update accounts set balance = 0'), statement('select pg_sleep(300)')] },
      { signal: controller.signal },
    );
    await isUnderWay();
    controller.abort();
    expect((await running).result).toEqual({
      ok: false,
      error: 'cancelled; its statement was ended and everything rolled back',
    });
    expect(await underWay()).toBe('0');
    expect(await total()).toBe('1000');
  });

  it('is ended at its time-out, also while it waits for a lock', async () => {
    const holder = await database.owner.connect();
    try {
      await holder.query('begin');
      await holder.query('lock table accounts');
      const { result } = await run(
        { statements: [statement('update accounts set balance = 0')] },
        { timeoutMs: 2000 },
      );
      expect(result).toEqual({
        ok: false,
        error: 'timed out after 2 s; its statement was ended and everything rolled back',
      });
      expect(await underWay()).toBe('0');
    } finally {
      await holder.query('rollback');
      holder.release();
    }
  });
});

/** Stands between the worker and the server, and can be cut at a word that goes by. */
async function startCable() {
  const server = new URL(database.url);
  const sockets = new Set<Socket>();
  let cutAt = '';
  let cutAfter = false;
  let open = true;
  const listener = createServer((near) => {
    const far = connect(Number(server.port), server.hostname);
    sockets.add(near).add(far);
    for (const socket of [near, far]) socket.on('error', () => {});
    const cut = () => {
      open = false;
      near.destroy();
      far.destroySoon();
    };
    if (!open) return cut();
    near.on('data', (data) => {
      if (cutAt !== '' && data.includes(cutAt)) {
        if (!cutAfter) return cut();
        far.write(data);
        // the server has to have answered before the connection goes, but nobody hears it
        far.removeAllListeners('data');
        return far.once('data', cut);
      }
      return far.write(data);
    });
    far.on('data', (data) => near.write(data));
    near.on('close', () => far.destroySoon());
    far.on('close', () => near.destroySoon());
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const url = new URL(database.url);
  url.hostname = '127.0.0.1';
  url.port = String((listener.address() as AddressInfo).port);
  return {
    url: url.href,
    cutAt: (word: string, options: { after: boolean }) => {
      cutAt = word;
      cutAfter = options.after;
    },
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    mend: () => {
      cutAt = '';
      open = true;
    },
    isOpen: () => open,
    close: () => {
      for (const socket of sockets) socket.destroy();
      listener.close();
    },
  };
}

describe('an sql step whose connection breaks', () => {
  it('has ended when the step counts as failed', async () => {
    const cable = await startCable();
    const running = run(
      { statements: [statement('update accounts set balance = 0'), statement('select pg_sleep(300)')] },
      { url: cable.url, timeoutMs: 60_000 },
    );
    await isUnderWay();
    cable.cut();
    expect((await running).result).toMatchObject({
      ok: false,
      error: expect.stringMatching(/^statement 2: /),
    });
    expect(await underWay()).toBe('0');
    expect(await total()).toBe('1000');
    cable.close();
  });

  it('and stays away is ended by the server, without waiting for the statement', async () => {
    const cable = await startCable();
    const running = run(
      { statements: [statement('update accounts set balance = 0'), statement('select pg_sleep(300)')] },
      { url: cable.url, timeoutMs: 60_000 },
    );
    await isUnderWay();
    cable.cut();
    cable.close();
    expect((await running).result.ok).toBe(false);
    expect(await underWay()).toBe('0');
    expect(await total()).toBe('1000');
  });

  it.each([
    ['committed', true],
    ['nothing was committed', false],
  ])('in the middle of the commit finds out that it was: %s', async (words, after) => {
    const cable = await startCable();
    cable.cutAt('commit', { after });
    const running = run({ statements: [statement('update accounts set balance = 0')] }, { url: cable.url });
    await expect.poll(() => cable.isOpen()).toBe(false);
    cable.mend();
    const { result, text } = await running;
    expect(`${text} ${result.ok ? '' : result.error}`).toContain(words);
    expect(result.ok).toBe(after);
    expect(await total()).toBe(after ? '0' : '1000');
    cable.close();
  });

  it('in the middle of the commit, and cannot be made again, says that the outcome is unknown', async () => {
    const cable = await startCable();
    cable.cutAt('commit', { after: true });
    const { result } = await run(
      { statements: [statement('update accounts set balance = 0')] },
      { url: cable.url, commitMs: 2000 },
    );
    expect(result).toMatchObject({
      ok: false,
      error: expect.stringMatching(
        /whether it was committed is unknown: ask the database by select txid_status\(\d+\)/,
      ),
    });
    cable.close();
  });

  it('or cannot be made is not begun, and says why without the password', async () => {
    const cable = await startCable();
    cable.close();
    const { result } = await run({ statements: [statement('select 1')] }, { url: cable.url });
    expect(result).toMatchObject({
      error: expect.stringMatching(/^the database of env:DB cannot be reached: .*ECONNREFUSED/),
    });
    const wrong = await run({ statements: [statement('select 1')] }, { url: 'mysql://ana:hunter2@db/app' });
    expect(wrong.result).toMatchObject({ error: expect.stringMatching(/env:DB is no PostgreSQL URL/) });
    expect(JSON.stringify(wrong)).not.toContain('hunter2');
  });
});

describe('the check of an sql step', () => {
  const check = async (change: Partial<RenderedSql>, options: Options = {}) =>
    await createSqlAdapter().check(stepOf(change), contextOf(options));

  it('connects and has each statement planned, without running it', async () => {
    const findings = await check({
      statements: [
        statement('update accounts set balance = $1 where id = $2', '0', '1'),
        statement('select name from accounts where id = $1', '1'),
        statement('vacuum accounts'),
      ],
    });
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
    expect(findings.map(({ what }) => what)).toEqual([
      'connection env:DB',
      'statement 1',
      'statement 2',
      'statement 3',
    ]);
    expect(findings[1]?.detail).toMatch(/^is understood and permitted; .* to change about \d+ rows/);
    expect(findings[3]?.detail).toBe('cannot be tried without running it');
    expect(await total()).toBe('1000');
  });

  it('finds what is wrong: names, values, permissions, read-only', async () => {
    expect(await check({ statements: [statement('select * from acounts')] })).toMatchObject([
      { ok: true },
      { ok: false, what: 'statement 1', detail: 'relation "acounts" does not exist' },
    ]);
    expect(
      await check({ statements: [statement('select * from accounts where id = $1', 'x')] }),
    ).toMatchObject([{ ok: true }, { ok: false, detail: 'invalid input syntax for type integer: "x"' }]);
    expect(await check({ statements: [statement('delete from accounts')], readOnly: true })).toMatchObject([
      { ok: true },
      { ok: false, detail: expect.stringContaining('changes rows') },
    ]);
    await database.owner.query(`create role reader login password 'r'; grant select on accounts to reader`);
    const url = new URL(database.url);
    url.username = 'reader';
    url.password = 'r';
    const findings = await check(
      { statements: [statement('select * from accounts'), statement('delete from accounts')] },
      { url: url.href },
    );
    await database.owner.query('drop owned by reader; drop role reader');
    expect(findings).toMatchObject([
      { ok: true },
      { ok: true },
      { ok: false, detail: expect.stringContaining('permission denied') },
    ]);
  });

  it('runs nothing of a statement that would have EXPLAIN run it', async () => {
    for (const text of [
      'analyze delete from accounts',
      'select 1; delete from accounts',
      '(analyze) delete from accounts',
    ]) {
      await check({ statements: [statement(text)] });
    }
    expect(await total()).toBe('1000');
  });
});
