import { setTimeout as delay } from 'node:timers/promises';
import { CancelledFailure, Context, log } from '@temporalio/activity';
import { attemptKey, type StepAttempt } from '../db/step-ledger.ts';
import type { PlacedStep } from '../domain/runbook/attempt-view.ts';
import type { EffectAction, StepDefinition } from '../domain/runbook/definition.ts';
import { renderAction } from '../domain/runbook/render.ts';
import type { RenderedAction } from '../domain/runbook/rendered.ts';
import { secretValuesOf } from '../domain/runbook/secret.ts';
import { type SecretSource, SecretUnavailableError } from './secrets/secret-source.ts';
import type { StepResult } from './steps/adapter.ts';
import { adapterFor, type StepAdapters } from './steps/adapters.ts';
import { EgressRefusedError, EgressRules } from './steps/egress.ts';
import {
  type LedgerAttempt,
  LedgerUnavailableError,
  type LoadedAttempt,
  type StepLedger,
} from './steps/ledger.ts';
import { StepOutput } from './steps/output.ts';
import { describeThisProcess, endOrphan, graceMs, hasEnded, isElsewhere } from './steps/process-group.ts';
import { maskingSecrets, usesSecretInput, valuesFor } from './steps/secrets.ts';

export interface StepDeps {
  ledger: StepLedger;
  adapters: StepAdapters;
  secretSource: SecretSource;
  /** HOLDFAST_EGRESS_ALLOW: hosts that variables may lead to, whatever the runbook allows. */
  egressAllow: readonly string[];
  /** What commands see: `commandEnvironment(process.env)`. */
  environment: Readonly<Record<string, string>>;
  /** Holdfast's own secrets, masked in every output. */
  secrets?: readonly string[];
  /** Whether Temporal can be reached; asked while the ledger is away. */
  temporalAnswers?: () => Promise<boolean>;
  /** How long an attempt elsewhere that was replaced has to see that and to end what it runs. */
  replacedEndsMs?: number;
}

/** One call is one attempt. Written into histories: what is added has to be optional. */
export type RunStepInput = LedgerAttempt;

export interface StepOutcome {
  ok: boolean;
  error?: string;
  /** A crash left open how an earlier attempt ended, and the step may not be run again. */
  outcomeUnknown?: true;
}

export type StepActivities = ReturnType<typeof createStepActivities>;

/** How often output is written and the attempt asks whether it is still the one that counts. */
const beatMs = 500;
const heartbeatMs = 2_500;
/** How long a ledger that is away is waited for: less than the workflow waits for the step beyond its time-out. */
const patienceMs = 12_000;
/** Less than the workflow waits for a heartbeat: what it takes for lost is gone when the undo begins. */
const cutOffMs = 10_000;
/** It looks every beat, asks its command to end, and after the grace period ends it. */
const usualReplacedEndsMs = 4 * beatMs + 2 * graceMs;
/** Characters of what an attempt says that it failed of. */
const longestError = 4_000;

export function createStepActivities(deps: StepDeps) {
  // a mistyped entry is found when the worker starts
  new EgressRules(deps.egressAllow);
  return {
    /**
     * One attempt of a step or of its undo. Answers how it ended; throws CancelledFailure when it was cancelled,
     * after its processes are gone, and LedgerUnavailableError when the ledger stays away.
     */
    async runStep(input: RunStepInput): Promise<StepOutcome> {
      const heart = setInterval(() => Context.current().heartbeat(), heartbeatMs);
      try {
        return await new StepRun(deps, input).run();
      } finally {
        clearInterval(heart);
      }
    },
  };
}

class StepRun {
  private readonly deps: StepDeps;
  private readonly input: RunStepInput;
  private readonly key: string;
  private readonly signal = Context.current().cancellationSignal;

  constructor(deps: StepDeps, input: RunStepInput) {
    this.deps = deps;
    this.input = input;
    this.key = attemptKey(input);
  }

