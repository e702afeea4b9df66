import { type DrillStep, drillSteps } from './runbook.ts';

/** What one execution did to its target, by the target's own log. */
export interface TargetStory {
  /** Begins of idempotent steps after the first. */
  repeated: number;
  /** What must not have happened, in words. */
  violations: string[];
}

/** @param status as Holdfast says that the execution ended */
export function judge(log: string, status: string): TargetStory {
  const lines = log.split('\n').filter((line) => line !== '');
  const firstUndo = (number: number) => lines.indexOf(`undo ${number}`);
  const began = (number: number) => lines.filter((line) => line.startsWith(`begin ${number} `)).length;
  const violations = lines
    .filter((line) => line.startsWith('overtaken '))
    .map((line) => `an undo began while processes of its step lived: ${line}`);
  if (status !== 'succeeded' && status !== 'rolled_back') violations.push(`it ended as ${status}`);
  for (const step of drillSteps) violations.push(...stepViolations(lines, step, status));
  const undone = drillSteps.map(({ number }) => firstUndo(number)).filter((at) => at >= 0);
  if (undone.some((at, index) => index > 0 && at > (undone[index - 1] ?? 0))) {
    violations.push('it was not undone in reverse order');
  }
  const repeated = drillSteps
    .filter(({ idempotent }) => idempotent)
    .reduce((sum, { number }) => sum + Math.max(0, began(number) - 1), 0);
  return { repeated, violations };
}

function stepViolations(lines: readonly string[], step: DrillStep, status: string): string[] {
  const { number, idempotent } = step;
  const begins = lines.filter((line) => line.startsWith(`begin ${number} `)).length;
  const undoes = lines.filter((line) => line === `undo ${number}`).length;
  const undone = lines.lastIndexOf(`undone ${number}`);
  const firstUndo = lines.indexOf(`undo ${number}`);
  const after = (words: RegExp) => lines.findLastIndex((line) => words.test(line)) > firstUndo;
  const found: string[] = [];
  if (begins > 1 && !idempotent) found.push(`step ${number} ran ${begins} times without being idempotent`);
  if (status === 'rolled_back' && begins > 0 && undoes === 0) {
    found.push(`step ${number} was started and never undone`);
  }
  if (status === 'rolled_back' && undoes > 0 && undone < 0)
    found.push(`the undo of step ${number} never ended`);
  if (status === 'succeeded' && undoes > 0) found.push(`step ${number} was undone although all succeeded`);
  if (status === 'succeeded' && !lines.includes(`end ${number}`)) found.push(`step ${number} never ended`);
  if (firstUndo >= 0 && after(new RegExp(`^(begin|end|fail) ${number}\\b`))) {
    found.push(`step ${number} went on after its undo had begun`);
  }
  return found;
}
