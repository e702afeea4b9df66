import { percentile, printFigure } from './figure.ts';
import { type Holdfast, withHoldfast } from './holdfast.ts';

const incidents = 100_000;
const samples = 30;

/** How long lists take to answer with 100,000 incidents of one alert each, two thousand of them open. */
export async function benchScale(): Promise<void> {
  await withHoldfast(async (holdfast) => {
    await seed(holdfast);
    const cookie = await signIn(holdfast);
    const asOwner = { authorization: `Bearer ${holdfast.ownerToken}` };
    await time(holdfast, 'scale_api_incidents', '/api/v1/incidents?limit=50', asOwner);
    await time(holdfast, 'scale_api_incidents_open', '/api/v1/incidents?status=investigating', asOwner);
    await time(
      holdfast,
      'scale_api_incidents_filtered',
      '/api/v1/incidents?severity=critical&service=service-7',
      asOwner,
    );
    await time(holdfast, 'scale_api_incident', `/api/v1/incidents/${incidents / 2}`, asOwner);
    await time(holdfast, 'scale_page_incidents', '/incidents', { cookie });
    await time(holdfast, 'scale_page_incidents_7d', '/incidents?window=7d', { cookie });
    await time(holdfast, 'scale_page_incident', `/incidents/${incidents / 2}`, { cookie });
  });
}

async function time(
  { url }: Holdfast,
  name: string,
  path: string,
  headers: Record<string, string>,
): Promise<void> {
  const milliseconds: number[] = [];
  for (let sample = -3; sample < samples; sample++) {
    const began = performance.now();
    const answer = await fetch(url + path, { headers, redirect: 'manual' });
    await answer.text();
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}`);
    if (sample >= 0) milliseconds.push(performance.now() - began);
  }
  printFigure({ name: `${name}_p50`, value: percentile(milliseconds, 50), unit: 'ms' });
  printFigure({ name: `${name}_p95`, value: percentile(milliseconds, 95), unit: 'ms' });
}

/** A session as the page gives one, for the cookie. */
async function signIn({ owner, orgId }: Holdfast): Promise<string> {
  const token = `hfs_${'bench'.repeat(8)}`;
  await owner.query(
    `insert into sessions (org_id, user_id, token_hash, csrf_token, expires_at)
     select org_id, id, sha256($2), 'bench', now() + interval '1 day' from users where org_id = $1 limit 1`,
    [orgId, Buffer.from(token)],
  );
  return `holdfast=${token}`;
}

/** A month of incidents: all but the latest two thousand resolved and closed, each with its alert and timeline. */
async function seed({ owner, orgId }: Holdfast): Promise<void> {
  await owner.query(
    `insert into incidents (org_id, number, title, status, severity, severity_rank, service, opened_at, last_alert_at,
       resolved_at, closed_at, alert_count, firing_count)
     select $1, n, 'HighErrorRate on service-' || n % 200,
       case when n > $2 - 2000 then 'investigating' else 'resolved' end,
       (array['critical','high','warning','low','info'])[1 + n % 5], n % 5, 'service-' || n % 200,
       now() - ($2 - n) * interval '26 seconds', now() - ($2 - n) * interval '26 seconds',
       case when n > $2 - 2000 then null else now() - ($2 - n) * interval '26 seconds' + interval '10 minutes' end,
       case when n > $2 - 2000 then null else now() - ($2 - n) * interval '26 seconds' + interval '25 minutes' end,
       1, case when n > $2 - 2000 then 1 else 0 end
     from generate_series(1, $2::int) n`,
    [orgId, incidents],
  );
  await owner.query(
    `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, service, labels,
       annotations, starts_at, received_at, last_seen_at, resolved_at, ends_at, dispatched_version, incident_id)
     select i.org_id, g.id, 'seed-' || i.number, case when i.resolved_at is null then 'firing' else 'resolved' end,
       'HighErrorRate', i.severity, i.severity_rank, i.service, jsonb_build_object('service', i.service),
       '{"summary": "too many errors"}', i.opened_at, i.opened_at, i.opened_at, i.resolved_at, i.resolved_at, 1, i.id
     from incidents i join integrations g on g.org_id = i.org_id where i.org_id = $1`,
    [orgId],
  );
  await owner.query(
    `insert into timeline (org_id, incident_id, at, kind, actor, summary, dedup_key)
     select org_id, id, opened_at, 'alert_joined', 'Alertmanager', 'HighErrorRate fired', 'seed' from incidents
     where org_id = $1`,
    [orgId],
  );
  await owner.query(`update organizations set next_incident_number = $2 + 1 where org_id = $1`, [
    orgId,
    incidents,
  ]);
  await owner.query('analyze');
}
