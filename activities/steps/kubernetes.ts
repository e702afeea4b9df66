import { setTimeout as delay } from 'node:timers/promises';
import type { V1ResourceAttributes } from '@kubernetes/client-node';
import { formatDuration } from '../../domain/duration.ts';
import type { RenderedKubernetes } from '../../domain/runbook/rendered.ts';
import { innermostReason } from '../innermost-reason.ts';
import type { CheckContext, Finding, StepAdapter, StepContext, StepResult } from './adapter.ts';
import { type KubernetesAccess, type KubernetesDeps, openCluster } from './kubernetes-access.ts';
import { ClusterAwayError, ClusterRefusedError, WorkloadApi } from './kubernetes-api.ts';
import { replicasOf, resourceOf, restartObstacle, rolloutOf, type Workload } from './kubernetes-rollout.ts';

/** How often a rollout is looked at, and an API server that is away asked again. */
const pollMs = 1000;

/** What `kubectl rollout restart` sets, and how people find out when it was. */
const restartedAt = 'kubectl.kubernetes.io/restartedAt';
/** Beside it, by which another attempt of the same step knows that the restart is done. */
const restartedBy = 'holdfast/restarted-by';

/** Restarts a workload, scales it, or waits until it is ready. */
export function createKubernetesStep(deps: KubernetesDeps): StepAdapter<RenderedKubernetes> {
  return {
    check: async (action, context) => await check(action, deps, context),
    run: async (action, context) => await run(action, deps, context),
  };
}

async function run(
  action: RenderedKubernetes,
  deps: KubernetesDeps,
  context: StepContext,
): Promise<StepResult> {
  const timeout = AbortSignal.timeout(context.timeoutMs);
  const signal = AbortSignal.any([context.signal, timeout]);
  const addSecret = (secret: string): void => context.output.addSecret(secret);
  let access: KubernetesAccess | undefined;
  let attempt: Attempt | undefined;
  try {
    access = await openCluster(action, deps, { ...context, signal, addSecret });
    context.output.note(`${access.words}: ${action.workload} ${action.namespace}/${action.name}`);
    attempt = new Attempt(action, new WorkloadApi(access, action), { ...context, signal });
    return await attempt.run();
  } catch (error) {
    if (!signal.aborted) return { ok: false, error: innermostReason(error) };
    const why = context.signal.aborted ? 'cancelled' : `timed out after ${formatDuration(context.timeoutMs)}`;
    return { ok: false, error: `${why}${attempt ? attempt.standing() : ' before the cluster was asked'}` };
  } finally {
    await access?.close();
  }
}

class Attempt {
  private readonly action: RenderedKubernetes;
  private readonly api: WorkloadApi;
  private readonly context: StepContext;
  private change: 'not sent' | 'being sent' | 'made' = 'not sent';
  private last = 'the API server had not answered';

  constructor(action: RenderedKubernetes, api: WorkloadApi, context: StepContext) {
    this.action = action;
    this.api = api;
    this.context = context;
  }

  async run(): Promise<StepResult> {
    const { operation } = this.action;
    if (operation.do === 'wait_ready') return await this.untilReady();
    const problem = operation.do === 'restart' ? await this.restart() : await this.scale(operation.replicas);
    if (problem !== undefined) return { ok: false, error: problem };
    return this.action.wait ? await this.untilReady() : { ok: true };
  }

  /** For the error of an attempt that was stopped. */
  standing(): string {
    const effects = {
      'not sent': '',
      'being sent': '; the change may have been made',
      made: '; what was changed stays, and the cluster goes on with it',
    };
    return `: ${this.last}${effects[this.change]}`;
  }

  private async restart(): Promise<string | undefined> {
    const { idempotencyKey, output } = this.context;
    const isDone = ({ object }: Workload): boolean =>
      object.spec?.template.metadata?.annotations?.[restartedBy] === idempotencyKey;
    const before = await this.patiently(() => this.api.read());
    if (isDone(before)) {
      this.change = 'made';
      output.note('an earlier attempt of this step has restarted it already');
      return undefined;
    }
    const obstacle = restartObstacle(before);
    if (obstacle !== undefined) return obstacle;
    const annotations = { [restartedAt]: new Date().toISOString(), [restartedBy]: idempotencyKey };
    await this.make(
      () => this.api.annotateTemplate(annotations),
      async () => isDone(await this.api.read()),
    );
    output.note(`restarted: ${restartedAt} = ${annotations[restartedAt]}`);
    return undefined;
  }

  private async scale(replicas: number): Promise<string | undefined> {
    const { output } = this.context;
    if (this.action.workload === 'daemonset') {
      return 'a daemonset runs one pod on each node that it fits, so it has no number of replicas to set';
    }
    const former = await this.patiently(() => this.api.readReplicas());
    output.note(`replicas before: ${former}`);
    if (former === replicas) {
      output.note(`it has ${replicas} already`);
      return undefined;
    }
    await this.make(
      () => this.api.setReplicas(replicas),
      async () => (await this.api.readReplicas()) === replicas,
    );
    output.note(`replicas now wanted: ${replicas}`);
    return undefined;
  }

