import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestCli, type Ran, type TestCli } from '../test/harness/cli.ts';

let cli: TestCli;
let api: TestCli['api'];
const holdfast = (...args: Parameters<TestCli['holdfast']>): Promise<Ran> => cli.holdfast(...args);

beforeAll(async () => {
  cli = await createTestCli();
  api = cli.api;
});
afterAll(() => cli?.close());
beforeEach(() => {
  api.messages.sent.length = 0;
});

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
    const nested = join(cli.folder, 'nested');
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
    await writeFile(join(cli.folder, 'new.yaml'), cli.source.replace('name: restart', 'name: new'));
    const { code, out } = await holdfast(['runbook', 'diff', 'new.yaml']);
    await rm(join(cli.folder, 'new.yaml'));
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
    expect((await holdfast(['runbook', 'show', 'restart', '--source'])).out).toBe(cli.source);
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
    await writeFile(join(cli.folder, 'values.json'), '{"service": "checkout", "token": "from-file"}');
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
