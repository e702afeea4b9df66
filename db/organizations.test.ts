import { afterAll, beforeAll, expect, test } from 'vitest';
import { slaPolicy } from '../domain/policies.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { findApiToken, findIngestKey } from './identity.ts';
import { ensureOrganization, listOrganizations } from './organizations.ts';
import { getEscalationPolicy } from './policies.ts';
import { putSlaPolicy } from './sla-policies.ts';

let fixture: TestDatabase;
beforeAll(async () => {
  fixture = await createTestDatabase({ poolSize: 24 });
});
afterAll(() => fixture.close());

const ownerEmail = 'Owner@Example.com';

test('the first start makes owner, token, ingest key, signing key and policies; the second finds them', async () => {
  const first = await ensureOrganization(fixture.db, { slug: 'one', ownerEmail });
  expect(first.created).toBe(true);
  expect(await findApiToken(fixture.db, first.ownerToken!)).toMatchObject({ orgId: first.orgId });
  expect(await findIngestKey(fixture.db, first.ingestKey!)).toMatchObject({
    integrationId: first.integrationId,
  });
  const { rows } = await fixture.owner.query(
    `select (select count(*) from signing_keys where org_id = $1) as keys,
       (select count(*) from sla_policies where org_id = $1) as slas,
       (select role from memberships where org_id = $1) as role,
       (select email from users where org_id = $1) as email`,
    [first.orgId],
  );
  expect(rows).toEqual([{ keys: 1, slas: 3, role: 'owner', email: 'owner@example.com' }]);
  const second = await ensureOrganization(fixture.db, { slug: 'one', ownerEmail });
  expect(second).toEqual({
    orgId: first.orgId,
    ownerUserId: first.ownerUserId,
    integrationId: first.integrationId,
    created: false,
  });
});

test('what people changed stays as they left it', async () => {
  const { orgId } = await ensureOrganization(fixture.db, { slug: 'kept', ownerEmail });
  const definition = slaPolicy.parse({ order: 5, acknowledgeWithin: '1m', resolveWithin: '2m' });
  await fixture.db.write({ orgId }, (tx) =>
    putSlaPolicy(tx, { orgId, name: 'critical', definition, actor: 'x' }),
  );
  await ensureOrganization(fixture.db, { slug: 'kept', ownerEmail: 'new@example.com' });
  const { rows } = await fixture.owner.query(
    `select definition from sla_policies where org_id = $1 and name = 'critical'`,
    [orgId],
  );
  expect(rows[0].definition).toEqual(definition);
  const policy = await fixture.db.read({ orgId }, (tx) => getEscalationPolicy(tx, 'default'));
  expect(policy?.definition.levels[0]?.targets).toEqual([{ type: 'email', address: ownerEmail }]);
});

test('a token and a key that the configuration fixes are made to hold, the key in place of the old one', async () => {
  const start = { slug: 'fixed', ownerEmail };
  const made = await ensureOrganization(fixture.db, start);
  const again = await ensureOrganization(fixture.db, {
    ...start,
    ownerToken: 'fixed-token',
    ingestKey: 'fixed-key',
  });
  expect(again).toMatchObject({ ownerToken: 'fixed-token', ingestKey: 'fixed-key' });
  expect(await findApiToken(fixture.db, 'fixed-token')).toMatchObject({ orgId: made.orgId });
  expect(await findIngestKey(fixture.db, 'fixed-key')).toMatchObject({ orgId: made.orgId });
  expect(await findIngestKey(fixture.db, made.ingestKey!)).toBeUndefined();
  await fixture.owner.query(`update api_tokens set revoked_at = now() where org_id = $1`, [made.orgId]);
  await expect(ensureOrganization(fixture.db, { ...start, ownerToken: 'fixed-token' })).rejects.toThrow(
    /HOLDFAST_OWNER_TOKEN.*revoked/,
  );
});

test('the Alertmanager that is configured is the one that is asked; without one the last stays', async () => {
  const start = { slug: 'asked', ownerEmail };
  const url = async () =>
    (await fixture.owner.query(`select alertmanager_url from integrations where id = $1`, [integrationId]))
      .rows[0].alertmanager_url;
  const { integrationId } = await ensureOrganization(fixture.db, start);
  expect(await url()).toBeNull();
  await ensureOrganization(fixture.db, { ...start, alertmanagerUrl: 'http://alertmanager.example:9093' });
  expect(await url()).toBe('http://alertmanager.example:9093');
  await ensureOrganization(fixture.db, start);
  expect(await url()).toBe('http://alertmanager.example:9093');
});

test('processes that start at once make one organization between them', async () => {
  const results = await Promise.all(
    Array.from({ length: 20 }, () => ensureOrganization(fixture.db, { slug: 'raced', ownerEmail })),
  );
  expect(results.filter((result) => result.created)).toHaveLength(1);
  expect(results.filter((result) => result.ingestKey)).toHaveLength(1);
  expect(new Set(results.map((result) => result.orgId)).size).toBe(1);
  expect((await listOrganizations(fixture.db)).filter(({ slug }) => slug === 'raced')).toHaveLength(1);
});
