import { type ExecutionDetail, type ExecutionStep, executionDetail } from './answers.ts';
import type { CommandContext } from './command.ts';
import { CliError, type ExitCode, exitCodes } from './exit-codes.ts';
import type { Answer } from './holdfast-api.ts';
import type { Printer } from './terminal.ts';
import { instantText, statusText, statusWord } from './words.ts';

const betweenMs = 1_000;
/** Holdfast may restart meanwhile; the execution goes on. */
const patienceMs = 60_000;

/** Prints what happens as it happens, until the execution has ended. With `silent`, only waits. */
export async function follow(
  id: string,
  { api, printer, pause, now }: CommandContext,
  silent = false,
): Promise<Answer<ExecutionDetail>> {
  const story = createStory(printer);
  let answered = now();
  for (;;) {
    try {
      const answer = await api.get(`/api/v1/executions/${id}`, executionDetail);
      answered = now();
      if (!silent) story.tell(answer.data);
      if (answer.data.finishedAt !== null) return answer;
    } catch (error) {
      const away = error instanceof CliError && error.exitCode === exitCodes.unreachable;
      if (!away || now() - answered > patienceMs) throw error;
    }
    await pause(betweenMs);
  }
}

/** Whether what was asked for came about. */
export function exitCodeOf(execution: ExecutionDetail): ExitCode {
  return execution.status === 'succeeded' ? exitCodes.done : exitCodes.negative;
}

interface Part {
  status: string | null;
  attempts: number;
  output: string;
  error: string | null;
}

/** Remembers what was said, so that each look at an execution adds only what is new. */
export function createStory(printer: Printer): { tell(execution: ExecutionDetail): void } {
  const told = new Map<string, Part>();
  const asked = new Set<string>();
  let status = '';
  let waitedFor: string | null = null;
  let withinLine = false;

  function output(text: string): void {
    if (text === '') return;
    printer.output(text);
    withinLine = !text.endsWith('\n');
  }

  function endLine(): void {
    if (withinLine) printer.output('\n');
    withinLine = false;
  }

  function tellPart(key: string, label: string, now: Part): void {
    const before = told.get(key) ?? { status: null, attempts: 0, output: '', error: null };
    told.set(key, now);
    const began = now.attempts > before.attempts || (before.status === null && now.output !== '');
    if (began) {
      endLine();
      const again = now.attempts > 1 ? ` (attempt ${now.attempts})` : '';
      printer.line({ text: '>', colour: 'cyan' }, { text: `${label}${again}`, colour: 'bold' });
    }
    output(newOutput(before.output, now.output));
    if (now.status === before.status || now.status === null || quiet.has(now.status)) return;
    endLine();
    printer.line(' ', statusWord(now.status), label, ...(now.error ? [`- ${now.error}`] : []));
  }

  return {
    tell(execution) {
      if (status === '') {
        printer.line(
          'execution',
          execution.id,
          'of',
          { text: execution.runbook, colour: 'bold' },
          `version ${execution.runbookVersion} on`,
          execution.target,
        );
      }
      for (const approval of execution.approvals) {
        if (approval.status !== 'pending' && asked.delete(approval.id)) {
          printer.line('approval:', statusWord(approval.status), votesOf(approval.votes));
        }
      }
      const waits = waitsFor(execution);
      if (waits !== null && waits !== waitedFor) {
        endLine();
        printer.line({ text: 'waits', colour: 'yellow' }, waits);
      }
      waitedFor = waits;
      for (const [index, step] of execution.steps.entries()) {
        tellPart(`step ${index}`, labelOf(step, index), step);
      }
      // undone in reverse
      for (const [index, step] of [...execution.steps.entries()].reverse()) {
        if (!step.rollback) continue;
        const alreadySaid = told.get(`undo ${index}`)?.status === 'waiting';
        tellPart(`undo ${index}`, `undo of ${labelOf(step, index)}`, step.rollback);
        if (step.rollback.status === 'waiting' && !alreadySaid) printer.say(howToDecide(execution.id, index));
      }
      // after the steps that led to it
      for (const approval of execution.approvals) {
        if (approval.status !== 'pending' || asked.has(approval.id)) continue;
        asked.add(approval.id);
        endLine();
        printer.line(
          { text: 'waits for approval', colour: 'yellow' },
          `until ${instantText(approval.expiresAt)}: ${howToVote(approval.id)}`,
        );
      }
      if (execution.status !== status && execution.finishedAt !== null) {
        endLine();
        printer.line(
          statusWord(execution.status),
          ...(execution.statusReason ? [`- ${execution.statusReason}`] : []),
        );
      }
      status = execution.status;
    },
  };
}

export const howToVote = (approvalId: string): string => `holdfast approve ${approvalId}`;

/** Of an undo that failed; `index` counts from 0. */
export function howToDecide(executionId: string, index: number): string {
  const undo = `holdfast execution undo ${executionId} ${index + 1}`;
  return `  waits for a person: ${undo} retry, or ${undo} skip --reason WHY`;
}

function waitsFor({ standing: { queue, runner } }: ExecutionDetail): string | null {
  if (queue) {
    const holder = queue.holder ? `execution ${queue.holder.id} of ${queue.holder.runbook}` : 'another';
    return `for its target, which ${holder} works on; ${queue.place} in the queue`;
  }
  if (!runner) return null;
  const seen = runner.lastSeenAt === null ? 'never seen' : `last seen ${instantText(runner.lastSeenAt)}`;
  return `for the runner ${runner.queue} to take step ${runner.index + 1} (${seen})`;
}

/** That a step is under way shows by its beginning; that it has not begun, by nothing. */
const quiet = new Set(['pending', 'running', 'registered']);

function labelOf(step: ExecutionStep, index: number): string {
  return `${index + 1}. ${step.name}`;
}

export function votesOf(
  votes: readonly { person: string; decision: string; reason: string | null }[],
): string {
  return votes
    .map(
      ({ person, decision, reason }) => `${person}: ${statusText(decision)}${reason ? ` (${reason})` : ''}`,
    )
    .join(', ');
}

/** What was kept of an output may have lost its beginning since: it goes on where the end of the old one stands. */
export function newOutput(before: string, now: string): string {
  if (now.startsWith(before)) return now.slice(before.length);
  const tail = before.slice(-200);
  const at = now.lastIndexOf(tail);
  return at < 0 ? `\n[what came between was too much to keep]\n${now}` : now.slice(at + tail.length);
}