  async run(): Promise<StepOutcome> {
    const { executionId, index, phase } = this.input;
    const { ledger } = this.deps;
    const loaded = await this.patiently(() => ledger.load(this.input));
    if (!loaded) return { ok: false, error: `execution ${executionId} has no step ${index + 1}` };
    const { step, scope, own, open, before, said } = loaded;
    if (own && own.status !== 'started') return outcomeOf(own);

    const ended = await this.endOrphans({ open, before });
    const lost = open.some((attempt) => attempt.index === index && attempt.phase === phase);
    if (lost && phase === 'step' && !step.definition.idempotent) {
      await this.patiently(() => ledger.abandon(this.input, keysOf(open)));
      return {
        ok: false,
        error:
          'a crash left its outcome unknown and it does not say idempotent: true, so it is not run again',
        outcomeUnknown: true,
      };
    }

    const output = new StepOutput({ secrets: [...(this.deps.secrets ?? []), ...secretValuesOf(scope)] });
    if (said !== '') output.note(said.trimEnd());
    if (this.input.attempt > 1 || lost) output.note(`— attempt ${this.input.attempt} —`);
    for (const { key } of ended) output.note(`ended what was left of ${key}`);

    const secrets = maskingSecrets(this.deps.secretSource, output);
    const ready = await this.prepare(loaded, secrets);
    if ('error' in ready) return { ok: false, error: presentable(ready.error, output) };
    const carrier = await describeThisProcess();
    const counts = await this.patiently(() =>
      ledger.begin(this.input, { carrier, abandoned: keysOf(open).filter((key) => key !== this.key) }),
    );
    if (!counts) return replaced;
    return await this.act(ready, { output, secrets });
  }

  /** Renders the step, and looks at all others too: a host that is refused shows before anything has run. */
  private async prepare(
    loaded: LoadedAttempt,
    secrets: SecretSource,
  ): Promise<Prepared | { ok: false; error: string }> {
    const { definition } = loaded.step;
    const undoing = this.input.phase === 'undo';
    const part = undoing ? definition.rollback : definition;
    if (!part) return { ok: false, error: `step '${definition.name}' has no rollback` };
    if (!isEffect(part.action)) {
      return { ok: false, error: `step '${definition.name}' is not carried out by a worker` };
    }
    try {
      if (!undoing) for (const other of loaded.beside) this.checkHosts(other);
      const action = renderAction(part.action, await valuesFor(part.action, loaded.scope, secrets));
      const egress = this.egressOf(loaded);
      checkHost(action, egress);
      return { action, timeoutMs: part.timeoutMs, egress };
    } catch (error) {
      const refused = [RangeError, EgressRefusedError, SecretUnavailableError];
      if (refused.some((kind) => error instanceof kind)) {
        return { ok: false, error: error instanceof Error ? error.message : String(error) };
      }
      throw error;
    }
  }

  /** Where a secret decides the host, only the step's own turn can tell. */
  private checkHosts(placed: PlacedStep): void {
    const { definition } = placed.step;
    for (const action of [definition.action, ...(definition.rollback ? [definition.rollback.action] : [])]) {
      if (!isEffect(action) || usesSecretInput(action, placed.scope)) continue;
      checkHost(renderAction(action, placed.scope.values), this.egressOf(placed));
    }
  }

  private egressOf({ scope }: PlacedStep): EgressRules {
    return new EgressRules([...scope.allowedHosts, ...this.deps.egressAllow]);
  }

  private async act(
    { action, timeoutMs, egress }: Prepared,
    { output, secrets }: { output: StepOutput; secrets: SecretSource },
  ): Promise<StepOutcome> {
    const fence = new AbortController();
    const over = new AbortController();
    const reporting = this.report(output, fence, over.signal);
    const { executionId, phase, index } = this.input;
    let result: StepResult;
    try {
      result = await adapterFor(this.deps.adapters, action).run(action, {
        timeoutMs,
        signal: AbortSignal.any([this.signal, fence.signal]),
        output,
        egress,
        secrets,
        environment: { ...this.deps.environment, HOLDFAST_EXECUTION_ID: executionId },
        key: this.key,
        idempotencyKey: `execution:${executionId}:${phase}:${index}`,
        started: async (group) => {
          const counts = await this.patiently(() => this.deps.ledger.note(this.input, group));
          if (!counts) throw new Error(replaced.error);
        },
      });
    } catch (error) {
      result = { ok: false, error: error instanceof Error ? error.message : String(error) };
    }
    over.abort();
    await reporting;
    if (!result.ok) {
      output.note(result.error);
      result = { ok: false, error: presentable(result.error, output) };
    }
    const ended = { ...result, output: output.text() };
    await this.patiently(() => this.deps.ledger.end(this.input, ended));
    if (this.signal.aborted && !result.ok) {
      if (Context.current().cancellationDetails?.workerShutdown) {
        return { ok: false, error: 'the worker that ran it was shut down; it was ended' };
      }
      throw new CancelledFailure(result.error);
    }
    return result;
  }

