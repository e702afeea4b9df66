import { setTimeout as delay } from 'node:timers/promises';
import { CancelledFailure, Context, log } from '@temporalio/activity';
import { type Database, DatabaseUnavailableError, type Tx } from '../db/database.ts';
import {
  abandonAttempts,
  beginAttempt,
  endAttempt,
  findAttempts,
  isAttemptOpen,
  loadStepOutput,
  loadStepPlan,
  noteAttempt,
  type StepAttempt,
  type StepPhase,
  type StepPlan,
  saveStepOutput,
} from '../db/step-ledger.ts';
import type { StepDefinition } from '../domain/runbook/definition.ts';
import { type RenderedAction, renderAction } from '../domain/runbook/render.ts';
import { secretValues } from '../domain/runbook/secret.ts';
import { runCommand, type StepResult } from './steps/command.ts';
import { EgressRefusedError, EgressRules } from './steps/egress.ts';
import { runHttp } from './steps/http.ts';
import { StepOutput } from './steps/output.ts';
import { endOrphan, graceMs, isElsewhere } from './steps/process-group.ts';

export interface StepDeps {
  db: Pick<Database, 'write'>;
  /** HOLDFAST_EGRESS_ALLOW: hosts that variables may lead to, whatever the runbook allows. */
  egressAllow: readonly string[];
  /** What commands see: `commandEnvironment(process.env)`. */
  environment: Readonly<Record<string, string>>;
  /** Holdfast's own secrets, masked in every output. */
  secrets?: readonly string[];
}

export interface RunStepInput {
  orgId: string;
  executionId: string;
  /** Position in the runbook's steps, from 0. */
  index: number;
  phase: StepPhase;
  /** From 1; one call is one attempt. */
  attempt: number;
}

export type StepActivities = ReturnType<typeof createStepActivities>;

/** How often output is written and the attempt asks whether it is still the one that counts. */
const beatMs = 500;
const heartbeatMs = 2_500;
/** How long a database that is away is waited for: less than the workflow waits for the step beyond its time-out. */
const patienceMs = 12_000;

export function createStepActivities(deps: StepDeps) {
  // a mistyped entry is found when the worker starts
  new EgressRules(deps.egressAllow);
  return {
    /**
     * One attempt of a step or of its undo. Answers how it ended; throws CancelledFailure when it was cancelled,
     * after its processes are gone, and DatabaseUnavailableError when the database stays away.
     */
    async runStep(input: RunStepInput): Promise<{ ok: boolean; error?: string }> {
      const heart = setInterval(() => Context.current().heartbeat(), heartbeatMs);
      try {
        return await new StepRun(deps, input).run();
      } finally {
        clearInterval(heart);
      }
    },
  };
}

export function stepKey({ executionId, phase, index, attempt }: Omit<RunStepInput, 'orgId'>): string {
  return `execution:${executionId}:${phase}:${index}:${attempt}`;
}

class StepRun {
  private readonly deps: StepDeps;
  private readonly input: RunStepInput;
  private readonly key: string;
  private readonly signal = Context.current().cancellationSignal;

  constructor(deps: StepDeps, input: RunStepInput) {
    this.deps = deps;
    this.input = input;
    this.key = stepKey(input);
  }

  async run(): Promise<StepResult> {
    const { executionId, index, phase } = this.input;
    const { plan, own, open, said } = await this.patiently(async (tx) => ({
      plan: await loadStepPlan(tx, executionId),
      ...(await findAttempts(tx, { executionId, key: this.key })),
      said: await loadStepOutput(tx, { executionId, index, phase }),
    }));
    const step = plan?.definition.steps[index];
    if (!plan || !step) return { ok: false, error: `execution ${executionId} has no step ${index + 1}` };
    if (own && own.status !== 'started') return outcomeOf(own);

    const ended = await this.endOrphans(open);
    const lost = open.some((attempt) => attempt.index === index && attempt.phase === phase);
    if (lost && phase === 'step' && !step.idempotent) {
      await this.patiently((tx) => abandonAttempts(tx, keysOf(open)));
      return {
        ok: false,
        error:
          'a crash left its outcome unknown and it does not say idempotent: true, so it is not run again',
      };
    }

    const output = new StepOutput({
      secrets: [...(this.deps.secrets ?? []), ...secretValues(plan.definition, plan.inputs)],
    });
    if (said !== '') output.note(said.trimEnd());
    if (this.input.attempt > 1 || lost) output.note(`— attempt ${this.input.attempt} —`);
    for (const { key } of ended) output.note(`ended what was left of ${key}`);

    const ready = this.prepare(plan, step);
    if ('error' in ready) return { ok: false, error: output.mask(ready.error) };
    await this.patiently((tx) =>
      beginAttempt(tx, {
        orgId: this.input.orgId,
        key: this.key,
        detail: { executionId, index, phase },
        abandoned: keysOf(open).filter((key) => key !== this.key),
      }),
    );
    return await this.act(ready, output);
  }

