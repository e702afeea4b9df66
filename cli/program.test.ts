import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { saveRunbook } from '../db/runbooks.ts';
import { parseRunbook } from '../domain/runbook/parse.ts';
import { createTestApi, type TestApi } from '../test/harness/api.ts';
import { ClosedError } from '../workflows/messages-client.ts';
import { runCli } from './program.ts';

let api: TestApi;
let folder: string;

const source = `name: restart
description: Restart a service
inputs:
  service: {}
  token: { secret: true, required: false }
execution:
  mode: semi_auto
steps:
  - name: Restart
    command: [systemctl, restart, "{{service}}"]
    rollback: [systemctl, start, "{{service}}"]
`;

beforeAll(async () => {
  api = await createTestApi();
  folder = await mkdtemp(join(tmpdir(), 'holdfast-cli-'));
  const parsed = parseRunbook(source, 'restart.yaml');
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const { definition } = parsed;
  await api.write((tx) => saveRunbook(tx, { orgId: api.orgId, file: 'restart.yaml', source, definition }));
  await writeFile(join(folder, 'restart.yaml'), source);
  await writeFile(join(folder, 'changed.yaml'), source.replace('[systemctl, start,', '[systemctl, reload,'));
  await writeFile(join(folder, 'broken.yaml'), source.replace('command:', 'comand:'));
});
afterAll(async () => {
  await api?.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  api.messages.sent.length = 0;
});

interface Ran {
  code: number;
  out: string;
  err: string;
}

async function holdfast(
  args: string[],
  over: {
    url?: string;
    token?: string | null;
    input?: string;
    colour?: boolean;
    pause?: () => Promise<void>;
  } = {},
): Promise<Ran> {
  let out = '';
  let err = '';
  const token = over.token === undefined ? api.tokens.operator : over.token;
  const code = await runCli(args, {
    config: { url: over.url ?? api.url, ...(token === null ? {} : { token }) },
    terminal: {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
      colour: over.colour ?? false,
    },
    fetch,
    pathOf: (file) => resolve(folder, file),
    readInput: async () => over.input ?? '',
    pause: over.pause ?? (async () => {}),
    now: Date.now,
  });
  return { code, out, err };
}

const run = async (): Promise<string> => {
  const { out } = await holdfast(['runbook', 'run', 'restart', '--input', 'service=checkout', '--json']);
  api.messages.sent.length = 0;
  return JSON.parse(out).id;
};
const end = (id: string, status: string) =>
  api.fixture.owner.query(
    `update executions set status = $2, finished_at = now(), status_reason = 'so it is' where id = $1`,
    [id, status],
  );

describe('runbook validate', () => {
  test('says nothing but how many files are in order', async () => {
    expect(await holdfast(['runbook', 'validate', 'restart.yaml'], { token: null })).toEqual({
      code: 0,
      out: '1 file, no problem\n',
      err: '',
    });
  });

  test('names file, line and column of each problem, also in a folder, and exits with 1', async () => {
    const one = await holdfast(['runbook', 'validate', 'broken.yaml']);
    expect(one.code).toBe(1);
    expect(one.out).toMatch(/^broken\.yaml:9:5: .*did you mean 'command'/m);
    const all = await holdfast(['runbook', 'validate', '.']);
    expect(all.code).toBe(1);
    expect(all.out).toMatch(/the name 'restart' is taken by changed\.yaml/);
    const json = await holdfast(['runbook', 'validate', 'broken.yaml', '--json']);
    expect([json.code, JSON.parse(json.out)]).toMatchObject([
      1,
      { files: 1, problems: [{ file: 'broken.yaml', line: 9 }] },
    ]);
  });

  test('a runbook that a folder lacks is missed there, and not of a file alone', async () => {
    const nested = join(folder, 'nested');
    await mkdir(nested);
    await writeFile(
      join(nested, 'outer.yaml'),
      'name: outer\ndescription: Outer\nsteps:\n  - name: Inner\n    type: runbook\n    runbook: inner\n',
    );
    const whole = await holdfast(['runbook', 'validate', 'nested']);
    expect([whole.code, whole.out]).toEqual([
      1,
      expect.stringMatching(/^nested\/outer\.yaml:6:\d+: .*inner/),
    ]);
    expect((await holdfast(['runbook', 'validate', 'nested/outer.yaml'])).code).toBe(0);
    await rm(nested, { recursive: true });
  });

  test('a file that is not there is wrong usage', async () => {
    const { code, err } = await holdfast(['runbook', 'validate', 'nothing.yaml']);
    expect([code, err]).toEqual([2, expect.stringContaining('nothing.yaml cannot be read')]);
  });
});

