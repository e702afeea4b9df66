import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestCli, type TestCli } from '../test/harness/cli.ts';

let cli: TestCli;
beforeAll(async () => {
  cli = await createTestCli();
  const policy = `
name: payments
levels:
  - { after: 0s, targets: [{ type: email, address: first@example.com }] }
  - { after: 15m, targets: [{ type: email, address: second@example.com }] }
match: { service: payment-* }
`;
  await writeFile(join(cli.folder, 'policy.yaml'), policy);
  await writeFile(join(cli.folder, 'text.yaml'), 'just text');
});
afterAll(() => cli?.close());

const when = ['--at', '2026-03-29 02:30 Europe/Berlin', '--service', 'payment-api'];

test('tries a policy of a file on a situation, and prints who would be told what and when', async () => {
  const ran = await cli.holdfast([
    'rehearse',
    'policy',
    'policy.yaml',
    ...when,
    '--answer',
    'second@example.com acknowledge 20m',
    '--fails',
    'first@example.com',
  ]);
  expect(ran).toMatchObject({ code: 0, err: '' });
  expect(ran.out).toContain('second@example.com is paged first');
  expect(ran.out).toContain('policy payments, ');
  expect(ran.out).toMatch(
    /^Sun 29 Mar 03:30:00 +failed +first@example\.com, mail +Page +level 1 of payments/m,
  );
  expect(ran.out).toMatch(/Acknowledged after 20 min/);
});

test("prints the API's answer, and says by its exit code that nobody is reached", async () => {
  const all = ['--fails', 'first@example.com', '--fails', 'second@example.com', '--json'];
  const ran = await cli.holdfast(['rehearse', 'policy', 'policy.yaml', ...when, ...all]);
  expect(ran.code).toBe(1);
  expect(JSON.parse(ran.out)).toMatchObject({ kind: 'situation', policy: 'payments' });
});

test('tries a past week, and what stands', async () => {
  const week = await cli.holdfast(['rehearse', 'policy', 'policy.yaml', '--week', '2026-03-23']);
  expect(week).toMatchObject({ code: 0, out: expect.stringContaining('as edited') });
  const standing = await cli.holdfast(['rehearse', 'standing', ...when]);
  expect(standing.out).toContain('policy default');
});

test.each([
  [['policy', 'policy.yaml'], 'say either --at'],
  [['policy', 'text.yaml', ...when], 'write a JSON or YAML object'],
  [['policy', 'nothing.yaml', ...when], 'nothing.yaml'],
  [['standing', ...when, '--answer', 'ana'], 'write who, what and when'],
  [['standing', ...when, '--label', 'x'], 'write name=value'],
])('says what is wrong with what was typed: %j', async (args, message) => {
  const ran = await cli.holdfast(['rehearse', ...args]);
  expect(ran).toMatchObject({ code: 2, err: expect.stringContaining(message) });
});

test("shows Holdfast's own refusal with the field", async () => {
  const ran = await cli.holdfast(['rehearse', 'standing', '--at', 'soon']);
  expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('situation.at: write a moment') });
});
