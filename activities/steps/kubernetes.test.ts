import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppsV1Api, KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RenderedKubernetes } from '../../domain/runbook/rendered.ts';
import { findPort, loopback } from '../../stack/port.ts';
import { interpose } from '../../test/parts/kubernetes/interpose.ts';
import { type Kubernetes, type KubernetesUser, startKubernetes } from '../../test/parts/kubernetes.ts';
import { type TriedPart, tryPart } from '../../test/parts/part.ts';
import { temporaryFolder } from '../../test/parts/server-part.ts';
import type { CheckContext, StepContext } from './adapter.ts';
import { EgressRules } from './egress.ts';
import { createKubernetesStep } from './kubernetes.ts';
import { StepOutput } from './output.ts';

const namespace = 'default';
let tried: TriedPart<Kubernetes>;
let cluster: Kubernetes;
let apps: AppsV1Api;
beforeAll(async () => {
  tried = await tryPart(startKubernetes);
  if (!tried.part) return;
  const config = new KubeConfig();
  config.loadFromString(tried.part.kubeconfig('admin'));
  apps = config.makeApiClient(AppsV1Api);
});
beforeEach((context) => {
  cluster = tried.orSkip(context);
});
afterAll(async () => {
  await tried?.part?.close();
});

const labels = { app: 'shop' };
const template = { metadata: { labels }, spec: { containers: [{ name: 'shop', image: 'shop:1' }] } };
let made = 0;
const nextName = (): string => `shop-${++made}`;

async function makeDeployment(
  change: { replicas?: number; paused?: boolean } = {},
): Promise<{ name: string; settle(status?: object): Promise<void>; read: typeof readDeployment }> {
  const name = nextName();
  const spec = { replicas: 3, selector: { matchLabels: labels }, template, ...change };
  await apps.createNamespacedDeployment({ namespace, body: { metadata: { name }, spec } });
  return { name, settle: (status) => settleDeployment(name, status), read: readDeployment };
}

async function readDeployment(name: string) {
  const { metadata, spec } = await apps.readNamespacedDeployment({ namespace, name });
  const annotations = spec?.template.metadata?.annotations ?? {};
  return { generation: metadata?.generation, replicas: spec?.replicas, annotations };
}

/** What the deployment controller would write once all is as wanted, or `status` on the way there. */
async function settleDeployment(name: string, status: object = {}): Promise<void> {
  const deployment = await apps.readNamespacedDeployment({ namespace, name });
  const replicas = deployment.spec?.replicas ?? 0;
  const counts = {
    replicas,
    updatedReplicas: replicas,
    readyReplicas: replicas,
    availableReplicas: replicas,
  };
  const observedGeneration = deployment.metadata?.generation ?? 0;
  await apps.replaceNamespacedDeploymentStatus({
    namespace,
    name,
    body: { ...deployment, status: { observedGeneration, ...counts, ...status } },
  });
}

const restart = { do: 'restart' } as const;
const waitReady = { do: 'wait_ready' } as const;
const scaleTo = (replicas: number) => ({ do: 'scale', replicas }) as const;

function action(name: string, change: Partial<RenderedKubernetes> = {}): RenderedKubernetes {
  return {
    kind: 'kubernetes',
    kubeconfig: 'env:ADMIN',
    namespace,
    workload: 'deployment',
    name,
    operation: restart,
    wait: false,
    ...change,
  };
}

interface Circumstances {
  server?: string;
  key?: string;
  timeoutMs?: number;
  signal?: AbortSignal;
}

function checkContext({ server, timeoutMs = 20_000, signal }: Circumstances = {}): CheckContext {
  return {
    timeoutMs,
    signal: signal ?? new AbortController().signal,
    egress: new EgressRules([]),
    secrets: {
      async read(reference) {
        const user = reference.slice('env:'.length).toLowerCase() as KubernetesUser;
        return cluster.kubeconfig(user, server === undefined ? {} : { server });
      },
    },
    environment: {},
  };
}

function start(what: RenderedKubernetes, circumstances: Circumstances = {}) {
  const output = new StepOutput({ secrets: [] });
  const context: StepContext = {
    ...checkContext(circumstances),
    output,
    key: 'k',
    idempotencyKey: circumstances.key ?? 'execution:1:step:0',
    started: async () => {},
  };
  return { output, result: createKubernetesStep({}).run(what, context) };
}

async function run(what: RenderedKubernetes, circumstances: Circumstances = {}) {
  const { output, result } = start(what, circumstances);
  return { result: await result, text: output.text() };
}

const check = async (what: RenderedKubernetes, circumstances: Circumstances = {}) =>
  await createKubernetesStep({}).check(what, checkContext(circumstances));

