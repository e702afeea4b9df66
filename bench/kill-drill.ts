import { parseArgs } from 'node:util';
import { runKillDrill } from '../test/harness/kill-drill/drill.ts';

/** `npm run drill`: kills workers in the midst of executions and asks the targets whether Holdfast kept its word. */
const { values } = parseArgs({
  options: {
    executions: { type: 'string', default: '100' },
    lanes: { type: 'string', default: '8' },
    workers: { type: 'string', default: '4' },
    seed: { type: 'string' },
  },
});
const number = (name: 'executions' | 'lanes' | 'workers'): number => {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value > 0) return value;
  throw new RangeError(`--${name} ${values[name]}: write a whole number above 0`);
};
const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
console.log(`seed ${seed}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const report = await runKillDrill({
  executions: number('executions'),
  lanes: number('lanes'),
  workers: number('workers'),
  seed,
  say: (line) => console.log(line),
});
const during = Object.entries(report.killsDuring).sort(([a], [b]) => a.localeCompare(b));
console.log(
  [
    '',
    `executions             ${number('executions')} in ${report.seconds} s`,
    `succeeded              ${report.succeeded}`,
    `rolled back            ${report.rolledBack}`,
    `  outcome unknown      ${report.outcomeUnknown}`,
    `idempotent repeated    ${report.repeatedIdempotentSteps}`,
    `workers killed         ${report.kills}`,
    ...during.map(([phase, kills]) => `  ${phase.padEnd(20)} ${kills}`),
    `violations             ${report.violations.length}`,
    ...report.violations.map((violation) => `\n${violation}`),
  ].join('\n'),
);
process.exit(report.violations.length === 0 ? 0 : 1);
