import { afterAll, beforeAll, expect, test } from 'vitest';
import { signLink, verifyLink } from '../../db/signed-links.ts';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(() => api.close());

const sign = () =>
  api.write((tx) =>
    signLink(tx, {
      orgId: api.orgId,
      action: 'view',
      subject: { incidentNumber: 1 },
      person: 'ana@example.com',
      expiresAt: new Date(Date.now() + 3_600_000),
    }),
  );
const rotate = (body?: object, token = api.tokens.owner) =>
  api.ask('POST', '/api/v1/signing-keys/rotate', { token, ...(body ? { body } : {}) });

test('links of the key before stay good, unless it was compromised', async () => {
  const before = await sign();
  expect(await rotate()).toMatchObject({ status: 200, body: { retired: 0 } });
  expect(await verifyLink(api.fixture.db, before)).toMatchObject({ person: 'ana@example.com' });
  expect(await rotate({ compromised: true })).toMatchObject({ status: 200, body: { retired: 2 } });
  expect(await verifyLink(api.fixture.db, before)).toEqual({ problem: 'invalid' });
  expect(await verifyLink(api.fixture.db, await sign())).toMatchObject({ person: 'ana@example.com' });
});

test('it takes an owner, and stands in the audit log', async () => {
  expect((await rotate({}, api.tokens.admin)).status).toBe(403);
  await rotate();
  const audit = await api.ask('GET', '/api/v1/audit', { token: api.tokens.owner });
  expect(audit.body.items[0]).toMatchObject({
    action: 'signing_key.rotated',
    actor: 'owner@example.com',
    data: { compromised: false },
  });
});