  /** Renders the step, and looks at all others too: a host that is refused shows before anything has run. */
  private prepare(plan: StepPlan, step: StepDefinition): Prepared | { ok: false; error: string } {
    const undoing = this.input.phase === 'undo';
    const part = undoing ? step.rollback : step;
    if (!part) return { ok: false, error: `step '${step.name}' has no rollback` };
    try {
      const egress = new EgressRules([...plan.definition.execution.allowedHosts, ...this.deps.egressAllow]);
      const action = renderAction(part.action, plan.inputs);
      if (!undoing) {
        for (const other of plan.definition.steps) checkEgress(other, plan.inputs, egress);
      }
      return { action, timeoutMs: part.timeoutMs, egress };
    } catch (error) {
      if (error instanceof RangeError || error instanceof EgressRefusedError) {
        return { ok: false, error: error.message };
      }
      throw error;
    }
  }

  private async act({ action, timeoutMs, egress }: Prepared, output: StepOutput): Promise<StepResult> {
    const fence = new AbortController();
    const over = new AbortController();
    const reporting = this.report(output, fence, over.signal);
    const signal = AbortSignal.any([this.signal, fence.signal]);
    let result: StepResult;
    try {
      result = await this.runAction(action, { timeoutMs, signal, output, egress });
    } catch (error) {
      result = { ok: false, error: error instanceof Error ? error.message : String(error) };
    }
    over.abort();
    await reporting;
    if (!result.ok) {
      result = { ok: false, error: output.mask(result.error) };
      output.note(result.error);
    }
    await this.recordEnd(result, output);
    if (this.signal.aborted && !result.ok) {
      if (Context.current().cancellationDetails?.workerShutdown) {
        return { ok: false, error: 'the worker that ran it was shut down; it was ended' };
      }
      throw new CancelledFailure(result.error);
    }
    return result;
  }

  private async runAction(
    action: RenderedAction,
    context: { timeoutMs: number; signal: AbortSignal; output: StepOutput; egress: EgressRules },
  ): Promise<StepResult> {
    const { executionId, phase, index } = this.input;
    if (action.kind === 'http') {
      return await runHttp(action, {
        ...context,
        idempotencyKey: `execution:${executionId}:${phase}:${index}`,
      });
    }
    return await runCommand(action, {
      ...context,
      key: this.key,
      environment: { ...this.deps.environment, HOLDFAST_EXECUTION_ID: executionId },
      started: async (group) => {
        const counts = await this.patiently((tx) => noteAttempt(tx, { key: this.key, detail: { group } }));
        if (!counts) throw new Error('another attempt has taken the place of this one');
      },
    });
  }

  /** Writes new output down at most twice a second, and stops the step once another attempt has replaced it. */
  private async report(output: StepOutput, fence: AbortController, over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      await delay(beatMs, undefined, { signal: over }).catch(() => undefined);
      if (over.aborted) return;
      const text = output.takeChanged();
      try {
        const counts = await this.write(async (tx) => {
          const open = await isAttemptOpen(tx, this.key);
          if (open && text !== undefined) await saveStepOutput(tx, { ...this.input, output: text });
          return open;
        });
        if (!counts) fence.abort();
      } catch (error) {
        // the step goes on; its output is written again at the end at the latest
        log.warn('The output of a step could not be written', { key: this.key, error: String(error) });
      }
    }
  }

  private async recordEnd(result: StepResult, output: StepOutput): Promise<void> {
    await this.patiently(async (tx) => {
      if (!(await isAttemptOpen(tx, this.key))) return;
      await saveStepOutput(tx, { ...this.input, output: output.text() });
      await endAttempt(tx, { key: this.key, ok: result.ok, error: result.ok ? undefined : result.error });
    });
  }

  /** Nothing of this execution may run any more when the next thing begins. Returns what had to be ended. */
  private async endOrphans(open: readonly StepAttempt[]): Promise<StepAttempt[]> {
    const ended: StepAttempt[] = [];
    for (const attempt of open) {
      const { group } = attempt.detail;
      if (group && (await endOrphan(group, attempt.key))) ended.push(attempt);
    }
    if (open.some(({ detail: { group } }) => group && isElsewhere(group))) {
      // a worker that lives on elsewhere, cut off from Temporal alone, sees that it was replaced and ends its command
      await this.patiently((tx) => abandonAttempts(tx, keysOf(open)));
      await delay(2 * beatMs + graceMs);
    }
    return ended;
  }

  /** A database that restarts fails no step: before it began nothing is lost by waiting, afterwards much by not. */
  private async patiently<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const until = Date.now() + patienceMs;
    for (;;) {
      try {
        return await this.write(work);
      } catch (error) {
        if (!(error instanceof DatabaseUnavailableError) || Date.now() > until) throw error;
        await delay(beatMs);
      }
    }
  }

  private async write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return await this.deps.db.write({ orgId: this.input.orgId }, work);
  }
}

interface Prepared {
  action: RenderedAction;
  timeoutMs: number;
  egress: EgressRules;
}

function checkEgress(step: StepDefinition, inputs: Record<string, string>, egress: EgressRules): void {
  for (const action of [step.action, ...(step.rollback ? [step.rollback.action] : [])]) {
    if (action.kind !== 'http') continue;
    const request = renderAction(action, inputs);
    if (request.kind === 'http') egress.checkUrl(request.url, !request.hostFromVariable);
  }
}

function keysOf(attempts: readonly StepAttempt[]): string[] {
  return attempts.map(({ key }) => key);
}

function outcomeOf(attempt: StepAttempt): StepResult {
  if (attempt.status === 'succeeded') return { ok: true };
  return { ok: false, error: attempt.detail.error ?? 'it failed' };
}
