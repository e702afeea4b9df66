import { existsSync } from 'node:fs';
import type { AppsV1Api, AuthorizationV1Api, KubeConfig, RequestContext } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import { parse } from 'yaml';
import { z } from 'zod';
import type { RenderedKubernetes } from '../../domain/runbook/rendered.ts';
import { innermostReason } from '../innermost-reason.ts';
import type { CheckContext } from './adapter.ts';
import { EgressRefusedError } from './egress.ts';

/** The cluster cannot be reached with what the step says; the message tells what mends it. */
export class KubernetesAccessError extends Error {
  override name = 'KubernetesAccessError';
}

export interface KubernetesAccess {
  /** Where the API server is and as whom it is asked. */
  words: string;
  apps: AppsV1Api;
  authorization: AuthorizationV1Api;
  close(): Promise<void>;
}

export interface KubernetesDeps {
  /** KUBECONFIG of the worker: files, divided as in PATH. */
  kubeconfig?: string | undefined;
  /** What stands before /var/run/secrets where the worker runs in a pod ('' there); absent: it runs in none. */
  podRoot?: string | undefined;
}

/** Where a pod finds the token of its service account. */
const serviceAccountToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';
/** One request; what waits for a rollout asks again and again. Milliseconds. */
const requestLimitMs = 10_000;

/** `podRoot` of this process. */
export function findPod(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  return environment.KUBERNETES_SERVICE_HOST && existsSync(serviceAccountToken) ? '' : undefined;
}

/**
 * Opens the cluster of a step. Secrets of its kubeconfig go to `addSecret` before anything is said.
 * @throws KubernetesAccessError, SecretUnavailableError, EgressRefusedError
 */
export async function openCluster(
  action: RenderedKubernetes,
  deps: KubernetesDeps,
  context: Pick<CheckContext, 'signal' | 'secrets' | 'egress'> & { addSecret(secret: string): void },
): Promise<KubernetesAccess> {
  checkNames(action);
  const library = await import('@kubernetes/client-node');
  const config = new library.KubeConfig();
  if (action.kubeconfig !== undefined) {
    loadSecret(config, action.kubeconfig, await context.secrets.read(action.kubeconfig));
  } else if (deps.podRoot !== undefined && action.context === undefined) {
    config.loadFromCluster(deps.podRoot);
  } else {
    loadOwn(config, new library.KubeConfig(), deps.kubeconfig);
  }
  choose(config, action);
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (!cluster || !user) throw new KubernetesAccessError('the kubeconfig names no cluster or no user');
  for (const secret of [user.token, user.password, user.keyData]) if (secret) context.addSecret(secret);
  const server = serverOf(cluster.server, cluster.skipTLSVerify);
  context.egress.checkUrl(server, true);
  await checkAddresses(server, context);

  const identity = new Identity(config);
  const configuration = library.createConfiguration({
    baseServer: new library.ServerConfiguration(cluster.server, {}),
    authMethods: { default: identity },
    promiseMiddleware: [
      {
        async pre(request) {
          request.setSignal(AbortSignal.any([context.signal, AbortSignal.timeout(requestLimitMs)]));
          request.setHeaderParam('User-Agent', 'Holdfast');
          if (request.getHttpMethod() === 'PATCH') {
            request.setHeaderParam('Content-Type', library.PatchStrategy.MergePatch);
          }
          return request;
        },
        post: async (answer) => answer,
      },
    ],
  });
  return {
    words: `${server.origin} as ${user.name}`,
    apps: new library.AppsV1Api(configuration),
    authorization: new library.AuthorizationV1Api(configuration),
    close: () => identity.close(),
  };
}

/** The library makes connections of its own for each request; all requests of one step share one set. */
class Identity {
  private readonly config: KubeConfig;
  private dispatcher: Dispatcher | undefined;

  constructor(config: KubeConfig) {
    this.config = config;
  }

  getName(): string {
    return this.config.getName();
  }

  async applySecurityAuthentication(request: RequestContext): Promise<void> {
    await this.config.applySecurityAuthentication(request);
    const made = request.getDispatcher();
    if (!made) return;
    this.dispatcher ??= made;
    if (made !== this.dispatcher) await made.close();
    request.setDispatcher(this.dispatcher);
  }

  async close(): Promise<void> {
    await this.dispatcher?.destroy();
  }
}

/** Everything else that may stand in a name would lead a request elsewhere: they become parts of its path. */
const namePattern = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
const namespacePattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

function checkNames({ namespace, name }: RenderedKubernetes): void {
  const wrong = !namespacePattern.test(namespace)
    ? `namespace ${JSON.stringify(namespace)}`
    : namePattern.test(name)
      ? undefined
      : `name ${JSON.stringify(name)}`;
  if (wrong !== undefined) {
    throw new KubernetesAccessError(
      `${wrong} can be none in Kubernetes: lower-case letters, digits and '-' only, a letter or digit at both ends`,
    );
  }
}

