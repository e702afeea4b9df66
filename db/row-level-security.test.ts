import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';

let test_: TestDatabase;
let otherOrg: string;
beforeAll(async () => {
  test_ = await createTestDatabase();
  const { rows } = await test_.owner.query(
    `insert into organizations (slug, name) values ('other', 'Other') returning org_id`,
  );
  otherOrg = rows[0].org_id;
});
afterAll(() => test_.close());

test('every table has an organization and a policy that the application role cannot bypass', async () => {
  const { rows } = await test_.owner.query(`
    select c.relname, c.relrowsecurity,
      exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'org_id') as has_org
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind = 'r' and c.relname not like 'kysely_%'`);
  expect(rows.length).toBeGreaterThan(25);
  expect(rows.filter((row) => !row.relrowsecurity || !row.has_org)).toEqual([]);
  const role = await test_.owner.query(
    `select rolbypassrls, rolsuper from pg_roles where rolname = 'holdfast_app'`,
  );
  expect(role.rows).toEqual([{ rolbypassrls: false, rolsuper: false }]);
});

test('a scope sees and writes its own organization only, and without a scope nothing is seen', async () => {
  const seen = await test_.db.read({ orgId: test_.orgId }, (tx) =>
    tx.selectFrom('organizations').select('slug').execute(),
  );
  expect(seen).toEqual([{ slug: 'acme' }]);
  expect(await test_.db.unscoped((tx) => tx.selectFrom('organizations').select('slug').execute())).toEqual(
    [],
  );
  const foreign = test_.db.write({ orgId: test_.orgId }, (tx) =>
    tx.insertInto('settings').values({ org_id: otherOrg, key: 'x', value: '{}' }).execute(),
  );
  await expect(foreign).rejects.toThrow(/row-level security/);
});

test("a member sees own teams' rows and what is shared, never another team's", async () => {
  const scope = { orgId: test_.orgId };
  const [red, blue] = await test_.db.write(scope, (tx) =>
    tx
      .insertInto('teams')
      .values([
        { org_id: test_.orgId, slug: 'red', name: 'Red' },
        { org_id: test_.orgId, slug: 'blue', name: 'Blue' },
      ])
      .returning('id')
      .execute(),
  );
  await test_.db.write(scope, (tx) =>
    tx
      .insertInto('escalation_policies')
      .values(
        [null, red!.id, blue!.id].map((team_id, n) => ({
          org_id: test_.orgId,
          name: `p${n}`,
          team_id,
          definition: '{}',
        })),
      )
      .execute(),
  );
  const names = (teamIds: string[]) =>
    test_.db.read({ ...scope, teamIds }, (tx) =>
      tx.selectFrom('escalation_policies').select('name').orderBy('name').execute(),
    );
  expect(await names([red!.id])).toEqual([{ name: 'p0' }, { name: 'p1' }]);
  expect(await names([])).toEqual([{ name: 'p0' }]);
});

test('the audit log is appended and never rewritten', async () => {
  const scope = { orgId: test_.orgId };
  await test_.db.write(scope, (tx) =>
    tx
      .insertInto('audit_log')
      .values({ org_id: test_.orgId, actor: 'a', action: 'b', subject: 'c' })
      .execute(),
  );
  await expect(test_.db.write(scope, (tx) => tx.deleteFrom('audit_log').execute())).rejects.toThrow(
    /permission denied/,
  );
});