  /** Writes new output down at most twice a second, and stops the step once another attempt has replaced it. */
  private async report(output: StepOutput, fence: AbortController, over: AbortSignal): Promise<void> {
    let confirmedAt = Date.now();
    let away = false;
    while (!over.aborted) {
      await delay(beatMs, undefined, { signal: over }).catch(() => undefined);
      if (over.aborted) return;
      const text = output.takeChanged();
      try {
        if (!(await this.deps.ledger.report(this.input, text))) fence.abort();
        confirmedAt = Date.now();
        away = false;
      } catch (error) {
        // the step goes on; its output is written again at the end at the latest
        if (!away)
          log.warn('The output of a step cannot be written', { key: this.key, error: String(error) });
        away = true;
        if (Date.now() - confirmedAt > cutOffMs && !(await this.reachesTemporal())) {
          output.note('cut off from Holdfast and from Temporal: nobody could tell it to end, so it is ended');
          fence.abort();
        }
      }
    }
  }

  /** Cut off from both, an attempt is taken for lost, and its undo begins where nobody can ask it to end. */
  private async reachesTemporal(): Promise<boolean> {
    return (await this.deps.temporalAnswers?.()) ?? true;
  }

  /** Nothing of this execution may run any more when the next thing begins. Returns what had to be ended. */
  private async endOrphans({ open, before }: Pick<LoadedAttempt, 'open' | 'before'>): Promise<StepAttempt[]> {
    const ended: StepAttempt[] = [];
    // what a step that succeeded left in the background is part of what is undone
    for (const attempt of [...open, ...before]) {
      const { group } = attempt.detail;
      if (group && (await endOrphan(group, attempt.key))) ended.push(attempt);
    }
    if (await mayRunOn(open)) {
      // a worker that lives on, cut off from Temporal alone, sees that it was replaced and ends what it runs
      await this.patiently(() => this.deps.ledger.abandon(this.input, keysOf(open)));
      await delay(this.deps.replacedEndsMs ?? usualReplacedEndsMs);
    }
    return ended;
  }

  /** A ledger that is away for a while fails no step: before it began nothing is lost by waiting, afterwards much. */
  private async patiently<T>(work: () => Promise<T>): Promise<T> {
    const until = Date.now() + patienceMs;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof LedgerUnavailableError) || Date.now() > until) throw error;
        await delay(beatMs);
      }
    }
  }
}

const replaced = { ok: false, error: 'another attempt has taken the place of this one' } as const;

interface Prepared {
  action: RenderedAction;
  timeoutMs: number;
  egress: EgressRules;
}

function isEffect(action: StepDefinition['action']): action is EffectAction {
  return (
    action.kind !== 'wait' &&
    action.kind !== 'approval' &&
    action.kind !== 'notify' &&
    action.kind !== 'runbook'
  );
}

/** Throws EgressRefusedError. Addresses that a name leads to are checked when they are connected to. */
function checkHost(action: RenderedAction, egress: EgressRules): void {
  if (action.kind === 'http') egress.checkUrl(action.url, !action.hostFromVariable);
  if (action.kind === 'ssh') egress.checkHost({ ...action, trusted: !action.hostFromVariable });
  if (action.kind === 'prometheus' && action.url) egress.checkUrl(action.url, !action.hostFromVariable);
}

/** Whether an attempt may still be at work where nobody here can end it. */
async function mayRunOn(open: readonly StepAttempt[]): Promise<boolean> {
  for (const { detail } of open) {
    const { group, carrier } = detail;
    if (group && isElsewhere(group)) return true;
    if (carrier && !(await hasEnded(carrier))) return true;
  }
  return false;
}

/** Without secrets, and short enough for a history and a page: the whole stands in the output. */
function presentable(error: string, output: StepOutput): string {
  const masked = output.mask(error);
  return masked.length > longestError ? `${masked.slice(0, longestError)}…` : masked;
}

function keysOf(attempts: readonly StepAttempt[]): string[] {
  return attempts.map(({ key }) => key);
}

function outcomeOf(attempt: StepAttempt): StepOutcome {
  if (attempt.status === 'succeeded') return { ok: true };
  const { error, outcomeUnknown } = attempt.detail;
  return { ok: false, error: error ?? 'it failed', ...(outcomeUnknown ? { outcomeUnknown } : {}) };
}
