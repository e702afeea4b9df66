import { setTimeout as delay } from 'node:timers/promises';
import type { DocumentDescription } from '@aws-sdk/client-ssm';
import type { RenderedAwsSsm } from '../../domain/runbook/rendered.ts';
import type { CheckContext, Finding, StepAdapter, StepContext, StepResult } from './adapter.ts';
import { AwsAwayError, AwsRefusedError, type AwsSsmDeps, markOf, obstacleOf, SsmApi } from './aws-ssm-api.ts';
import { describeInvocation, failureOf, type Invocation, isOver, lateWords } from './aws-ssm-status.ts';

export interface AwsSsmStepDeps extends AwsSsmDeps {
  /** How often a command is looked at, and AWS that is away asked again; absent: each second. */
  pollMs?: number;
  /** How long the instances have to end a command that is cancelled; absent: ten seconds. */
  cancelLimitMs?: number;
}

/** Beside `pollMs` per instance: GetCommandInvocation is asked for each, and AWS counts requests per second. */
const pollMsPerInstance = 100;

/** Sends a document's command to instances and waits until it has ended on all of them. */
export function createAwsSsmStep(deps: AwsSsmStepDeps): StepAdapter<RenderedAwsSsm> {
  const patience = { pollMs: deps.pollMs ?? 1000, cancelLimitMs: deps.cancelLimitMs ?? 10_000 };
  return {
    check: async (action, context) => await check(action, deps, context),
    run: async (action, context) => await run(action, { ...deps, ...patience }, context),
  };
}

type Patience = Required<Pick<AwsSsmStepDeps, 'pollMs' | 'cancelLimitMs'>>;

async function run(
  action: RenderedAwsSsm,
  deps: AwsSsmDeps & Patience,
  context: StepContext,
): Promise<StepResult> {
  const obstacle = obstacleOf(action);
  if (obstacle !== undefined) return { ok: false, error: obstacle };
  const timeout = AbortSignal.timeout(context.timeoutMs);
  const signal = AbortSignal.any([context.signal, timeout]);
  const api = await SsmApi.open(action, deps);
  const attempt = new Attempt({ action, api, context: { ...context, signal }, patience: deps });
  try {
    return await attempt.run();
  } catch (error) {
    if (context.signal.aborted) return await attempt.stop('cancelled');
    if (timeout.aborted) return await attempt.stop(lateWords(context.timeoutMs));
    return attempt.hasSent ? await attempt.stop(messageOf(error)) : { ok: false, error: messageOf(error) };
  } finally {
    api.close();
  }
}

class Attempt {
  private readonly action: RenderedAwsSsm;
  private readonly api: SsmApi;
  private readonly context: StepContext;
  private readonly patience: Patience;
  private readonly mark: string;
  private readonly invocations = new Map<string, Invocation>();
  private commandId: string | undefined;
  private last = 'AWS had not answered';

  constructor(given: { action: RenderedAwsSsm; api: SsmApi; context: StepContext; patience: Patience }) {
    this.action = given.action;
    this.api = given.api;
    this.context = given.context;
    this.patience = given.patience;
    this.mark = markOf(given.context.idempotencyKey);
  }

  get hasSent(): boolean {
    return this.commandId !== undefined;
  }

  async run(): Promise<StepResult> {
    const { output, signal } = this.context;
    this.commandId = await this.findEarlier();
    if (this.commandId === undefined) {
      this.commandId = await this.send();
      output.note(`command ${this.commandId}: ${this.action.document} in ${this.action.region}`);
    } else {
      output.note(`command ${this.commandId} was sent by an earlier attempt of this step; waiting for it`);
    }
    await this.follow(this.commandId, signal);
    return this.verdict();
  }

  /** Nothing of it may go on: what was sent is cancelled, and it is waited until that is so. */
  async stop(why: string): Promise<StepResult> {
    const limit = AbortSignal.timeout(this.patience.cancelLimitMs);
    // an earlier attempt's command may run, which this one had no time to find
    const commandId =
      this.commandId ?? (await this.api.findCommand(this.mark, limit).catch(() => undefined))?.id;
    if (commandId === undefined)
      return { ok: false, error: `${why} before a command was sent: ${this.last}` };
    this.context.output.note(`${why}: cancelling command ${commandId}`);
    try {
      await this.api.cancel(commandId, limit);
    } catch (error) {
      const running = this.running().join(', ');
      return {
        ok: false,
        error: `${why}; it may still run on ${running}: it could not be cancelled: ${messageOf(error)}`,
      };
    }
    try {
      await this.follow(commandId, limit);
    } catch (error) {
      const reason = limit.aborted ? 'it had not' : messageOf(error);
      return { ok: false, error: `${why}; it was told to end on ${this.running().join(', ')}: ${reason}` };
    }
    const verdict = this.verdict();
    return verdict.ok ? verdict : { ok: false, error: `${why}; it was ended (${verdict.error})` };
  }

  private async findEarlier(): Promise<string | undefined> {
    const { output, signal } = this.context;
    try {
      for (;;) {
        const found = await this.patiently(() => this.api.findCommand(this.mark, signal));
        if (!found?.isEnding) return found?.id;
        // beside it a second one would run
        const words = `command ${found.id} of an earlier attempt is still being cancelled`;
        if (words !== this.last) output.note(words);
        this.last = words;
        await delay(this.patience.pollMs, undefined, { signal });
      }
    } catch (error) {
      // the ledger repeats a step only if its author says that this does no harm: no reason to ask for a permission
      if (!(error instanceof AwsRefusedError) || error.code !== 'AccessDeniedException') throw error;
      output.note(`${error.message}: a command of an earlier attempt would not be found`);
      return undefined;
    }
  }

