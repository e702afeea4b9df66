import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { type SmtpReceiver, startSmtp } from '../test/parts/smtp.ts';
import { firingAlert, post, webhookOf } from './alerts.ts';
import { runScript } from './child.ts';
import { note, percentile, printFigure } from './figure.ts';
import { type Holdfast, until, withHoldfast } from './holdfast.ts';

export interface Armed {
  /** Incidents, each with one level of escalation that is still to come. */
  count: number;
  /** Seconds from the opening of an incident to its page: longer than it takes to open all of them. */
  after: number;
  /** Incidents opened a second, and so pages that fall due a second. */
  rate: number;
  /** Of these, so many at the same moment. */
  atOnce: number;
}

/** What two cores bear: opening all takes 28 minutes. */
const defaults: Armed = { count: 10_000, after: 1_800, rate: 6, atOnce: 1 };
/** Mail addresses among which the pages are spread: each destination has a pace of its own. */
const shards = 20;
/** Bare timers beside them. */
const mostTimers = 1_000;
/** After the last page was due. */
const graceMs = 120_000;

const timers = z.object({ lateness: z.array(z.number()) });

/**
 * How late a page is: from the moment at which a level of escalation is due, counted from the database's time of the
 * incident's opening, to the last byte of the mail at a real SMTP server; all incidents are armed before the first is
 * due. Beside it, on the same server at the same time, workflows with a bare timer and one activity. By default 10,000
 * incidents, which takes about an hour; `node bench/armed.ts --count 300 --after 90` is the same, but shorter.
 */
export async function benchArmed(armed: Armed = defaults): Promise<void> {
  const smtp = await startSmtp();
  try {
    await withHoldfast((holdfast) => measure(holdfast, smtp, armed), { SMTP_URL: smtp.url });
  } finally {
    await smtp.close();
  }
}

async function measure(holdfast: Holdfast, smtp: SmtpReceiver, armed: Armed): Promise<void> {
  // the clocks of SLAs would write mails of their own
  await holdfast.owner.query('delete from sla_policies');
  for (let shard = 0; shard < shards; shard++) await putPolicy(holdfast, shard, armed.after);
  const services = Array.from({ length: armed.count }, () => `service-${randomBytes(6).toString('hex')}`);
  await open(holdfast, services, armed);
  const waiting = () =>
    numberOf(holdfast, `select count(*) from incidents where deadlines @> '[{"kind": "escalation"}]'`);
  const allArmed = async () => {
    if ((await waiting()) === armed.count) return true;
    await sleep(1000);
    return false;
  };
  await until(allArmed, 'every incident is armed', armed.after * 1000);
  const early = pagesOf(smtp).length;
  if (early > 0) note(`${early} pages were due before all were armed: give --after more seconds`);
  printFigure({ name: 'armed_incidents', value: armed.count, unit: 'incidents' });

  const opened = await openings(holdfast);
  const due = new Map([...opened].map(([service, at]) => [service, at + armed.after * 1000]));
  const [from, to] = [Math.min(...due.values()), Math.max(...due.values())];
  note(`all are due within ${((to - from) / 1000).toFixed(0)} s`);
  const count = Math.min(mostTimers, armed.count);
  const limitMs = to - Date.now() + graceMs;
  const bare = runScript(
    './bare/run-timers.ts',
    { address: holdfast.temporalAddress, count, from, to },
    limitMs,
  );
  const allCame = () => smtp.mails.length >= armed.count && pagesOf(smtp).length >= armed.count;
  await until(allCame, 'every page came', limitMs).catch((error: unknown) => note(String(error)));
  const { lateness: timersLate } = timers.parse(await bare);
  report(smtp, due, timersLate);
}

const pagesOf = ({ mails }: SmtpReceiver) =>
  mails.filter(({ raw }) => /^x-holdfast-type: escalation\.page\r?$/im.test(raw));

function report(smtp: SmtpReceiver, due: ReadonlyMap<string, number>, timersLate: readonly number[]): void {
  const late = new Map<string, number>();
  let again = 0;
  for (const { at, email } of pagesOf(smtp)) {
    const service = email.subject?.match(/service-[0-9a-f]{12}/)?.[0];
    const dueAt = service === undefined ? undefined : due.get(service);
    if (service === undefined || dueAt === undefined)
      throw new Error(`a mail about nothing: ${email.subject}`);
    if (late.has(service)) again += 1;
    else late.set(service, at - dueAt);
  }
  printFigure({ name: 'armed_pages_missing', value: due.size - late.size, unit: 'pages' });
  printFigure({ name: 'armed_pages_repeated', value: again, unit: 'pages' });
  for (const percent of [50, 99]) {
    const value = percentile([...late.values()], percent) / 1000;
    const baseline = percentile(timersLate, percent) / 1000;
    printFigure({ name: `armed_late_p${percent}`, value, unit: 's', baseline, ratio: value / baseline });
  }
}

/** One by one at an even rate, so that the pages fall due like that; `atOnce` together instead. */
async function open(
  holdfast: Holdfast,
  services: readonly string[],
  { rate, atOnce }: Pick<Armed, 'rate' | 'atOnce'>,
): Promise<void> {
  const began = performance.now();
  for (let index = 0; index < services.length; index += atOnce) {
    const alerts = services.slice(index, index + atOnce).map((service, n) => ({
      ...firingAlert(service, service),
      labels: {
        alertname: `HighErrorRate-${service}`,
        severity: 'critical',
        service,
        shard: `${(index + n) % shards}`,
      },
    }));
    await post(holdfast, webhookOf(alerts));
    const aheadMs = ((index + atOnce) / rate) * 1000 - (performance.now() - began);
    if (aheadMs > 0) await sleep(aheadMs);
  }
}

async function putPolicy({ url, ownerToken }: Holdfast, shard: number, after: number): Promise<void> {
  const targets = [{ type: 'email', address: `pager-${shard}@example.com` }];
  const answer = await fetch(`${url}/api/v1/escalation-policies/shard-${shard}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${ownerToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      levels: [{ after: `${after}s`, targets }],
      match: { labels: { shard: `${shard}` } },
    }),
  });
  if (!answer.ok) throw new Error(`the policy was answered with ${answer.status}: ${await answer.text()}`);
}

/** By service: epoch milliseconds. */
async function openings({ owner }: Holdfast): Promise<Map<string, number>> {
  const { rows } = await owner.query<{ service: string; opened_at: Date }>(
    'select service, opened_at from incidents where service is not null',
  );
  return new Map(rows.map(({ service, opened_at }) => [service, opened_at.getTime()]));
}

async function numberOf({ owner }: Holdfast, query: string): Promise<number> {
  const { rows } = await owner.query<{ count: string }>(query);
  return Number(rows[0]?.count);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: `${defaults.count}` },
      after: { type: 'string', default: `${defaults.after}` },
      rate: { type: 'string', default: `${defaults.rate}` },
      'at-once': { type: 'string', default: `${defaults.atOnce}` },
    },
  });
  await benchArmed({
    count: Number(values.count),
    after: Number(values.after),
    rate: Number(values.rate),
    atOnce: Number(values['at-once']),
  });
}