describe('runbook diff', () => {
  test('0 when the file is what is in force', async () => {
    const { code, out } = await holdfast(['runbook', 'diff', 'restart.yaml']);
    expect([code, out]).toEqual([0, 'restart: as version 1, which is in force\n']);
  });

  test('1 and a unified diff when it is not', async () => {
    const { code, out } = await holdfast(['runbook', 'diff', 'changed.yaml']);
    expect(code).toBe(1);
    expect(out).toContain('--- restart (version 1, in force)\n+++ changed.yaml\n@@');
    expect(out).toMatch(/^-.*start/m);
    expect(out).toMatch(/^\+.*reload/m);
    const json = await holdfast(['runbook', 'diff', 'changed.yaml', '--json']);
    expect(JSON.parse(json.out)).toMatchObject({ runbook: 'restart', version: 1, differs: true });
  });

  test('a runbook that Holdfast does not know differs as a whole; a broken one has problems', async () => {
    await writeFile(join(folder, 'new.yaml'), source.replace('name: restart', 'name: new'));
    const { code, out } = await holdfast(['runbook', 'diff', 'new.yaml']);
    await rm(join(folder, 'new.yaml'));
    expect([code, out]).toEqual([1, expect.stringMatching(/^--- \/dev\/null/)]);
    expect((await holdfast(['runbook', 'diff', 'broken.yaml'])).code).toBe(1);
  });
});

describe('runbook list and show', () => {
  test('show them, with the API’s answer as it is on --json', async () => {
    const list = await holdfast(['runbook', 'list']);
    expect(list.out).toMatch(/^NAME +MODE +VERSION +LAST RUN +DESCRIPTION\nrestart +semi auto +1 /);
    const show = await holdfast(['runbook', 'show', 'restart']);
    expect(show.out).toMatch(/token +no +\(secret\)/);
    expect((await holdfast(['runbook', 'show', 'restart', '--source'])).out).toBe(source);
    const json = await holdfast(['runbook', 'list', '--json']);
    const answer = await api.ask('GET', '/api/v1/runbooks', { token: api.tokens.operator });
    expect(JSON.parse(json.out)).toEqual(answer.body);
  });

  test('one that is not there is told with the reason', async () => {
    const { code, err } = await holdfast(['runbook', 'show', 'nothing']);
    expect([code, err]).toEqual([1, expect.stringContaining("there is no runbook 'nothing'")]);
  });
});

describe('runbook dry-run', () => {
  test('prints what the API reports, and exits by whether it is ready', async () => {
    const args = ['runbook', 'dry-run', 'restart', '-i', 'service=checkout'];
    const { code, out } = await holdfast(args);
    expect(code).toBe(0);
    expect(out).toContain('systemctl restart checkout');
    expect(out).toMatch(/ok +connection: takes connections/);
    expect(out).toMatch(/ready: .*asks for approval/);
    const json = await holdfast([...args, '--json']);
    const answer = await api.ask('POST', '/api/v1/runbooks/restart/dry-run', {
      token: api.tokens.operator,
      body: { inputs: { service: 'checkout' } },
    });
    expect(JSON.parse(json.out)).toEqual(answer.body);
  });

  test('names each input that cannot be used', async () => {
    const { code, err } = await holdfast(['runbook', 'dry-run', 'restart', '-i', 'service=-rf']);
    expect([code, err]).toEqual([1, expect.stringMatching(/inputs\.service: .*-rf/)]);
  });
});

describe('runbook run', () => {
  test('takes values from options, a file and standard input', async () => {
    await writeFile(join(folder, 'values.json'), '{"service": "checkout", "token": "from-file"}');
    const ran = await holdfast([
      'runbook',
      'run',
      'restart',
      '--inputs',
      'values.json',
      '-i',
      'service=cart',
    ]);
    expect(ran.code).toBe(0);
    const id = /^execution (\S+) of restart on cart$/m.exec(ran.out)?.[1];
    expect(api.messages.sent).toEqual([{ method: 'startExecution', args: [api.orgId, id] }]);
    const piped = await holdfast(['runbook', 'run', 'restart', '--inputs', '-'], {
      input: '{"service": "piped"}',
    });
    expect(piped.out).toMatch(/ on piped$/m);
  });

  test('what cannot be meant is wrong usage, and nothing is asked', async () => {
    for (const args of [
      ['--input', 'service'],
      ['--inputs', 'nothing.json'],
      ['--incident', 'x'],
      ['--bogus'],
    ]) {
      expect((await holdfast(['runbook', 'run', 'restart', ...args])).code, args.join(' ')).toBe(2);
    }
    expect(api.messages.sent).toEqual([]);
  });

  test('--wait follows it to its end and exits by how it went', async () => {
    for (const [status, code] of [
      ['succeeded', 0],
      ['rolled_back', 1],
      ['cancelled', 1],
    ] as const) {
      const ran = await holdfast(['runbook', 'run', 'restart', '-i', 'service=checkout', '--wait'], {
        pause: async () => {
          await api.fixture.owner.query(
            `update execution_steps set status = 'succeeded', attempts = 1, output = 'stopped'
             where execution_id in (select id from executions where finished_at is null)`,
          );
          await api.fixture.owner.query(
            `update executions set status = $1, finished_at = now() where finished_at is null`,
            [status],
          );
        },
      });
      expect(ran.code).toBe(code);
      expect(ran.out).toMatch(/> 1\. Restart\nstopped\n {2}succeeded 1\. Restart\n/);
      expect(ran.out).toMatch(new RegExp(`\\n${status.replace('_', ' ')}\\n$`));
    }
  });
});