describe('a restart', () => {
  it('makes the controllers replace the pods, as kubectl does', async () => {
    const { name, read } = await makeDeployment();
    const before = await read(name);
    const { result, text } = await run(action(name));
    expect(result).toEqual({ ok: true });
    const after = await read(name);
    expect(after.generation).toBe((before.generation ?? 0) + 1);
    expect(Date.parse(after.annotations['kubectl.kubernetes.io/restartedAt'] ?? '')).toBeGreaterThan(
      Date.now() - 60_000,
    );
    expect(text).toContain(`${cluster.url} as admin: deployment default/${name}\nrestarted: `);
  });

  it('is not repeated by another attempt of the same step, but by another step', async () => {
    const { name, read } = await makeDeployment();
    await run(action(name), { key: 'execution:1:step:0' });
    const once = await read(name);
    const again = await run(action(name), { key: 'execution:1:step:0' });
    expect(again.result).toEqual({ ok: true });
    expect(again.text).toContain('an earlier attempt of this step has restarted it already');
    expect(await read(name)).toEqual(once);
    await run(action(name), { key: 'execution:2:step:0' });
    expect((await read(name)).generation).toBe((once.generation ?? 0) + 1);
  });

  it('ends only when the pods are replaced, and says how far it is', async () => {
    const { name, settle } = await makeDeployment();
    await settle();
    const { output, result } = start(action(name, { wait: true }));
    await expect.poll(() => output.text()).toContain('waiting until its controller sees the change');
    await settle({ replicas: 4, updatedReplicas: 1, availableReplicas: 3 });
    await expect.poll(() => output.text()).toContain('1 of 3 replicas are updated');
    await settle();
    expect(await result).toEqual({ ok: true });
    expect(output.text()).toMatch(/3 of 3 replicas are available and up to date\n$/);
  });

  it('fails when the deployment exceeds its progress deadline', async () => {
    const { name, settle } = await makeDeployment();
    const { output, result } = start(action(name, { wait: true }));
    await expect.poll(() => output.text()).toContain('waiting until');
    const message = `ReplicaSet "${name}-1" has timed out progressing.`;
    await settle({
      updatedReplicas: 1,
      conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message }],
    });
    expect(await result).toEqual({
      ok: false,
      error: `it exceeded its progress deadline (ProgressDeadlineExceeded): ${message}`,
    });
  });

  it('is refused where it would do nothing', async () => {
    const { name } = await makeDeployment({ paused: true });
    expect((await run(action(name))).result).toMatchObject({
      ok: false,
      error: expect.stringMatching(/rollout is paused/),
    });
    const daemon = nextName();
    const spec = { selector: { matchLabels: labels }, template, updateStrategy: { type: 'OnDelete' } };
    await apps.createNamespacedDaemonSet({ namespace, body: { metadata: { name: daemon }, spec } });
    expect((await run(action(daemon, { workload: 'daemonset' }))).result).toMatchObject({
      ok: false,
      error: expect.stringMatching(/update strategy is OnDelete/),
    });
  });

  it('says what goes on in the cluster when it is cancelled or its time is over', async () => {
    const { name } = await makeDeployment();
    const cancel = new AbortController();
    const { output, result } = start(action(name, { wait: true }), { signal: cancel.signal });
    await expect.poll(() => output.text()).toContain('waiting until');
    cancel.abort();
    const goesOn =
      'waiting until its controller sees the change; what was changed stays, and the cluster goes on with it';
    expect(await result).toEqual({ ok: false, error: `cancelled: ${goesOn}` });
    expect((await run(action(name, { wait: true }), { timeoutMs: 2000 })).result).toEqual({
      ok: false,
      error: `timed out after 2 s: ${goesOn}`,
    });
  });
});

