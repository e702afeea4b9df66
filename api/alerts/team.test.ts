import { afterAll, beforeAll, expect, test } from 'vitest';
import { observeAlert } from '../../db/correlation.ts';
import { readFeed } from '../../db/incident-feed.ts';
import { readSlaFacts } from '../../db/report-data.ts';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';

/** Whose the alerts are that arrive, for silences and reports: nobody writes it into them by hand here. */
const hour = 3_600_000;
const teams = ['payments', 'search'] as const;
type Team = (typeof teams)[number];

let api: TestApi;
const ids = {} as Record<Team, string>;
const tokens = {} as Record<Team, string>;
beforeAll(async () => {
  api = await createTestApi();
  for (const team of teams) {
    const { rows } = await api.fixture.owner.query(
      `insert into teams (org_id, slug, name, match) values ($1, $2::text, $2, jsonb_build_object('team', $2)) returning id`,
      [api.orgId, team],
    );
    ids[team] = rows[0].id;
    tokens[team] = (await api.addPerson(`${team}@example.com`, 'operator', ids[team])).token;
  }
});
afterAll(() => api.close());

/** One alert as Alertmanager sends it, seen by its workflow: the incident that it joins or opens. */
async function arrive(alertname: string, labels: { service: string; team?: string }) {
  const alert = {
    status: 'firing',
    labels: { alertname, severity: 'critical', ...labels },
    annotations: {},
    startsAt: '2026-11-21T03:00:00Z',
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: '',
    fingerprint: alertname,
  };
  const body = { version: '4', status: 'firing', truncatedAlerts: 0, alerts: [alert] };
  const sent = await api.ask('POST', '/api/v1/alerts/alertmanager', { token: api.ingestKey, body });
  expect(sent).toMatchObject({ status: 202, body: { new: 1 } });
  const { rows } = await api.fixture.owner.query('select id from alerts where name = $1', [alertname]);
  const { incident } = await api.write((tx) =>
    observeAlert(tx, { orgId: api.orgId, alertId: rows[0].id, before: null }),
  );
  return incident;
}

/** By what the workflow of the incident holds its pages back. */
async function heldBy({ id }: { id: string }) {
  const { digest } = await api.write((tx) =>
    readFeed(tx, { incidentId: id, afterSeq: 0, reopenWindowMs: hour }),
  );
  return digest.silence?.names;
}

const silenceOf = (team: Team, match: object) => ({
  match,
  team,
  startsAt: new Date(Date.now() - hour).toISOString(),
  endsAt: new Date(Date.now() + hour).toISOString(),
  reason: `work of ${team}`,
});
const silence = async (team: Team, match: object) =>
  await api.ask('POST', '/api/v1/silences', { token: tokens[team], body: silenceOf(team, match) });

test("a team's silence holds the pages of its incidents from their first reading, and no other's", async () => {
  await silence('payments', { service: 'ledger' });
  const own = await arrive('LedgerDown', { service: 'ledger', team: 'payments' });
  expect(await heldBy(own)).toEqual(['work of payments']);
  // it is in that incident, whose pages are the team's: whoever's its labels say it is
  expect(await arrive('LedgerSlow', { service: 'ledger', team: 'search' })).toEqual(own);
  expect(await heldBy(own)).toEqual(['work of payments']);

  await silence('search', { service: 'cart' });
  const others = await arrive('CartDown', { service: 'cart', team: 'payments' });
  const nobodys = await arrive('IndexDown', { service: 'index' });
  await silence('payments', { service: 'index' });
  expect([await heldBy(others), await heldBy(nobodys)]).toEqual([undefined, undefined]);
});

test("what a team's silence catches is said before it is made, and while it holds", async () => {
  const { number } = await arrive('RefundDown', { service: 'refund', team: 'payments' });
  const catches = { alerts: 1, incidents: [number] };
  const tried = (team: Team) =>
    api.ask('POST', '/api/v1/silences/preview', {
      token: api.tokens.operator,
      body: silenceOf(team, { service: 'refund' }),
    });
  expect(await tried('payments')).toMatchObject({ status: 200, body: { caught: 1, now: catches } });
  expect(await tried('search')).toMatchObject({ status: 200, body: { caught: 0, now: { alerts: 0 } } });
  expect(await silence('payments', { service: 'refund' })).toMatchObject({ status: 201, body: { catches } });
});

test("a team's report counts the alerts of its incidents, and those who see an incident see all of its alerts", async () => {
  const own = await arrive('RankingDown', { service: 'ranking', team: 'search' });
  expect(await arrive('RankingSlow', { service: 'ranking', team: 'payments' })).toEqual(own);
  const facts = (team: Team) =>
    api.write((tx) =>
      readSlaFacts(tx, {
        periods: [
          { from: new Date(Date.now() - hour), to: new Date(Date.now() + hour) },
          { from: new Date(Date.now() - 3 * hour), to: new Date(Date.now() - hour) },
        ],
        teamId: ids[team],
        timeZone: 'UTC',
        breachLimit: 5,
        alertLimit: 9,
        destinationLimit: 5,
        serviceLimit: 5,
      }),
    );
  const search = await facts('search');
  expect(search.counts).toMatchObject({ alerts: 2, incidents: 1 });
  expect(search.noisiest.map(({ name }) => name)).toEqual(['RankingDown', 'RankingSlow']);
  expect((await facts('payments')).noisiest.map(({ name }) => name)).not.toContain('RankingSlow');
  const seen = await api.ask('GET', `/api/v1/incidents/${own.number}/alerts`, { token: tokens.search });
  expect(seen.body.items).toHaveLength(2);
});
