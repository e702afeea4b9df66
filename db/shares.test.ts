import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import {
  createShare,
  listShares,
  longestShareMs,
  noteShareOpened,
  openShare,
  revokeShare,
  TooManySharesError,
} from './shares.ts';

let database: TestDatabase;
let incident: { id: string; number: number };

beforeAll(async () => {
  database = await createTestDatabase();
  const { rows } = await database.owner.query(
    `insert into incidents (org_id, number, title, status, severity, severity_rank, opened_at, last_alert_at)
     values ($1, 7, 'Down', 'investigating', 'high', 1, now(), now()) returning id`,
    [database.orgId],
  );
  incident = { id: rows[0].id, number: 7 };
});

afterAll(() => database?.close());

const write = <T>(work: Parameters<TestDatabase['db']['write']>[1]) =>
  database.db.write({ orgId: database.orgId }, work) as Promise<T>;
const share = (forMs = 60_000) =>
  database.db.write({ orgId: database.orgId }, (tx) =>
    createShare(tx, { orgId: database.orgId, incident, actor: 'ana@example.com', forMs }),
  );
const list = () => database.db.read({ orgId: database.orgId }, (tx) => listShares(tx, incident.id));

describe('a link for people without an account', () => {
  it('opens its incident, and is stored as a hash alone', async () => {
    const { token, share: made } = await share();
    expect(token).toMatch(/^hfv_[\w-]{43}$/);
    expect(await openShare(database.db, token)).toMatchObject({
      orgId: database.orgId,
      shareId: made.id,
      incidentNumber: 7,
    });
    const shown = (await list()).find(({ id }) => id === made.id);
    expect(shown).toMatchObject({ opened: 0, createdBy: 'ana@example.com', revokedAt: null });
    const { rows } = await database.owner.query(`select row_to_json(s)::text as text from incident_shares s`);
    expect(rows.map(({ text }) => text).join()).not.toContain(token.slice(4));
  });

  it('is counted as opened once a minute at most', async () => {
    const { share: made } = await share();
    const opened = async () => {
      await write((tx) => noteShareOpened(tx, made.id));
      return (await list()).find(({ id }) => id === made.id)?.opened;
    };
    expect([await opened(), await opened()]).toEqual([1, 1]);
    await database.owner.query(
      `update incident_shares set last_opened_at = now() - interval '61 seconds' where id = $1`,
      [made.id],
    );
    expect(await opened()).toBe(2);
  });

  it('opens nothing when it is guessed, revoked or has expired', async () => {
    expect(await openShare(database.db, 'hfv_guess')).toBeUndefined();
    expect(await openShare(database.db, 'x'.repeat(10_000))).toBeUndefined();
    const { token, share: made } = await share();
    const revoke = () =>
      write((tx) =>
        revokeShare(tx, { orgId: database.orgId, incident, shareId: made.id, actor: 'ben@example.com' }),
      );
    expect(await revoke()).toBe(true);
    expect(await revoke()).toBe(false);
    expect(await openShare(database.db, token)).toBeUndefined();
    const late = await share();
    await database.owner.query(
      `update incident_shares set expires_at = now() - interval '1 second' where id = $1`,
      [late.share.id],
    );
    expect(await openShare(database.db, late.token)).toBeUndefined();
    expect((await list()).map(({ id }) => id)).not.toContain(late.share.id);
  });

  it('never works longer than the longest time', async () => {
    const { share: made } = await share(10 * longestShareMs);
    expect(made.expiresAt.getTime() - made.createdAt.getTime()).toBe(longestShareMs);
  });

  it('stands in the audit log with who made and who revoked it', async () => {
    const { rows } = await database.owner.query(
      `select actor, action, subject from audit_log where action like 'incident.share%' order by id limit 3`,
    );
    expect(rows).toContainEqual({
      actor: 'ana@example.com',
      action: 'incident.shared',
      subject: 'incident:7',
    });
    const revoked = await database.owner.query(
      `select actor from audit_log where action = 'incident.share_revoked'`,
    );
    expect(revoked.rows).toEqual([{ actor: 'ben@example.com' }]);
  });

  it('is not made without end', async () => {
    const many = async () => {
      for (let made = 0; made < 60; made += 1) await share();
    };
    await expect(many()).rejects.toThrow(TooManySharesError);
  });
});
