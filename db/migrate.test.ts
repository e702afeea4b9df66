import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { Database } from './database.ts';
import { migrate } from './migrate.ts';

const name = `plain_${randomUUID().replaceAll('-', '')}`;
let admin: pg.Client;
let url: URL;

beforeAll(async () => {
  admin = new pg.Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  await admin.query(`create role ${name} login password 'p'`);
  await admin.query(`create database ${name} owner ${name}`);
  url = new URL(inject('postgresUrl'));
  Object.assign(url, { username: name, password: 'p', pathname: `/${name}` });
});
afterAll(async () => {
  await admin.query(`drop database if exists ${name} with (force)`);
  await admin.query(`drop role if exists ${name}`);
  await admin.end();
});

// the role holdfast_app is of the whole cluster, and the test run's own migration has made it there
test('a user who may make no roles migrates once somebody has granted it holdfast_app', async () => {
  await expect(migrate(url.href)).rejects.toThrow(/permission denied to grant role "holdfast_app"/);
  await admin.query(`grant holdfast_app to ${name}`);
  expect(await migrate(url.href)).toHaveLength(1);
  expect(await migrate(url.href)).toEqual([]);
  const db = new Database({ url: url.href, poolSize: 1 });
  const seen = await db.unscoped((tx) => tx.selectFrom('incidents').select('id').execute());
  expect(seen).toEqual([]);
  await db.close();
});