  /** Sends again only what was certainly not received; otherwise looks for the command. */
  private async send(): Promise<string> {
    const { output, timeoutMs, signal } = this.context;
    signal.throwIfAborted();
    try {
      return await this.patiently(
        () => this.api.send(this.mark, timeoutMs),
        (away) => !away.mayHaveActed,
      );
    } catch (error) {
      if (!(error instanceof AwsAwayError) || !error.mayHaveActed) throw error;
      output.note(`${error.message}; looking whether the command was sent`);
      // what was just sent may not be listed at once
      for (let looks = 0; looks < 5; looks += 1) {
        await delay(this.patience.pollMs);
        const found = await this.api.findCommand(this.mark, AbortSignal.timeout(this.patience.cancelLimitMs));
        if (found !== undefined) return found.id;
      }
      throw new Error(`no command was found after it was sent: ${error.message}`);
    }
  }

  private async follow(commandId: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      for (const id of this.running()) await this.look(commandId, id, signal);
      const running = this.running().length;
      if (running === 0) return;
      await delay(Math.max(this.patience.pollMs, running * pollMsPerInstance), undefined, { signal });
    }
  }

  private async look(commandId: string, instanceId: string, signal: AbortSignal): Promise<void> {
    const { output } = this.context;
    const before = this.invocations.get(instanceId);
    const now = await this.patiently(
      () => this.api.invocation(commandId, instanceId, signal),
      () => true,
      signal,
    );
    if (now === undefined) return;
    this.invocations.set(instanceId, now);
    const words = describeInvocation(now);
    if (before === undefined || describeInvocation(before) !== words) output.note(`${instanceId}: ${words}`);
    if (!isOver(now)) return;
    if (now.output !== '') output.note(now.output.trimEnd());
    if (now.errors !== '') output.note(now.errors.trimEnd());
  }

  private running(): string[] {
    return [...new Set(this.action.instanceIds)].filter((id) => {
      const invocation = this.invocations.get(id);
      return invocation === undefined || !isOver(invocation);
    });
  }

  private verdict(): StepResult {
    const error = failureOf(this.invocations);
    return error === undefined ? { ok: true } : { ok: false, error };
  }

  /** Asks until AWS answers, or `again` says that this must not be repeated. */
  private async patiently<T>(
    ask: () => Promise<T>,
    again: (away: AwsAwayError) => boolean = () => true,
    signal: AbortSignal = this.context.signal,
  ): Promise<T> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof AwsAwayError) || signal.aborted || !again(error)) throw error;
        if (error.message !== this.last) this.context.output.note(`${error.message}; asking again`);
        this.last = error.message;
        await delay(this.patience.pollMs, undefined, { signal });
      }
    }
  }
}

async function check(action: RenderedAwsSsm, deps: AwsSsmDeps, context: CheckContext): Promise<Finding[]> {
  const obstacle = obstacleOf(action);
  if (obstacle !== undefined) return [{ ok: false, what: 'AWS SSM', detail: obstacle }];
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(context.timeoutMs)]);
  const api = await SsmApi.open(action, deps);
  try {
    return [...(await checkDocument(action, api, signal)), ...(await checkInstances(action, api, signal))];
  } finally {
    api.close();
  }
}

async function checkDocument(action: RenderedAwsSsm, api: SsmApi, signal: AbortSignal): Promise<Finding[]> {
  const what = `SSM document ${action.document}`;
  let found: DocumentDescription;
  try {
    found = await api.document(signal);
  } catch (error) {
    return [{ ok: false, what, detail: lookedAt(error) }];
  }
  const { DocumentType = 'Command', Status = 'Active', PlatformTypes = [], Parameters = [] } = found;
  if (DocumentType !== 'Command') {
    return [{ ok: false, what, detail: `is of type ${DocumentType}; only a Command document can be sent` }];
  }
  const known = new Map(Parameters.map(({ Name = '', DefaultValue }) => [Name, DefaultValue]));
  const given = Object.keys(action.parameters);
  const unknown = given.filter((name) => !known.has(name));
  const lacking = [...known].filter(([name, value]) => value === undefined && !given.includes(name));
  const wrong = [
    ...(Status === 'Active' ? [] : [`its status is ${Status}`]),
    ...unknown.map((name) => `it has no parameter '${name}'`),
    ...lacking.map(([name]) => `its parameter '${name}' is required`),
  ];
  const detail =
    wrong.length > 0 ? wrong.join('; ') : `is there, for ${PlatformTypes.join(', ') || 'any platform'}`;
  return [{ ok: wrong.length === 0, what, detail }];
}

async function checkInstances(action: RenderedAwsSsm, api: SsmApi, signal: AbortSignal): Promise<Finding[]> {
  try {
    const found = new Map((await api.instances(signal)).map((instance) => [instance.InstanceId, instance]));
    return [...new Set(action.instanceIds)].map((id) => {
      const instance = found.get(id);
      if (!instance) return { ok: false, what: id, detail: `is not managed by SSM in ${action.region}` };
      const { PingStatus = 'unknown', PlatformName = '', ComputerName = '' } = instance;
      const about = [ComputerName, PlatformName].filter(Boolean).join(', ');
      return { ok: PingStatus === 'Online', what: id, detail: `${PingStatus}${about ? ` (${about})` : ''}` };
    });
  } catch (error) {
    return [{ ok: false, what: 'instances', detail: lookedAt(error) }];
  }
}

function lookedAt(error: unknown): string {
  return error instanceof AwsRefusedError && error.code === 'AccessDeniedException'
    ? `cannot be looked at: ${error.message}; only the dry run needs this permission`
    : messageOf(error);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
