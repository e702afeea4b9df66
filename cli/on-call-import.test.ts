import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestCli, type TestCli } from '../test/harness/cli.ts';

let cli: TestCli;
let owner: string;
beforeAll(async () => {
  cli = await createTestCli();
  owner = cli.api.tokens.owner;
  const exported = {
    users: [{ id: 'U1', email: 'ana@example.com', username: 'ana' }],
    schedules: [{ id: 'S1', name: 'Ops', type: 'calendar', time_zone: 'UTC', shifts: ['O1'] }],
    on_call_shifts: [
      {
        id: 'O1',
        name: 'Daily',
        type: 'rolling_users',
        start: '2026-01-01T09:00:00',
        duration: 86_400,
        frequency: 'daily',
        rolling_users: [['U1']],
      },
    ],
    escalation_chains: [{ id: 'F1', name: 'Empty' }],
    escalation_policies: [],
  };
  await writeFile(join(cli.folder, 'export.json'), JSON.stringify(exported));
});
afterAll(() => cli?.close());

const command = ['on-call', 'import', 'export.json', '--from', 'grafana-oncall'];
const schedules = async () =>
  (await cli.api.ask('GET', '/api/v1/on-call-schedules', { token: owner })).body.items.length;

test('shows what would be, and changes nothing', async () => {
  const { code, out } = await cli.holdfast(command, { token: owner });
  expect(code).toBe(0);
  expect(out).toMatch(/^create +person +ana@example\.com$/m);
  expect(out).toMatch(/^create +schedule +ops$/m);
  expect(out).toMatch(/^escalation chain 'Empty': it would tell nobody: it is left out$/m);
  expect(out).toMatch(/Nothing was changed: --apply does/);
  expect(await schedules()).toBe(0);
});

test('does it with --apply, people only when asked to', async () => {
  const refused = await cli.holdfast([...command, '--apply'], { token: owner });
  expect([refused.code, refused.err]).toEqual([
    1,
    expect.stringContaining('ana@example.com is no user here'),
  ]);
  const { code, out } = await cli.holdfast([...command, '--apply', '--create-people'], { token: owner });
  expect([code, out]).toEqual([0, expect.stringMatching(/Done\.\n$/)]);
  expect(await schedules()).toBe(1);
  const again = await cli.holdfast([...command, '--json'], { token: owner });
  expect(JSON.parse(again.out).schedules).toMatchObject([{ name: 'ops', change: 'same' }]);
});

test('needs an Admin, a tool that it knows, and JSON', async () => {
  expect((await cli.holdfast(command)).code).toBe(3);
  expect((await cli.holdfast(['on-call', 'import', 'export.json', '--from', 'pagers'])).code).toBe(2);
  expect((await cli.holdfast(['on-call', 'import', 'restart.yaml', '--from', 'opsgenie'])).code).toBe(2);
});
