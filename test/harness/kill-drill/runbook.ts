import { fileURLToPath } from 'node:url';

/** What the drill runs: a mix of steps that may be repeated and steps that may not, each with its undo. */
export const drillRunbook = 'kill-drill';

export interface DrillStep {
  number: number;
  idempotent: boolean;
  /** So that one that a crash has cut off is run again. */
  retries: number;
}

export const drillSteps: readonly DrillStep[] = [
  { number: 1, idempotent: true, retries: 3 },
  { number: 2, idempotent: false, retries: 0 },
  // would be run again if it only failed; cut off by a crash it must not be
  { number: 3, idempotent: false, retries: 3 },
  { number: 4, idempotent: true, retries: 3 },
  { number: 5, idempotent: true, retries: 0 },
  { number: 6, idempotent: false, retries: 0 },
];

const seconds = [0.5, 0.7, 0.5, 0.8, 0.6, 0.5];
const target = fileURLToPath(new URL('target.sh', import.meta.url));

/** Step 3 is a line of shell that leaves a child in the background; step 5 fails where `outcome` says so. */
export function runbookYaml(): string {
  const steps = drillSteps.map(({ number, idempotent, retries }) => {
    const words = [target, 'do', String(number), '{{log}}', String(seconds[number - 1])];
    const command =
      number === 3
        ? `exec /bin/sh ${words.join(' ')} leaves`
        : JSON.stringify(['/bin/sh', ...words, ...(number === 5 ? ['{{outcome}}'] : [])]);
    const undo = JSON.stringify(['/bin/sh', target, 'undo', String(number), '{{log}}', '0.4']);
    return `
  - name: Step ${number}
    command: ${command}
    idempotent: ${idempotent}
    retries: ${retries}
    retry_delay: 1
    timeout: 60
    rollback: ${undo}`;
  });
  return `
name: ${drillRunbook}
description: What the kill drill does to its targets
inputs:
  log: {}
  outcome: {}
execution: {mode: manual, cooldown: 0, max_per_hour: 1000, target: "{{log}}"}
steps:${steps.join('')}
`;
}
