import { z } from 'zod';
import { runScript } from './child.ts';
import { mediansOf, note, type Pair, percentile, printFigure } from './figure.ts';
import { type Holdfast, until, withHoldfast } from './holdfast.ts';

const measured = z.object({
  accepted: z.number(),
  seconds: z.number(),
  latencies: z.array(z.number()).default([]),
});

interface Shape {
  name: 'intake' | 'intake_single';
  /** Alerts a request. */
  batch: number;
  connections: number;
  /** Requests prepared at most, for Holdfast and for the baseline. */
  most: number;
  mostBare: number;
}

const rounds = 5;
const seconds = 5;

/** Alerts accepted per second over HTTP, with dispatch going on behind, against bare upserts of the same rows. */
export async function benchIntake(): Promise<void> {
  await withHoldfast(async (holdfast) => {
    await benchShape(holdfast, { name: 'intake', batch: 100, connections: 4, most: 1500, mostBare: 4000 });
    await benchShape(holdfast, {
      name: 'intake_single',
      batch: 1,
      connections: 32,
      most: 30_000,
      mostBare: 60_000,
    });
  });
}

async function benchShape(holdfast: Holdfast, shape: Shape): Promise<void> {
  const { name, batch, connections } = shape;
  await accept(holdfast, shape, 2); // the code is warm, the connections are open
  const pairs: Pair[] = [];
  const latencies: number[] = [];
  const dispatched: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await clearBacklog(holdfast);
    const baseline = measured.parse(
      await runScript('./bare/upsert.ts', {
        database: holdfast.databaseUrl,
        org: holdfast.orgId,
        batch,
        connections: Math.min(connections, 10),
        seconds,
        most: shape.mostBare,
      }),
    );
    const before = await countDispatched(holdfast);
    const value = await accept(holdfast, shape, seconds);
    dispatched.push(((await countDispatched(holdfast)) - before) / value.seconds);
    latencies.push(...value.latencies);
    pairs.push({
      value: value.accepted / value.seconds,
      baseline: baseline.accepted / baseline.seconds,
    });
    note(
      `${name} round ${round + 1}: ${pairs.at(-1)?.value.toFixed(0)} alerts/s beside ` +
        `${pairs.at(-1)?.baseline.toFixed(0)} rows/s bare, ${dispatched.at(-1)?.toFixed(0)}/s dispatched meanwhile`,
    );
  }
  printFigure({ name, unit: 'alerts/s', ...mediansOf(pairs) });
  printFigure({ name: `${name}_request_p50`, value: percentile(latencies, 50), unit: 'ms' });
  printFigure({ name: `${name}_request_p99`, value: percentile(latencies, 99), unit: 'ms' });
  printFigure({ name: `${name}_dispatched_meanwhile`, value: percentile(dispatched, 50), unit: 'alerts/s' });
}

async function accept(
  holdfast: Holdfast,
  shape: Shape,
  forSeconds: number,
): Promise<z.output<typeof measured>> {
  return measured.parse(
    await runScript('./load.ts', {
      url: holdfast.url,
      key: holdfast.ingestKey,
      batch: shape.batch,
      connections: shape.connections,
      seconds: forSeconds,
      most: shape.most,
    }),
  );
}

async function countDispatched({ owner }: Holdfast): Promise<number> {
  const { rows } = await owner.query<{ count: string }>(
    'select count(*) from alerts where dispatched_version > 0',
  );
  return Number(rows[0]?.count);
}

/**
 * What could not be dispatched in the seconds of a round would otherwise go on beside the baseline and flatter
 * Holdfast: it is taken away, and the baseline has the machine to itself.
 */
async function clearBacklog({ owner }: Holdfast): Promise<void> {
  await owner.query('delete from alerts where version > dispatched_version and claimed_until is null');
  await until(
    async () => {
      const { rows } = await owner.query<{ idle: boolean }>(`
        select not exists (select from alerts where version > dispatched_version)
          and not exists (select from alerts where incident_id is null)
          and not exists (select from incidents where feed_unread) as idle`);
      return rows[0]?.idle ?? false;
    },
    'what was claimed was dispatched and correlated',
    60_000,
  );
}