  private async untilReady(): Promise<StepResult> {
    for (;;) {
      const rollout = rolloutOf(await this.patiently(() => this.api.read()));
      if (rollout.words !== this.last) this.context.output.note(rollout.words);
      this.last = rollout.words;
      if (rollout.state === 'ready') return { ok: true };
      if (rollout.state === 'failed') return { ok: false, error: rollout.words };
      await this.pause();
    }
  }

  /**
   * Sends a change, again while it is certain that none was received. Where that is not certain the workload is
   * looked at, and the change is not sent twice.
   */
  private async make(send: () => Promise<void>, shows: () => Promise<boolean>): Promise<void> {
    const sendOnce = async (): Promise<void> => {
      this.change = 'being sent';
      await send().catch((error) => {
        const isUnclear = !(error instanceof ClusterRefusedError) && !isNotReceived(error);
        if (!isUnclear) this.change = 'not sent';
        throw error;
      });
    };
    try {
      await this.patiently(sendOnce, isNotReceived);
    } catch (error) {
      if (!(error instanceof ClusterAwayError) || this.context.signal.aborted) throw error;
      this.context.output.note(`${error.message}; looking whether the change was made`);
      if (!(await this.patiently(shows))) {
        throw new Error(`the change was sent but not made: ${error.message}`);
      }
    }
    this.change = 'made';
    this.last = 'its controller had not begun';
  }

  /** Asks until the API server answers, or `again` says that this must not be repeated. */
  private async patiently<T>(
    ask: () => Promise<T>,
    again: (away: ClusterAwayError) => boolean = () => true,
  ): Promise<T> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        const { signal, output } = this.context;
        if (!(error instanceof ClusterAwayError) || signal.aborted || !again(error)) throw error;
        if (error.message !== this.last) output.note(`${error.message}; asking again`);
        this.last = error.message;
        await this.pause();
      }
    }
  }

  private async pause(): Promise<void> {
    await delay(pollMs, undefined, { signal: this.context.signal });
  }
}

function isNotReceived(error: unknown): boolean {
  return error instanceof ClusterAwayError && !error.mayHaveActed;
}

async function check(
  action: RenderedKubernetes,
  deps: KubernetesDeps,
  context: CheckContext,
): Promise<Finding[]> {
  const what = `${action.workload} ${action.namespace}/${action.name}`;
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(context.timeoutMs)]);
  let access: KubernetesAccess | undefined;
  try {
    access = await openCluster(action, deps, { ...context, signal, addSecret: () => {} });
    const api = new WorkloadApi(access, action);
    const findings: Finding[] = [];
    for (const attributes of permissionsFor(action)) findings.push(await checkPermission(api, attributes));
    findings.push(await checkWorkload(api, action, what));
    return findings;
  } catch (error) {
    return [{ ok: false, what: access ? what : 'Kubernetes cluster', detail: innermostReason(error) }];
  } finally {
    await access?.close();
  }
}

async function checkWorkload(api: WorkloadApi, action: RenderedKubernetes, what: string): Promise<Finding> {
  try {
    const workload = await api.read();
    const replicas = replicasOf(workload);
    const now = `${replicas === undefined ? '' : `${replicas} replicas wanted; `}${rolloutOf(workload).words}`;
    const obstacle =
      action.operation.do === 'restart'
        ? restartObstacle(workload)
        : action.operation.do === 'scale' && replicas === undefined
          ? 'a daemonset has no number of replicas to set'
          : undefined;
    return { ok: obstacle === undefined, what, detail: obstacle ?? now };
  } catch (error) {
    return { ok: false, what, detail: innermostReason(error) };
  }
}

async function checkPermission(api: WorkloadApi, attributes: V1ResourceAttributes): Promise<Finding> {
  const { verb, resource, subresource, namespace } = attributes;
  const right = `${verb} ${resource}${subresource ? `/${subresource}` : ''} in namespace '${namespace}'`;
  try {
    const ok = await api.isAllowed(attributes);
    const detail = ok ? `may ${right}` : `may not ${right}; grant it by a Role of the API group 'apps'`;
    return { ok, what: 'permission', detail };
  } catch (error) {
    return { ok: false, what: 'permission', detail: `to ${right}: ${innermostReason(error)}` };
  }
}

function permissionsFor({
  operation,
  workload,
  namespace,
  name,
  wait,
}: RenderedKubernetes): V1ResourceAttributes[] {
  const on = (verb: string, subresource?: string): V1ResourceAttributes => ({
    group: 'apps',
    resource: resourceOf(workload),
    namespace,
    name,
    verb,
    ...(subresource === undefined ? {} : { subresource }),
  });
  if (operation.do === 'wait_ready') return [on('get')];
  if (operation.do === 'restart') return [on('get'), on('patch')];
  return [...(wait ? [on('get')] : []), on('get', 'scale'), on('patch', 'scale')];
}
