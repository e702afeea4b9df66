import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { Database } from '../../db/database.ts';

export const templateDatabase = 'holdfast_template';

/** A database of its own for one test file, with one organization in it. It goes with the server of the run. */
export interface TestDatabase {
  url: string;
  db: Database;
  orgId: string;
  /** As the owner of the tables, past row-level security: for seeding and for looking at what is stored. */
  owner: pg.Pool;
  close(): Promise<void>;
}

export async function createTestDatabase(options: { poolSize?: number } = {}): Promise<TestDatabase> {
  const adminUrl = inject('postgresUrl');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`create database ${name} template ${templateDatabase}`);
  await admin.end();
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  const owner = new pg.Pool({ connectionString: url.href, max: 4 });
  const db = new Database({ url: url.href, poolSize: options.poolSize ?? 8 });
  const { rows } = await owner.query<{ org_id: string }>(
    `insert into organizations (slug, name) values ('acme', 'Acme') returning org_id`,
  );
  return {
    url: url.href,
    db,
    orgId: rows[0]!.org_id,
    owner,
    async close() {
      await db.close();
      await owner.end();
    },
  };
}
