import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestCli, type Ran, type TestCli } from '../test/harness/cli.ts';

let cli: TestCli;
let api: TestCli['api'];
const holdfast = (...args: Parameters<TestCli['holdfast']>): Promise<Ran> => cli.holdfast(...args);

beforeAll(async () => {
  cli = await createTestCli();
  api = cli.api;
});
afterAll(() => cli?.close());

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
  const id = await cli.run();
  await api.fixture.owner.query(
    `update execution_steps set output = $2, error = $2, status = 'failed', attempts = 1 where execution_id = $1`,
    [id, evil],
  );
  await api.fixture.owner.query(`update executions set target = $2 where id = $1`, [id, evil]);
  await cli.end(id, 'failed');
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