describe('approvals', () => {
  async function pending(executionId: string, id = randomUUID()): Promise<string> {
    await api.fixture.owner.query(
      `insert into approvals (org_id, id, execution_id, runbook, requested_by, requested_at, expires_at, status, workflow_id)
       values ($1, $2, $3, 'restart', 'operator@example.com', now(), now() + interval '1 hour', 'pending', 'w')`,
      [api.orgId, id, executionId],
    );
    return id;
  }

  test.for(['approve', 'reject'] as const)(
    '%s takes the id of the approval or of the execution',
    async (verb) => {
      const execution = await run();
      const id = await pending(execution);
      for (const given of [id, execution]) {
        const { code } = await holdfast([verb, given, '--reason', 'seen it']);
        expect(code).toBe(0);
      }
      expect(api.messages.sent).toMatchObject([
        { method: verb, args: [api.orgId, execution, { approvalId: id, reason: 'seen it' }] },
        { method: verb, args: [api.orgId, execution, { approvalId: id, reason: 'seen it' }] },
      ]);
    },
  );

  test('what waits for nothing, and a late vote, are refused with the reason', async () => {
    const execution = await run();
    const { code, err } = await holdfast(['approve', execution]);
    expect([code, err]).toEqual([1, expect.stringContaining('waits for no approval: it is waiting')]);
    const id = await pending(execution);
    await api.fixture.owner.query(
      `update approvals set status = 'expired', decided_at = now() where id = $1`,
      [id],
    );
    api.messages.next(new ClosedError('it has ended'));
    const late = await holdfast(['approve', id, '--json']);
    expect([late.code, late.err]).toEqual([1, expect.stringContaining('expired already')]);
    expect(JSON.parse(late.out)).toMatchObject({ status: 409 });
  });

  test('a rejection needs a reason, an id has a form, and a Viewer does not vote', async () => {
    const id = await pending(await run());
    expect((await holdfast(['reject', id])).code).toBe(2);
    expect((await holdfast(['approve', 'restart'])).code).toBe(2);
    const viewer = await holdfast(['approve', id], { token: api.tokens.viewer });
    expect([viewer.code, viewer.err]).toEqual([3, expect.stringContaining('operator')]);
  });
});

describe('execution', () => {
  test('list and show tell of it', async () => {
    const id = await run();
    const list = await holdfast(['execution', 'list', '--runbook', 'restart', '--status', 'waiting']);
    expect(list.out).toContain(id);
    expect((await holdfast(['execution', 'list', '--limit', '0'])).code).toBe(2);
    const show = await holdfast(['execution', 'show', id]);
    expect([show.code, show.out]).toEqual([0, expect.stringContaining('1. Restart - pending')]);
    const missing = await holdfast(['execution', 'show', randomUUID()]);
    expect(missing.code).toBe(1);
  });

  test('show --follow exits by how it ends', async () => {
    const id = await run();
    const shown = holdfast(['execution', 'show', id, '--follow', '--json'], {
      pause: async () => {
        await end(id, 'failed');
      },
    });
    const { code, out } = await shown;
    expect([code, JSON.parse(out)]).toMatchObject([1, { id, status: 'failed' }]);
  });

  test('cancel is sent with its reason', async () => {
    const id = await run();
    expect((await holdfast(['execution', 'cancel', id, '--reason', 'wrong host'])).code).toBe(0);
    expect(api.messages.sent).toMatchObject([
      { method: 'cancel', args: [api.orgId, id, { reason: 'wrong host' }] },
    ]);
  });

  test('retry begins a new execution, and refuses one that has not failed', async () => {
    const id = await run();
    expect((await holdfast(['execution', 'retry', id])).code).toBe(1);
    await api.fixture.owner.query(`update execution_steps set status = 'failed' where execution_id = $1`, [
      id,
    ]);
    await end(id, 'failed');
    const { code, out } = await holdfast(['execution', 'retry', id, '--json']);
    expect([code, JSON.parse(out)]).toMatchObject([0, { retryOf: id }]);
  });

  test('undo decides on the step by its number', async () => {
    const id = await run();
    await api.fixture.owner.query(
      `update execution_steps set rollback_status = 'waiting', rollback_attempts = 3 where execution_id = $1`,
      [id],
    );
    expect((await holdfast(['execution', 'undo', id, '1', 'skip'])).code).toBe(2);
    expect((await holdfast(['execution', 'undo', id, '0', 'retry'])).code).toBe(2);
    expect((await holdfast(['execution', 'undo', id, '1', 'maybe', '--reason', 'x'])).code).toBe(2);
    expect((await holdfast(['execution', 'undo', id, '1', 'skip', '--reason', 'by hand'])).code).toBe(0);
    expect(api.messages.sent).toMatchObject([
      { method: 'decideUndo', args: [api.orgId, id, { index: 0, decision: 'skip', reason: 'by hand' }] },
    ]);
  });
});

