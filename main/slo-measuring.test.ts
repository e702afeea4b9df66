import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Database } from '../db/database.ts';
import { ensureOrganization } from '../db/organizations.ts';
import { putSlo } from '../db/slos.ts';
import { slo } from '../domain/slo/slo.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { TemporalUnavailableError } from '../workflows/messages-client.ts';
import type { Rounds } from './rounds.ts';
import { startSloMeasuring } from './slo-measuring.ts';

let database: TestDatabase;
let rounds: Rounds | undefined;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  await rounds?.stop();
  await database.close();
});

test('an objective that was saved while Temporal was away is measured once it is back', {
  timeout: 60_000,
}, async () => {
  const { db, orgId, owner } = database;
  const asked: string[] = [];
  let away = true;
  const begin = async (of: string) => {
    asked.push(of);
    if (away) throw new TemporalUnavailableError('Temporal does not answer');
  };
  let looks = 0;
  const counted: Pick<Database, 'read' | 'unscoped'> = {
    unscoped: (work) => db.unscoped(work),
    read: (scope, work) => {
      looks++;
      return db.read(scope, work);
    },
  };
  rounds = startSloMeasuring({
    db: counted,
    measuring: { begin },
    logger: pino({ level: 'silent' }),
    pauseMs: 5,
  });
  const indicator = { type: 'error_ratio', errorRatio: 'errors[$window]' };
  const definition = { ...slo.parse({ objectivePercent: 99, indicator }), team: null };
  await db.write({ orgId }, (tx) =>
    putSlo(tx, { orgId, name: 'checkout', definition, actor: 'ana@example.com' }),
  );
  await expect.poll(() => asked.length).toBeGreaterThan(1);
  away = false;
  const before = asked.length;
  await expect.poll(() => asked.length).toBeGreaterThan(before);
  expect(new Set(asked)).toEqual(new Set([orgId]));
  // and what is measured is left alone: the round that was under way may have begun it once more
  await owner.query(`insert into slo_states (org_id, slo, at, state) values ($1, 'checkout', now(), '{}')`, [
    orgId,
  ]);
  const known = looks;
  await expect.poll(() => looks).toBeGreaterThan(known + 1);
  const [begun, looked] = [asked.length, looks];
  await expect.poll(() => looks).toBeGreaterThan(looked + 2);
  expect(asked).toHaveLength(begun);
});

test('an organization whose objectives cannot be measured leaves the others their turn', {
  timeout: 60_000,
}, async () => {
  const { db, orgId } = database;
  const other = await ensureOrganization(db, { slug: 'other', ownerEmail: 'ben@example.com' });
  const indicator = { type: 'error_ratio', errorRatio: 'errors[$window]' };
  const definition = { ...slo.parse({ objectivePercent: 99, indicator }), team: null };
  for (const of of [orgId, other.orgId]) {
    await db.write({ orgId: of }, (tx) =>
      putSlo(tx, { orgId: of, name: 'checkout', definition, actor: 'ana@example.com' }),
    );
  }
  const asked = new Set<string>();
  const begin = async (of: string) => {
    asked.add(of);
    throw new Error('it has more schedules than Temporal takes');
  };
  const logger = pino({ level: 'silent' });
  rounds = startSloMeasuring({ db, measuring: { begin }, logger, pauseMs: 5 });
  await expect.poll(() => asked).toEqual(new Set([orgId, other.orgId]));
});
