import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../db/migrate.ts';
import { startPostgres } from '../../stack/postgres.ts';
import { templateDatabase } from './database.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of a superuser, on the database `postgres` of a real server that lives as long as the test run. */
    postgresUrl: string;
  }
}

/** Nothing has to outlive the run, and nothing is to run beside the tests. */
const settings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '4GB',
  autovacuum: 'off',
  max_connections: '200',
};

/** One real PostgreSQL for the run, with a migrated template that each test file clones. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'holdfast-test-postgres-'));
  // as root, the server runs as another user, who must be able to pass through
  await chmod(dataDir, 0o755);
  const server = await startPostgres({ dataDir, settings });
  const url = (database: string): string =>
    Object.assign(new URL(server.url), { pathname: `/${database}` }).href;
  const admin = new pg.Client({ connectionString: url('postgres') });
  await admin.connect();
  await admin.query(`create database ${templateDatabase}`);
  await admin.end();
  await migrate(url(templateDatabase));
  project.provide('postgresUrl', url('postgres'));
  return async () => {
    await server.close();
    await rm(dataDir, { recursive: true, force: true });
  };
}
