import type { V1ResourceAttributes, V1Scale } from '@kubernetes/client-node';
import { z } from 'zod';
import type { RenderedKubernetes } from '../../domain/runbook/rendered.ts';
import { innermostReason } from '../innermost-reason.ts';
import type { KubernetesAccess } from './kubernetes-access.ts';
import { resourceOf, type Workload } from './kubernetes-rollout.ts';

/** The API server refuses, and would again. */
export class ClusterRefusedError extends Error {
  override name = 'ClusterRefusedError';
}

/** The API server cannot answer now. */
export class ClusterAwayError extends Error {
  override name = 'ClusterAwayError';
  /** Whether the request may have been carried out all the same. */
  readonly mayHaveActed: boolean;

  constructor(message: string, mayHaveActed: boolean) {
    super(message);
    this.mayHaveActed = mayHaveActed;
  }
}

/** Failures of a connection that was never made. */
const neverSent = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
];
const brokeOff = [
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
];

/** What a step asks of one workload. Every method throws ClusterRefusedError and ClusterAwayError. */
export class WorkloadApi {
  private readonly access: KubernetesAccess;
  private readonly action: RenderedKubernetes;

  constructor(access: KubernetesAccess, action: RenderedKubernetes) {
    this.access = access;
    this.action = action;
  }

  async read(): Promise<Workload> {
    const { apps } = this.access;
    return await this.ask('get', undefined, async () => {
      switch (this.action.workload) {
        case 'deployment':
          return { kind: 'deployment', object: await apps.readNamespacedDeployment(this.place) };
        case 'statefulset':
          return { kind: 'statefulset', object: await apps.readNamespacedStatefulSet(this.place) };
        case 'daemonset':
          return { kind: 'daemonset', object: await apps.readNamespacedDaemonSet(this.place) };
      }
    });
  }

  /** Annotations of the pods to come; a change of them is what makes the controllers replace the pods. */
  async annotateTemplate(annotations: Readonly<Record<string, string>>): Promise<void> {
    const { apps } = this.access;
    const change = { ...this.place, body: { spec: { template: { metadata: { annotations } } } } };
    await this.ask('patch', undefined, async () => {
      switch (this.action.workload) {
        case 'deployment':
          return await apps.patchNamespacedDeployment(change);
        case 'statefulset':
          return await apps.patchNamespacedStatefulSet(change);
        case 'daemonset':
          return await apps.patchNamespacedDaemonSet(change);
      }
    });
  }

  async readReplicas(): Promise<number> {
    const { apps } = this.access;
    const scale = await this.ask(
      'get',
      'scale',
      async (): Promise<V1Scale> =>
        this.action.workload === 'statefulset'
          ? await apps.readNamespacedStatefulSetScale(this.place)
          : await apps.readNamespacedDeploymentScale(this.place),
    );
    return scale.spec?.replicas ?? 0; // the API leaves a zero out
  }

  async setReplicas(replicas: number): Promise<void> {
    const { apps } = this.access;
    const change = { ...this.place, body: { spec: { replicas } } };
    await this.ask('patch', 'scale', async () =>
      this.action.workload === 'statefulset'
        ? await apps.patchNamespacedStatefulSetScale(change)
        : await apps.patchNamespacedDeploymentScale(change),
    );
  }

  async isAllowed(resourceAttributes: V1ResourceAttributes): Promise<boolean> {
    const { authorization } = this.access;
    const review = await this.ask('create', undefined, async () =>
      authorization.createSelfSubjectAccessReview({ body: { spec: { resourceAttributes } } }),
    );
    return review.status?.allowed === true;
  }

  private get place(): { namespace: string; name: string } {
    return { namespace: this.action.namespace, name: this.action.name };
  }

  private async ask<T>(verb: string, subresource: string | undefined, request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      const answer = answerSchema.safeParse(error);
      if (answer.success) throw this.refusal(verb, subresource, answer.data);
      throw away(error) ?? error;
    }
  }

  private refusal(verb: string, subresource: string | undefined, { code, body }: RefusedAnswer): Error {
    const { workload, namespace, name } = this.action;
    const said = statusMessage(body);
    if (code === 404)
      return new ClusterRefusedError(`there is no ${workload} '${name}' in namespace '${namespace}'`);
    if (code === 401) {
      return new ClusterRefusedError(
        'the API server does not accept the credentials (401); renew the token or certificate of the kubeconfig',
      );
    }
    if (code === 403) {
      const resource = `${resourceOf(workload)}${subresource ? `/${subresource}` : ''}`;
      return new ClusterRefusedError(
        `not allowed to ${verb} ${resource} in namespace '${namespace}': ${said}`,
      );
    }
    if (code === 429) return new ClusterAwayError(`the API server is overloaded (429): ${said}`, false);
    if (code >= 500) return new ClusterAwayError(`the API server failed (${code}): ${said}`, true);
    return new ClusterRefusedError(`the API server refused (${code}): ${said}`);
  }
}

/** The library's ApiException, whose own message holds all headers. */
const answerSchema = z.object({ code: z.int(), body: z.unknown() });
type RefusedAnswer = z.infer<typeof answerSchema>;
const statusSchema = z.object({ message: z.string() });

function statusMessage(body: unknown): string {
  let status = body;
  if (typeof body === 'string') {
    try {
      status = JSON.parse(body);
    } catch {
      return body.slice(0, 300);
    }
  }
  const parsed = statusSchema.safeParse(status);
  return parsed.success ? parsed.data.message : 'it does not say why';
}

function away(error: unknown): ClusterAwayError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name === 'TimeoutError')
      return new ClusterAwayError('the API server does not answer in time', true);
    const inner = cause instanceof AggregateError ? cause.errors[0] : cause;
    const code = inner instanceof Error && 'code' in inner ? String(inner.code) : '';
    if (neverSent.includes(code))
      return new ClusterAwayError(`the API server is away: ${innermostReason(inner)}`, false);
    if (brokeOff.includes(code))
      return new ClusterAwayError(`the API server broke off: ${innermostReason(inner)}`, true);
  }
  return undefined;
}