const named = <T extends z.ZodRawShape>(shape: T) => z.object({ name: z.string().min(1), ...shape });
const optionalText = z.string().nullish();

/** What a kubeconfig out of a secret may say; anything else is left out, and `forbidden` is refused. */
const kubeconfigSchema = z.object({
  clusters: z.array(
    named({
      cluster: z.object({
        server: z.string().min(1),
        'certificate-authority-data': optionalText,
        'certificate-authority': optionalText,
        'insecure-skip-tls-verify': z.boolean().nullish(),
        'tls-server-name': optionalText,
        'proxy-url': optionalText,
      }),
    }),
  ),
  users: z.array(named({ user: z.record(z.string(), z.unknown()).nullish() })),
  contexts: z.array(
    named({ context: z.object({ cluster: z.string(), user: z.string(), namespace: optionalText }) }),
  ),
  'current-context': optionalText,
});

const allowedOfUsers = ['token', 'client-certificate-data', 'client-key-data', 'username', 'password', 'as'];

/**
 * A secret must run no program here and read no file: either would let whoever may write secrets act as the worker.
 * What was checked is handed on, not the text, which another YAML parser might read in another way.
 */
function loadSecret(config: KubeConfig, reference: string, text: string): void {
  const refused = (why: string) => new KubernetesAccessError(`the kubeconfig in ${reference} ${why}`);
  let parsed: unknown;
  try {
    parsed = parse(text);
  } catch {
    throw refused('is not YAML');
  }
  const checked = kubeconfigSchema.safeParse(parsed);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw refused(`is none: ${issue?.path.join('.') || 'it'}: ${issue?.message}`);
  }
  const { data } = checked;
  for (const { name, cluster } of data.clusters) {
    if (cluster['certificate-authority']) {
      throw refused(`reads a file for cluster '${name}'; put it into certificate-authority-data`);
    }
    // it would decide where the connection goes, which is looked at for the server
    if (cluster['proxy-url']) {
      throw refused(
        `goes through a proxy to cluster '${name}' (proxy-url), which only the worker's own KUBECONFIG may; take it out`,
      );
    }
  }
  for (const { name, user } of data.users) {
    for (const [key, value] of Object.entries(user ?? {})) {
      if (allowedOfUsers.includes(key) || value === null) continue;
      if (key === 'exec' || key === 'auth-provider') {
        throw refused(
          `runs a program for user '${name}' (${key}), which only the worker's own KUBECONFIG may; use a token`,
        );
      }
      throw refused(`has '${key}' for user '${name}', which is not taken; use ${allowedOfUsers.join(', ')}`);
    }
  }
  config.loadFromString(JSON.stringify(data));
}

function loadOwn(config: KubeConfig, next: KubeConfig, files: string | undefined): void {
  const [first, ...others] = (files ?? '').split(process.platform === 'win32' ? ';' : ':').filter(Boolean);
  if (first === undefined) {
    throw new KubernetesAccessError(
      'no cluster is known here: give the step a kubeconfig, run the worker in the cluster, or set its KUBECONFIG',
    );
  }
  try {
    config.loadFromFile(first);
    for (const file of others) {
      next.loadFromFile(file);
      config.mergeConfig(next, true);
    }
  } catch (error) {
    throw new KubernetesAccessError(`KUBECONFIG of the worker cannot be read: ${innermostReason(error)}`);
  }
}

function choose(config: KubeConfig, { context }: RenderedKubernetes): void {
  const known = config.getContexts().map(({ name }) => name);
  const wanted = context ?? config.getCurrentContext() ?? known[0];
  if (wanted === undefined || !known.includes(wanted)) {
    const which = wanted === undefined ? 'has no context' : `has no context '${wanted}'`;
    const others = known.length === 0 ? '' : `; it has ${known.map((name) => `'${name}'`).join(', ')}`;
    throw new KubernetesAccessError(`the kubeconfig ${which}${others}`);
  }
  config.setCurrentContext(wanted);
}

function serverOf(text: string, insecure: boolean): URL {
  if (!URL.canParse(text)) throw new KubernetesAccessError(`the kubeconfig's server '${text}' is no url`);
  const server = new URL(text);
  if (server.protocol === 'http:' && !insecure) {
    throw new KubernetesAccessError(`the kubeconfig's server '${server.origin}' is not https`);
  }
  return server;
}

/** The library looks the name up by itself. One that DNS does not know is told by the request, which may try again. */
async function checkAddresses(
  server: URL,
  { egress, signal }: Pick<CheckContext, 'egress' | 'signal'>,
): Promise<void> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(requestLimitMs)]);
  try {
    await egress.resolveUrl(server, true, deadline);
  } catch (error) {
    if (error instanceof EgressRefusedError || signal.aborted) throw error;
  }
}
