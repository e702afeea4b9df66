import type pg from 'pg';

/** Objectives of a bad night: one that burns, one that Prometheus has nothing of, with the course of two weeks. */
export async function seedSlos(owner: pg.Pool, orgId: string, now: number): Promise<void> {
  const total =
    'sum(rate(http_requests_total{service="checkout", region_in_which_this_service_runs="eu-central-1"}[$window]))';
  const make = (name: string, objectivePercent: number, service: string) =>
    owner.query(`insert into slos (org_id, name, definition) values ($1, $2, $3)`, [
      orgId,
      name,
      JSON.stringify({
        service,
        description: 'Nobody waits for an order that will not come',
        objectivePercent,
        windowDays: 30,
        indicator: { type: 'ratio', good: total.replace('{', '{code!~"5..", '), total },
      }),
    ]);
  const state = (name: string, value: object) =>
    owner.query(`insert into slo_states (org_id, slo, at, state) values ($1, $2, $3, $4)`, [
      orgId,
      name,
      new Date(now - 20_000),
      JSON.stringify({
        windows: {},
        budgetLeft: null,
        burnRate: null,
        alerts: [],
        problem: null,
        problemSince: null,
        ...value,
      }),
    ]);
  await make('checkout-availability', 99.9, 'checkout');
  const alert = (
    long: string,
    short: string,
    severity: string,
    burnRate: number,
    longBurn: number,
    firing: boolean,
  ) => ({
    severity,
    burnRate,
    long,
    short,
    longBurn,
    shortBurn: longBurn * 1.1,
    firing,
    since: firing ? now - 1_500_000 : null,
    toldAt: firing ? now - 300_000 : null,
  });
  await state('checkout-availability', {
    budgetLeft: 0.31,
    burnRate: 2.4,
    alerts: [
      alert('1h', '5m', 'critical', 14.4, 21.7, true),
      alert('6h', '30m', 'critical', 6, 5.2, false),
      alert('1d', '2h', 'warning', 3, 3.1, true),
      alert('3d', '6h', 'warning', 1, 2.4, true),
    ],
  });
  await owner.query(
    `insert into slo_points (org_id, slo, at, budget_left, burn_rate)
     select $1, 'checkout-availability', date_trunc('hour', $2::timestamptz) - n * interval '1 hour', 0.31 + 0.6 * (n / 336.0), 1
     from generate_series(0, 336) n`,
    [orgId, new Date(now)],
  );
  await make('search-latency-of-the-customers-that-pay-for-it', 99.5, 'search');
  await state('search-latency-of-the-customers-that-pay-for-it', {
    problem:
      'Prometheus cannot be reached at http://prometheus-of-the-payments-team.internal.example.com:9090: connect ECONNREFUSED',
    problemSince: now - 900_000,
  });
}

/** An incident whose time to acknowledge is over, with the reason, and whose other clock pauses for the night. */
export async function seedClocks(
  owner: pg.Pool,
  orgId: string,
  { incident, now }: { incident: number; now: number },
): Promise<void> {
  const at = (minutes: number) => new Date(now + minutes * 60_000);
  await owner.query(
    `insert into sla_clocks (org_id, incident_id, kind, policy, started_at, at_risk_at, due_at, state, ended_at, pauses,
       breach_reason, breach_note, breach_explained_by, breach_explained_at)
     select $1, id, 'acknowledge', 'standard', $3, $4, $5, 'breached', $5, '[]',
       'other', $7, 'maryam@example.com', $6 from incidents where org_id = $1 and number = $2`,
    [
      orgId,
      incident,
      at(-40),
      at(-16),
      at(-10),
      at(-2),
      `The pager was in another building: ${'https://wiki.example.com/why/'.repeat(4)}`,
    ],
  );
  await owner.query(
    `insert into sla_clocks (org_id, incident_id, kind, policy, started_at, at_risk_at, due_at, state, pauses)
     select $1, id, 'resolve', 'standard', $3, $4, $5, 'paused', $6 from incidents where org_id = $1 and number = $2`,
    [orgId, incident, at(-40), at(900), at(960), JSON.stringify([[at(-5).getTime(), at(780).getTime()]])],
  );
}
