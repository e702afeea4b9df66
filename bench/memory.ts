import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { firingAlert, post, webhookOf } from './alerts.ts';
import { note, printFigure } from './figure.ts';
import { type Holdfast, until, withHoldfast } from './holdfast.ts';

const idleMs = 60_000;
const storms = 10;
const alertsPerStorm = 200;
const services = 50;

/** Of the process that `npm start` is, and of it with PostgreSQL and Temporal: idle, and after a storm. */
export async function benchMemory(): Promise<void> {
  if (process.platform !== 'linux') {
    note('memory is read from /proc, which this platform does not have: not measured');
    return;
  }
  await withHoldfast(async (holdfast) => {
    await sleep(idleMs);
    report(holdfast, 'idle');
    for (let storm = 0; storm < storms; storm++) await raise(holdfast);
    report(holdfast, 'busy');
    await sleep(idleMs);
    report(holdfast, 'after_load');
  });
}

function report({ pid }: Holdfast, when: string): void {
  printFigure({ name: `memory_app_${when}`, value: residentOf(pid), unit: 'MB' });
  const stack = [pid, ...descendantsOf(pid)].reduce((sum, each) => sum + shareOf(each), 0);
  printFigure({ name: `memory_stack_${when}`, value: stack, unit: 'MB' });
}

/** Posts a storm and waits until all of it has been correlated and the incidents have read of it. */
async function raise(holdfast: Holdfast): Promise<void> {
  const run = randomBytes(4).toString('hex');
  for (let index = 0; index < alertsPerStorm; index += 100) {
    const alerts = Array.from({ length: 100 }, (_, each) =>
      firingAlert(`${run}-${index + each}`, `${run}-${(index + each) % services}`),
    );
    await post(holdfast, webhookOf(alerts));
  }
  await until(
    async () => {
      const { rows } = await holdfast.owner.query<{ done: boolean }>(`
        select not exists (select from alerts where incident_id is null)
          and not exists (select from incidents where feed_unread) as done`);
      return rows[0]?.done ?? false;
    },
    'the storm was over',
    120_000,
  );
}

const megabytes = (text: string, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN) / 1024;

const residentOf = (pid: number): number => megabytes(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmRSS');

/** Proportional: what PostgreSQL's processes share is counted once. */
function shareOf(pid: number): number {
  try {
    return megabytes(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'), 'Pss');
  } catch {
    return 0; // it has ended meanwhile
  }
}

function descendantsOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // it has ended meanwhile
    }
  }
  const found: number[] = [];
  for (let level = [pid]; level.length > 0; ) {
    level = [...parents].filter(([, parent]) => level.includes(parent)).map(([child]) => child);
    found.push(...level);
  }
  return found;
}