describe('a stateful set and a daemon set', () => {
  it('are restarted and waited for too', async () => {
    const name = nextName();
    const selector = { matchLabels: labels };
    const set = { selector, template, serviceName: 'shop', replicas: 2 };
    await apps.createNamespacedStatefulSet({ namespace, body: { metadata: { name }, spec: set } });
    await apps.createNamespacedDaemonSet({
      namespace,
      body: { metadata: { name }, spec: { selector, template } },
    });
    const stateful = start(action(name, { workload: 'statefulset', wait: true }));
    const daemon = start(action(name, { workload: 'daemonset', wait: true }));
    await expect.poll(() => stateful.output.text()).toContain('waiting until');
    await expect.poll(() => daemon.output.text()).toContain('waiting until');
    const settled = await apps.readNamespacedStatefulSet({ namespace, name });
    const observedGeneration = settled.metadata?.generation ?? 0;
    await apps.replaceNamespacedStatefulSetStatus({
      namespace,
      name,
      body: { ...settled, status: { observedGeneration, replicas: 2, readyReplicas: 2, updatedReplicas: 2 } },
    });
    const daemonSet = await apps.readNamespacedDaemonSet({ namespace, name });
    const scheduled = { currentNumberScheduled: 2, desiredNumberScheduled: 2, numberMisscheduled: 0 };
    await apps.replaceNamespacedDaemonSetStatus({
      namespace,
      name,
      body: {
        ...daemonSet,
        status: {
          observedGeneration,
          ...scheduled,
          numberReady: 2,
          numberAvailable: 2,
          updatedNumberScheduled: 2,
        },
      },
    });
    expect(await stateful.result).toEqual({ ok: true });
    expect(await daemon.result).toEqual({ ok: true });
  });

  it('a stateful set is scaled, a daemon set cannot be', async () => {
    const name = nextName();
    const spec = { selector: { matchLabels: labels }, template, serviceName: 'shop', replicas: 2 };
    await apps.createNamespacedStatefulSet({ namespace, body: { metadata: { name }, spec } });
    const scaled = await run(action(name, { workload: 'statefulset', operation: scaleTo(4) }));
    expect(scaled).toMatchObject({
      result: { ok: true },
      text: expect.stringMatching(/replicas before: 2\nreplicas now wanted: 4\n/),
    });
    const wrong = await run(action(name, { workload: 'daemonset', operation: scaleTo(4) }));
    expect(wrong.result).toMatchObject({ ok: false, error: expect.stringMatching(/no number of replicas/) });
  });
});

describe('a change of the number of replicas', () => {
  it('is made, and the former number is written down', async () => {
    const { name, read } = await makeDeployment({ replicas: 3 });
    const { result, text } = await run(action(name, { operation: scaleTo(5) }));
    expect(result).toEqual({ ok: true });
    expect(text).toContain('replicas before: 3\nreplicas now wanted: 5\n');
    expect(await read(name)).toMatchObject({ replicas: 5, annotations: {} });
  });

  it('to nothing waits until nothing is left', async () => {
    const { name, settle } = await makeDeployment({ replicas: 2 });
    await settle();
    const { output, result } = start(action(name, { operation: scaleTo(0), wait: true }));
    await expect.poll(() => output.text()).toContain('waiting until');
    await settle({ replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 });
    await expect.poll(() => output.text()).toContain('2 surplus replicas have yet to end');
    await settle();
    expect(await result).toEqual({ ok: true });
  });

  it('that is there already changes nothing', async () => {
    const { name, read } = await makeDeployment({ replicas: 3 });
    const before = await read(name);
    const { text } = await run(action(name, { operation: scaleTo(3) }));
    expect(text).toContain('replicas before: 3\nit has 3 already');
    expect(await read(name)).toEqual(before);
  });
});

describe('what the API server refuses', () => {
  it('is said in words: not there, not allowed, unknown user', async () => {
    const { name } = await makeDeployment();
    expect((await run(action('nowhere', { operation: waitReady }))).result).toEqual({
      ok: false,
      error: "there is no deployment 'nowhere' in namespace 'default'",
    });
    expect((await run(action(name, { kubeconfig: 'env:READER' }))).result).toMatchObject({
      ok: false,
      error: expect.stringMatching(
        /^not allowed to patch deployments in namespace 'default': .*User "reader" cannot patch/,
      ),
    });
    const scaling = action(name, { kubeconfig: 'env:READER', operation: scaleTo(1) });
    expect((await run(scaling)).result).toMatchObject({
      error: expect.stringMatching(/^not allowed to patch deployments\/scale/),
    });
    const secrets = {
      read: async () => cluster.kubeconfig('admin').replace('token-of', 'no-token-of'),
    };
    const output = new StepOutput({ secrets: [] });
    const context = {
      ...checkContext(),
      secrets,
      output,
      key: 'k',
      idempotencyKey: 'i',
      started: async () => {},
    };
    expect(await createKubernetesStep({}).run(action(name), context)).toMatchObject({
      ok: false,
      error: expect.stringMatching(/does not accept the credentials \(401\)/),
    });
    expect(output.text()).not.toContain('no-token-of');
  });
});

