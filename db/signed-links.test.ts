import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import {
  type LinkGrant,
  longestLinkMs,
  rotateSigningKey,
  signLink,
  useLink,
  verifyLink,
} from './signed-links.ts';

let test_: TestDatabase;
beforeAll(async () => {
  test_ = await createTestDatabase();
});
afterAll(() => test_.close());

const inAnHour = () => new Date(Date.now() + 3_600_000);
const sign = (link: Partial<Parameters<typeof signLink>[1]> = {}) =>
  test_.db.write({ orgId: test_.orgId }, (tx) =>
    signLink(tx, {
      orgId: test_.orgId,
      action: 'acknowledge',
      subject: { incidentNumber: 42 },
      person: 'ana@example.com',
      expiresAt: inAnHour(),
      ...link,
    }),
  );
const use = (grant: LinkGrant) => test_.db.write({ orgId: grant.orgId }, (tx) => useLink(tx, grant));
async function granted(token: string): Promise<LinkGrant> {
  const grant = await verifyLink(test_.db, token);
  if ('problem' in grant) throw new Error(grant.problem);
  return grant;
}

test('a link says who may do what to which thing, before anything else is known', async () => {
  const approvalId = '7f6e0a52-0c57-4c0e-9d5c-3f4b1a2c5d6e';
  expect(await granted(await sign({ action: 'approve', subject: { approvalId } }))).toEqual({
    orgId: test_.orgId,
    action: 'approve',
    subject: { approvalId },
    person: 'ana@example.com',
    nonce: expect.stringMatching(/^[\w-]{16}$/),
  });
});

test('looking at a link does not spend it; using it does, once, also when two clicks race', async () => {
  const token = await sign();
  const grant = await granted(token);
  await granted(token);
  expect((await Promise.all([use(grant), use(grant), use(grant)])).filter(Boolean)).toHaveLength(1);
  expect(await verifyLink(test_.db, token)).toEqual({ problem: 'used' });
});

test('a link whose action throws in the same transaction stays good', async () => {
  const token = await sign();
  const grant = await granted(token);
  const acting = test_.db.write({ orgId: grant.orgId }, async (tx) => {
    await useLink(tx, grant);
    throw new Error('Temporal is away');
  });
  await expect(acting).rejects.toThrow('Temporal is away');
  expect(await use(grant)).toBe(true);
});

test('two copies of a mail carry the same link, which works once in all', async () => {
  const [first, second] = [await sign({ nonce: 'page-1' }), await sign({ nonce: 'page-1' })];
  expect(await use(await granted(first))).toBe(true);
  expect(await verifyLink(test_.db, second)).toEqual({ problem: 'used' });
});

test('a link expires, after seven days at the latest', async () => {
  const soon = await sign();
  expect(await verifyLink(test_.db, soon, Date.now() + 3_601_000)).toEqual({ problem: 'expired' });
  const never = await sign({ expiresAt: new Date('2999-01-01') });
  expect(await verifyLink(test_.db, never, Date.now() + longestLinkMs - 60_000)).toHaveProperty('action');
  expect(await verifyLink(test_.db, never, Date.now() + longestLinkMs + 1000)).toEqual({
    problem: 'expired',
  });
});

test('a changed, cut, foreign or made-up token is invalid, whichever part was touched', async () => {
  const token = await sign();
  const [key, content, signature] = token.split('.') as [string, string, string];
  const claims = JSON.parse(Buffer.from(content, 'base64url').toString());
  const raised = Buffer.from(JSON.stringify({ ...claims, u: 'eve@example.com' })).toString('base64url');
  const otherKey = Buffer.from('0'.repeat(32), 'hex').toString('base64url');
  const flipped = (signature[0] === 'A' ? 'B' : 'A') + signature.slice(1);
  for (const forged of [
    `${key}.${raised}.${signature}`,
    `${key}.${content}.${flipped}`,
    `${key}.${content}.`,
    `${key}.${content}`,
    `${otherKey}.${content}.${signature}`,
    `${token}.x`,
    '',
    '..',
    'x'.repeat(5000),
    "'; drop table used_links; --",
  ]) {
    expect(await verifyLink(test_.db, forged), forged.slice(0, 60)).toEqual({ problem: 'invalid' });
  }
});

test("a key of one organization does not sign for another's", async () => {
  const { rows } = await test_.owner.query(
    `insert into organizations (slug, name) values ('other', 'Other') returning org_id`,
  );
  const otherOrg: string = rows[0].org_id;
  await sign();
  // the foreign organization's claims under this organization's key: what a leaked key could forge
  await expect(sign({ orgId: otherOrg })).rejects.toThrow(/row-level security/);
});

test('after a rotation the new key signs and links that are out still work; retired later, they end', async () => {
  const scope = { orgId: test_.orgId };
  const before = await sign();
  const rotated = await test_.db.write(scope, (tx) => rotateSigningKey(tx, scope));
  expect(rotated.retired).toBe(0);
  const after = await sign();
  expect(after.split('.')[0]).not.toBe(before.split('.')[0]);
  expect(await verifyLink(test_.db, before)).toHaveProperty('action');

  await test_.owner.query(`update signing_keys set created_at = created_at - interval '8 days'`);
  expect((await test_.db.write(scope, (tx) => rotateSigningKey(tx, scope))).retired).toBe(1);
  expect(await verifyLink(test_.db, before)).toEqual({ problem: 'invalid' });
  expect(await verifyLink(test_.db, after)).toHaveProperty('action');
});

test('a rotation because of a leak ends every link that is out', async () => {
  const scope = { orgId: test_.orgId };
  const before = await sign();
  await test_.db.write(scope, (tx) => rotateSigningKey(tx, { ...scope, compromised: true }));
  expect(await verifyLink(test_.db, before)).toEqual({ problem: 'invalid' });
  expect(await verifyLink(test_.db, await sign())).toHaveProperty('action');
});

test('a link to somebody who was disabled since does nothing', async () => {
  const token = await sign({ person: 'Gone@example.com' });
  await granted(token);
  await test_.owner.query(
    `insert into users (org_id, email, name, disabled_at) values ($1, 'gone@example.com', 'Gone', now())`,
    [test_.orgId],
  );
  expect(await verifyLink(test_.db, token)).toEqual({ problem: 'invalid' });
});
