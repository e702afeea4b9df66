import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { addAlertmanager, takeAlert } from '../test/harness/alerts.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { observeAlert } from './correlation.ts';
import type { Tx } from './database.ts';
import { regroup } from './regroup.ts';
import { dropWantedMerge, wantMerges } from './wanted-merges.ts';

let database: TestDatabase;
let integrationId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  integrationId = await addAlertmanager(database);
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.owner.query('delete from correlation_memory');
  await database.owner.query('delete from incident_feed');
  await database.owner.query('delete from alerts');
  await database.owner.query('delete from incidents');
});

const write = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
  database.db.write({ orgId: database.orgId }, work);

interface Opened {
  id: string;
  number: number;
  alertId: number;
}

async function open(service: string, fingerprint = service): Promise<Opened> {
  const alertId = await takeAlert(database, integrationId, { fingerprint, service });
  const { incident } = await write((tx) =>
    observeAlert(tx, { orgId: database.orgId, alertId, before: null }),
  );
  return { ...incident, alertId };
}

const set = ({ id }: Opened, values: string) =>
  database.owner.query(`update incidents set ${values} where id = $1`, [id]);
const acknowledge = (incident: Opened) => set(incident, `acknowledged_at = now(), acknowledged_by = 'ana'`);
const resolve = (incident: Opened) => set(incident, `resolved_at = now(), status = 'resolved'`);
const want = (joined: Opened, ...others: Opened[]) =>
  write((tx) =>
    wantMerges(
      tx,
      joined,
      others.map(({ id, number }) => ({ incidentId: id, number, reason: 'both wait for db' })),
    ),
  );
const wishOf = async ({ id }: Opened): Promise<string | null> => {
  const { rows } = await database.owner.query('select merge_wanted from incidents where id = $1', [id]);
  return rows[0].merge_wanted;
};
const merge = (from: Opened, into: Opened) =>
  write((tx) =>
    regroup(tx, {
      orgId: database.orgId,
      key: randomUUID(),
      fromIncident: from.id,
      alertIds: null,
      into: into.number,
      actor: 'Holdfast',
      byPerson: false,
      reason: null,
    }),
  );

test('the younger goes into the older one, unless only the younger is acknowledged', async () => {
  const [older, younger] = [await open('one'), await open('two')];
  await want(older, younger);
  expect([await wishOf(older), await wishOf(younger)]).toEqual([null, older.id]);
  await write((tx) => dropWantedMerge(tx, { incidentId: younger.id, into: older.number }));
  await acknowledge(younger);
  await want(older, younger);
  expect([await wishOf(older), await wishOf(younger)]).toEqual([younger.id, null]);
});

test('nothing is merged into what is over, and what is over is not opened again to be merged', async () => {
  const [over, open2, open3] = [await open('one'), await open('two'), await open('three')];
  await resolve(over);
  await want(open3, over, open2);
  expect([await wishOf(over), await wishOf(open2), await wishOf(open3)]).toEqual([null, null, open2.id]);
});

test('what was over until this alert joined it goes into what is open', async () => {
  const [over, other] = [await open('one'), await open('two')];
  await resolve(over);
  await want(over, other);
  expect([await wishOf(over), await wishOf(other)]).toEqual([other.id, null]);
});

test('what a person split is not put together again', async () => {
  const whole = await open('one', 'a');
  const { alertId } = await open('one', 'b');
  const { into } = await write((tx) =>
    regroup(tx, {
      orgId: database.orgId,
      key: randomUUID(),
      fromIncident: whole.id,
      alertIds: [alertId],
      into: null,
      actor: 'ana@example.com',
      byPerson: true,
      reason: null,
    }),
  );
  const split = { ...into, alertId };
  const third = await open('three');
  await want(third, whole, split);
  expect([await wishOf(whole), await wishOf(split), await wishOf(third)]).toEqual([null, null, whole.id]);
  await expect(merge(split, whole)).rejects.toThrow(
    `a person split alerts of #${split.number} from those of #${whole.number}`,
  );
  await merge(third, whole);
});

test('Holdfast merges nothing into what was resolved meanwhile, nor what was acknowledged into what was not', async () => {
  const [a, b] = [await open('one'), await open('two')];
  await resolve(a);
  await expect(merge(b, a)).rejects.toThrow(`#${a.number} is resolved`);
  await acknowledge(b);
  await set(a, `resolved_at = null, status = 'investigating'`);
  await expect(merge(b, a)).rejects.toThrow(`#${b.number} is acknowledged, and #${a.number} is not`);
  await merge(a, b);
});

test('a wish is kept until its target has ended', async () => {
  const [first, second, going] = [await open('one'), await open('two'), await open('three')];
  await want(second, going);
  await want(first, going);
  expect(await wishOf(going)).toBe(second.id);
  await set(second, `closed_at = now(), status = 'resolved'`);
  await want(first, going);
  expect(await wishOf(going)).toBe(first.id);
});

test('a wish that was refused is dropped, and no other one', async () => {
  const [into, other, going] = [await open('one'), await open('two'), await open('three')];
  await want(into, going);
  await write((tx) => dropWantedMerge(tx, { incidentId: going.id, into: other.number }));
  expect(await wishOf(going)).toBe(into.id);
  await write((tx) => dropWantedMerge(tx, { incidentId: going.id, into: into.number }));
  expect(await wishOf(going)).toBeNull();
});