it('in a pod, the service account is taken', async () => {
  const { name } = await makeDeployment();
  const folder = await temporaryFolder('pod');
  const secrets = join(folder, 'var/run/secrets/kubernetes.io/serviceaccount');
  await mkdir(secrets, { recursive: true });
  await writeFile(join(secrets, 'token'), cluster.tokens.reader);
  await writeFile(join(secrets, 'ca.crt'), cluster.certificate);
  const { hostname, port } = new URL(cluster.url);
  vi.stubEnv('KUBERNETES_SERVICE_HOST', hostname);
  vi.stubEnv('KUBERNETES_SERVICE_PORT', port);
  const { kubeconfig: _, ...own } = action(name, { operation: waitReady });
  const findings = await createKubernetesStep({ podRoot: folder }).check(own, checkContext());
  expect(findings.map(({ ok }) => ok)).toEqual([true, true]);
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

describe('an API server that is away', () => {
  it('is waited for before anything was sent', async () => {
    const { name } = await makeDeployment();
    const port = await findPort();
    const { output, result } = start(action(name), { server: `https://${loopback}:${port}` });
    await expect.poll(() => output.text()).toMatch(/is away: .*ECONNREFUSED.*; asking again/);
    let busy = 2;
    const proxy = await interpose(cluster, () => (busy-- > 0 ? 'be busy' : 'pass'), port);
    expect(await result).toEqual({ ok: true });
    expect(output.text()).toContain('the API server failed (503): etcd is away; asking again');
    await proxy.close();
  });

  it('at the end of its time is named in the error', async () => {
    const server = `https://${loopback}:${await findPort()}`;
    expect((await run(action('shop'), { server, timeoutMs: 2000 })).result).toMatchObject({
      ok: false,
      error: expect.stringMatching(/^timed out after 2 s: the API server is away: connect ECONNREFUSED/),
    });
  });

  it('after the change was sent is asked whether the change was made', async () => {
    const { name, read } = await makeDeployment();
    const proxy = await interpose(cluster, (method) => (method === 'PATCH' ? 'lose the answer' : 'pass'));
    const { result, text } = await run(action(name), { server: proxy.url });
    expect(result).toEqual({ ok: true });
    expect(text).toContain('; looking whether the change was made');
    expect(proxy.sent).toEqual(['GET', 'PATCH', 'GET']);
    expect((await read(name)).generation).toBe(2);
    await proxy.close();
  });

  it('while the change is under way leaves open whether it was made', async () => {
    const { name } = await makeDeployment();
    const proxy = await interpose(cluster, (method) => (method === 'PATCH' ? 'keep the answer' : 'pass'));
    const cancel = new AbortController();
    const { result } = start(action(name), { server: proxy.url, signal: cancel.signal });
    await expect.poll(() => proxy.sent).toEqual(['GET', 'PATCH']);
    cancel.abort();
    expect(await result).toEqual({
      ok: false,
      error: 'cancelled: the API server had not answered; the change may have been made',
    });
    await proxy.close();
  });

  it('is not sent a change twice that it may have received', async () => {
    const { name, read } = await makeDeployment();
    let broken = 0;
    const proxy = await interpose(cluster, (method) => {
      if (method !== 'PATCH') return 'pass';
      broken += 1;
      return 'break off';
    });
    const { result } = await run(action(name, { operation: scaleTo(1) }), { server: proxy.url });
    expect(result).toMatchObject({
      ok: false,
      error: expect.stringMatching(/^the change was sent but not made: /),
    });
    expect(broken).toBe(1);
    expect((await read(name)).replicas).toBe(3);
    await proxy.close();
  });
});

describe('a check', () => {
  it('names the workload as it stands, and changes nothing', async () => {
    const { name, settle, read } = await makeDeployment({ replicas: 2 });
    await settle({ availableReplicas: 1 });
    const before = await read(name);
    expect(await check(action(name, { operation: scaleTo(5), wait: true }))).toEqual([
      { ok: true, what: 'permission', detail: "may get deployments in namespace 'default'" },
      { ok: true, what: 'permission', detail: "may get deployments/scale in namespace 'default'" },
      { ok: true, what: 'permission', detail: "may patch deployments/scale in namespace 'default'" },
      {
        ok: true,
        what: `deployment default/${name}`,
        detail: '2 replicas wanted; 1 of 2 replicas are available',
      },
    ]);
    expect(await read(name)).toEqual(before);
  });

  it('finds what is not allowed and what is not there', async () => {
    expect(await check(action('nowhere', { kubeconfig: 'env:READER' }))).toEqual([
      { ok: true, what: 'permission', detail: "may get deployments in namespace 'default'" },
      {
        ok: false,
        what: 'permission',
        detail:
          "may not patch deployments in namespace 'default'; grant it by a Role of the API group 'apps'",
      },
      {
        ok: false,
        what: 'deployment default/nowhere',
        detail: "there is no deployment 'nowhere' in namespace 'default'",
      },
    ]);
  });

  it('finds that a restart would do nothing, and a cluster that is away', async () => {
    const { name } = await makeDeployment({ paused: true });
    expect((await check(action(name))).at(-1)).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/is paused/),
    });
    const away = await check(action(name), { server: `https://${loopback}:${await findPort()}` });
    expect(away.map(({ ok }) => ok)).toEqual([false, false, false]);
    expect(away.at(-1)?.detail).toMatch(/is away: connect ECONNREFUSED/);
  });
});
