import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readHandoffFacts } from '../db/handoffs.ts';
import { createUser, setDisabled, setMembership } from '../db/identity.ts';
import { putOnCallSchedule } from '../db/oncall.ts';
import { putEscalationPolicy } from '../db/policies.ts';
import { putReportSettings } from '../db/report-audience.ts';
import type { Rotation } from '../domain/oncall/schedule.ts';
import type { ReportSettings } from '../domain/reports/settings.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { createDutyActivities, type DutyActivities } from './duty.ts';
import { composeMail } from './messages/compose.ts';

let database: TestDatabase;
let orgId: string;
let activities: DutyActivities;
const ids = new Map<string, string>();
const actor = 'test';
const ana = 'ana@example.com';
const ben = 'ben@example.com';
const monday = Date.parse('2026-11-23T09:00:00Z');

beforeAll(async () => {
  database = await createTestDatabase();
  ({ orgId } = database);
  activities = createDutyActivities({ db: database.db });
  await database.db.write({ orgId }, async (tx) => {
    for (const [email, name] of [
      [ana, 'Ana'],
      [ben, 'Ben'],
    ] as const) {
      ids.set(email, await createUser(tx, { orgId, email, name, actor }));
    }
    const team = await tx
      .insertInto('teams')
      .values({ org_id: orgId, slug: 'payments', name: 'Payments' })
      .returning('id')
      .executeTakeFirstOrThrow();
    ids.set('payments', team.id);
    await setMembership(tx, { orgId, userId: ids.get(ana)!, teamId: null, role: 'owner', actor });
    await setMembership(tx, { orgId, userId: ids.get(ben)!, teamId: team.id, role: 'admin', actor });
  });
});
afterAll(() => database.close());

async function putSchedule(changes: Partial<Rotation> = {}): Promise<void> {
  const rotation: Rotation = {
    name: 'primary',
    priority: 0,
    participants: [[ben], [ana]],
    turn: { every: 1, unit: 'week' },
    startsAt: '2026-11-02T09:00',
    shadow: false,
    ...changes,
  };
  await database.db.write({ orgId }, async (tx) => {
    await putOnCallSchedule(tx, {
      orgId,
      name: 'payments',
      definition: { timeZone: 'UTC', team: 'payments', rotations: [rotation] },
      actor,
    });
    await putEscalationPolicy(tx, {
      orgId,
      name: 'default',
      definition: {
        levels: [{ after: '0s', targets: [{ type: 'schedule', name: 'payments' }] }],
        repeats: 0,
      },
      actor,
    });
  });
}
beforeEach(() => putSchedule());

describe('handoffs', () => {
  const window = { from: monday - 60_000, to: monday + 60_000 };

  it('are told to who comes on and who goes off, by keys that stay the same', async () => {
    const notices = await activities.findHandoffs({ orgId, ...window });
    expect(notices).toMatchObject([
      { email: ana, direction: 'on', schedule: 'payments', at: '2026-11-23T09:00:00.000Z' },
      { email: ben, direction: 'off' },
    ]);
    expect(await activities.findHandoffs({ orgId, ...window })).toEqual(notices);
    expect(notices.map(({ key }) => key).join()).not.toContain('@');
  });

  it('are not told again once a message was begun', async () => {
    const [first, second] = await activities.findHandoffs({ orgId, ...window });
    await database.owner.query(
      `insert into notifications (org_id, key, type, channel, destination, subject, status)
       values ($1, $2, 'oncall.handoff', 'email', $3, '', 'failed')`,
      [orgId, first!.key, first!.email],
    );
    expect(await activities.findHandoffs({ orgId, ...window })).toEqual([second]);
  });

  it('tell times in the zone of the person, else of the organization, else of the schedule', async () => {
    const zoneOf = (person: string) =>
      database.db.read({ orgId }, async (tx) => {
        const facts = await readHandoffFacts(tx, { schedule: 'payments', at: new Date(monday), person });
        return facts?.timeZone;
      });
    const set = (settings: ReportSettings) =>
      database.db.write({ orgId }, (tx) => putReportSettings(tx, { orgId, settings, actor }));
    expect(await zoneOf(ben)).toBe('UTC');
    await set({ timeZone: 'Asia/Kolkata' });
    expect(await zoneOf(ben)).toBe('Asia/Kolkata');
    await set({});
  });

  it('say until when, who is next, and which incidents of the policies are open', async () => {
    await database.owner.query(
      `insert into incidents (org_id, number, title, severity, severity_rank, service, escalation_policy, resolved_at)
       values ($1, 41, 'over', 'high', 1, null, 'default', now()),
         ($1, 42, 'Disk <b>full</b>', 'critical', 0, 'checkout', 'default', null),
         ($1, 43, 'of others', 'critical', 0, null, 'other', null)`,
      [orgId],
    );
    const at = new Date(monday);
    const handoff = await database.db.read({ orgId }, (tx) =>
      readHandoffFacts(tx, { schedule: 'payments', at, person: ana }),
    );
    expect(handoff).toMatchObject({ now: ['Ana'], before: ['Ben'], incidentCount: 1 });
    const source = {
      type: 'oncall.handoff',
      facts: { incident: undefined, execution: undefined, approval: undefined },
      handoff,
      detail: { direction: 'on' },
      publicUrl: 'https://holdfast.example.com',
      reader: ana,
      links: {},
      now: monday,
      timeZone: 'UTC',
    } as const;
    const on = composeMail(source);
    expect(on.sentence).toBe('You are on call for payments from Mon 23 Nov 09:00 until Mon 30 Nov 09:00.');
    expect(on.text).toContain('#42');
    expect(on.text).not.toContain('#43');
    expect(on.html).toContain('Disk &lt;b&gt;full');
    const off = composeMail({ ...source, detail: { direction: 'off' } });
    expect(off.sentence).toBe('Your shift for payments ends Mon 23 Nov 09:00; Ana takes over.');
  });
});

describe('the weekly look at readiness', () => {
  const plan = () => activities.planReadiness({ orgId, now: monday, day: '2026-11-23' });

  it('tells nobody while nothing is to be mended', async () => {
    expect(await plan()).toEqual([]);
  });

  it('tells Admins of the organization of everything, and those of a team of its schedules', async () => {
    await putSchedule({ hours: [{ days: ['mon'], from: '09:00', to: '17:00' }] });
    expect(await plan()).toMatchObject([
      { email: ana, teamId: null },
      { email: ben, teamId: ids.get('payments') },
    ]);
  });

  it('names somebody who takes turns and was disabled', async () => {
    const change = (disabled: boolean) =>
      database.db.write({ orgId }, (tx) =>
        setDisabled(tx, { orgId, userId: ids.get(ben)!, disabled, actor }),
      );
    await change(true);
    expect(await plan()).toMatchObject([{ email: ana, teamId: null }]);
    await change(false);
  });
});
