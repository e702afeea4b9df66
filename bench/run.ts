import { loadavg } from 'node:os';
import { benchArmed } from './armed.ts';
import { benchCorrelate } from './correlate.ts';
import { note } from './figure.ts';
import { benchIntake } from './intake.ts';
import { benchMemory } from './memory.ts';
import { benchNotify } from './notify.ts';
import { benchScale } from './scale.ts';
import { benchSlowDestination } from './slow-destination.ts';

/**
 * `npm run bench` measures everything but what takes an hour, `npm run bench -- intake notify` what is named. JSON lines on
 * stdout.
 */
const benchmarks: Record<string, () => Promise<void>> = {
  intake: benchIntake,
  correlate: benchCorrelate,
  notify: benchNotify,
  memory: benchMemory,
  scale: benchScale,
  slow_destination: () => benchSlowDestination(),
  armed: () => benchArmed(),
};

const onlyWhenNamed = new Set(['armed']);

const named = process.argv.slice(2);
const unknown = named.filter((name) => !(name in benchmarks));
if (unknown.length > 0) {
  console.error(
    `there is no benchmark ${unknown.join(', ')}; there are ${Object.keys(benchmarks).join(', ')}`,
  );
  process.exit(1);
}
for (const [name, benchmark] of Object.entries(benchmarks)) {
  if (named.length > 0 ? !named.includes(name) : onlyWhenNamed.has(name)) continue;
  note(
    `${name}: the machine's load is ${loadavg()
      .map((load) => load.toFixed(1))
      .join(', ')}`,
  );
  await benchmark();
}
