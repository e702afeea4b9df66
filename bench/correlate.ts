import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { firingAlert, post, webhookOf } from './alerts.ts';
import { runScript } from './child.ts';
import { mediansOf, note, type Pair, printFigure } from './figure.ts';
import { type Holdfast, until, withHoldfast } from './holdfast.ts';

const completed = z.object({ completed: z.number(), seconds: z.number() });
const rounds = 5;
const alerts = 500;
const services = 5;

/** Alerts of a storm that were joined to incidents per second, against workflows with one local activity. */
export async function benchCorrelate(): Promise<void> {
  await withHoldfast(async (holdfast) => {
    await correlate(holdfast, 50); // the code is warm, the connections are open
    const pairs: Pair[] = [];
    for (let round = 0; round < rounds; round++) {
      const bare = completed.parse(
        await runScript('./bare/run-workflows.ts', { address: holdfast.temporalAddress, count: alerts }),
      );
      const seconds = await correlate(holdfast, alerts);
      pairs.push({ value: alerts / seconds, baseline: bare.completed / bare.seconds });
      note(
        `correlate round ${round + 1}: ${pairs.at(-1)?.value.toFixed(1)} alerts/s beside ` +
          `${pairs.at(-1)?.baseline.toFixed(1)} bare workflows/s`,
      );
    }
    printFigure({ name: 'correlate', unit: 'alerts/s', ...mediansOf(pairs) });
  });
}

/** @returns seconds from the post of `count` alerts to the moment at which the last has its incident */
async function correlate(holdfast: Holdfast, count: number): Promise<number> {
  const run = randomBytes(4).toString('hex');
  const storm = Array.from({ length: count }, (_, index) =>
    firingAlert(`${run}-${index}`, `${run}-service-${index % services}`),
  );
  const began = performance.now();
  for (let index = 0; index < count; index += 100)
    await post(holdfast, webhookOf(storm.slice(index, index + 100)));
  await until(() => isNone(holdfast, 'alerts where incident_id is null'), 'all were correlated', 60_000);
  const seconds = (performance.now() - began) / 1000;
  // the incidents' workflows have read what came, so that nothing of it weighs on what is measured next
  await until(() => isNone(holdfast, 'incidents where feed_unread'), 'the feeds were read', 60_000);
  return seconds;
}

async function isNone({ owner }: Holdfast, what: string): Promise<boolean> {
  const { rows } = await owner.query<{ none: boolean }>(`select not exists (select from ${what}) as none`);
  return rows[0]?.none ?? false;
}