test('automation is stopped with a reason, and resumed by whoever may', async () => {
  expect((await holdfast(['automation', 'stop'])).code).toBe(2);
  expect((await holdfast(['automation', 'stop', '--reason', 'bad night'])).code).toBe(0);
  const status = await holdfast(['automation', 'status']);
  expect([status.code, status.out]).toEqual([
    1,
    expect.stringMatching(/All automation is stopped .*bad night/),
  ]);
  expect((await holdfast(['automation', 'resume'])).code).toBe(3);
  expect((await holdfast(['automation', 'resume'], { token: api.tokens.admin })).code).toBe(0);
  expect((await holdfast(['automation', 'status'])).code).toBe(0);
  expect((await holdfast(['automation', 'resume'], { token: api.tokens.admin })).code).toBe(1);
});

describe('what stands in the way', () => {
  test('no token and a wrong one are 3, and the remedy is said', async () => {
    const none = await holdfast(['runbook', 'list'], { token: null });
    expect([none.code, none.err]).toEqual([3, expect.stringContaining('HOLDFAST_TOKEN')]);
    const wrong = await holdfast(['runbook', 'list'], { token: 'hft_wrong' });
    expect([wrong.code, wrong.err]).toEqual([3, expect.stringContaining('unknown or was revoked')]);
  });

  test('nobody there, somebody else there, and one who sends us elsewhere are 4', async () => {
    const away = await holdfast(['runbook', 'list'], { url: 'http://127.0.0.1:2' });
    expect([away.code, away.err]).toEqual([4, expect.stringContaining('does not answer')]);
    let seen = '';
    const other = createServer((request, response) => {
      seen = request.url ?? '';
      if (seen.startsWith('/moved')) response.writeHead(302, { location: 'http://127.0.0.1:1/\u009b' }).end();
      else response.end('<html>');
    });
    await new Promise<void>((listening) => other.listen(0, '127.0.0.1', listening));
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const html = await holdfast(['runbook', 'list'], { url });
    expect([html.code, html.err]).toEqual([4, expect.stringContaining('HOLDFAST_URL')]);
    const moved = await holdfast(['runbook', 'list'], { url: `${url}/moved` });
    expect([moved.code, moved.err]).toEqual([4, expect.stringContaining('leads on to')]);
    expect(seen).toBe('/moved/api/v1/runbooks');
    await new Promise((closed) => other.close(closed));
  });

  test('an unknown command is 2, help is 0', async () => {
    expect((await holdfast(['runbok'])).code).toBe(2);
    const help = await holdfast(['--help']);
    expect([help.code, help.out]).toEqual([0, expect.stringContaining('Exit codes')]);
  });
});

test('what comes from outside cannot act on the terminal, in colour or not, as text or as JSON', async () => {
  const evil = '\u001b]0;title\u0007\u001b[2J\u009b31m\u202e';
  const id = await run();
  await api.fixture.owner.query(
    `update execution_steps set output = $2, error = $2, status = 'failed', attempts = 1 where execution_id = $1`,
    [id, evil],
  );
  await api.fixture.owner.query(`update executions set target = $2 where id = $1`, [id, evil]);
  await end(id, 'failed');
  for (const args of [
    ['execution', 'show', id],
    ['execution', 'show', id, '--follow'],
    ['execution', 'show', id, '--json'],
    ['execution', 'list'],
  ]) {
    const plain = await holdfast(args);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be left
    expect(plain.out, args.join(' ')).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    const coloured = await holdfast(args, { colour: true });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours are our own
    const left = coloured.out.replaceAll(/\u001b\[\d+m/g, '');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be left
    expect(left, args.join(' ')).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  }
});
