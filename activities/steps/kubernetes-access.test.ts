import { promises as dns } from 'node:dns';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import type { RenderedKubernetes } from '../../domain/runbook/rendered.ts';
import { SecretUnavailableError } from '../secrets/secret-source.ts';
import { EgressRules } from './egress.ts';
import { createKubernetesStep } from './kubernetes.ts';
import type { KubernetesDeps } from './kubernetes-access.ts';

let folder: string;
let server: string;
const asked: { path: string; headers: IncomingHttpHeaders }[] = [];
const listener = createServer((request, answer) => {
  asked.push({ path: request.url ?? '', headers: request.headers });
  answer.writeHead(404, { 'content-type': 'application/json' }).end('{}');
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-kubeconfig-'));
  asked.length = 0;
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  server = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
});
afterEach(async () => {
  listener.closeAllConnections();
  await new Promise((resolve) => listener.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

interface Parts {
  user?: object;
  cluster?: object;
  context?: string;
}

const kubeconfig = ({
  user = { token: 'the-token-of-the-test' },
  cluster = {},
  context = 'test',
}: Parts = {}) => ({
  clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true, ...cluster } }],
  users: [{ name: 'u', user }],
  contexts: [{ name: context, context: { cluster: 'c', user: 'u' } }],
  'current-context': context,
});

/** The detail of the last finding: all is well once the double says that there is no such deployment. */
async function look(
  options: { secret?: string; deps?: KubernetesDeps; change?: Partial<RenderedKubernetes> } = {},
): Promise<string | undefined> {
  const { secret, deps = {}, change } = options;
  const findings = await createKubernetesStep(deps).check(
    {
      kind: 'kubernetes',
      namespace: 'shop',
      workload: 'deployment',
      name: 'api',
      operation: { do: 'wait_ready' },
      wait: false,
      ...(secret === undefined ? {} : { kubeconfig: 'file:kubeconfig' }),
      ...change,
    },
    {
      timeoutMs: 5000,
      signal: new AbortController().signal,
      egress: new EgressRules([]),
      secrets: {
        async read() {
          if (secret === '') throw new SecretUnavailableError('there is no secret file:kubeconfig');
          return secret ?? '';
        },
      },
      environment: {},
    },
  );
  return findings.at(-1)?.detail;
}
const found = "there is no deployment 'api' in namespace 'shop'";

describe('a kubeconfig out of a secret', () => {
  it('gives server and token', async () => {
    expect(await look({ secret: stringify(kubeconfig()) })).toBe(found);
    expect(asked.at(-1)).toMatchObject({
      path: '/apis/apps/v1/namespaces/shop/deployments/api',
      headers: { authorization: 'Bearer the-token-of-the-test' },
    });
  });

  it.each([
    ['exec', { command: 'sh', args: ['-c', 'id'] }, /runs a program for user 'u' \(exec\)/],
    ['auth-provider', { name: 'gcp', config: { 'cmd-path': 'id' } }, /runs a program for user 'u'/],
    ['token-file', '/etc/shadow', /has 'token-file' for user 'u', which is not taken; use token/],
    ['tokenFile', '/etc/shadow', /has 'tokenFile'/],
    ['client-key', '/etc/ssl/key', /has 'client-key'/],
  ])('runs no program and reads no file of the worker: %s', async (key, value, words) => {
    expect(await look({ secret: stringify(kubeconfig({ user: { [key]: value } })) })).toMatch(words);
    const merged = `x: &x\n  ${key}: ${JSON.stringify(value)}\n${stringify(kubeconfig({ user: { '<<': 'X' } }))}`;
    await look({ secret: merged.replace('<<: X', '<<: *x') });
    expect(asked).toEqual([]);
  });

  it('reads no file for its certificate authority either', async () => {
    const secret = stringify(kubeconfig({ cluster: { 'certificate-authority': '/etc/hostname' } }));
    expect(await look({ secret })).toMatch(
      /reads a file for cluster 'c'; put it into certificate-authority-data/,
    );
  });

  it.each([
    ['', 'there is no secret file:kubeconfig'],
    ['a: [', 'the kubeconfig in file:kubeconfig is not YAML'],
    ['just text', /^the kubeconfig in file:kubeconfig is none: it: /],
    ['clusters: []', /^the kubeconfig in file:kubeconfig is none: users: /],
    ['{clusters: [], users: [], contexts: []}', 'the kubeconfig has no context'],
  ])('that is none is named: %j', async (secret, words) => {
    expect(await look({ secret })).toMatch(words);
  });

  it('has to have the context that the step names', async () => {
    const secret = stringify(kubeconfig({ context: 'staging' }));
    expect(await look({ secret, change: { context: 'staging' } })).toBe(found);
    expect(await look({ secret, change: { context: 'production' } })).toBe(
      "the kubeconfig has no context 'production'; it has 'staging'",
    );
  });

  it('leads through no proxy, which would decide where the connection goes', async () => {
    const secret = stringify(kubeconfig({ cluster: { 'proxy-url': server } }));
    expect(await look({ secret })).toMatch(/goes through a proxy to cluster 'c' \(proxy-url\)/);
    expect(asked).toEqual([]);
  });

  it('leads to no metadata service by a name either', async () => {
    vi.spyOn(dns, 'lookup').mockImplementation((async () => [
      { address: '169.254.169.254', family: 4 },
    ]) as unknown as typeof dns.lookup);
    const named = kubeconfig({ cluster: { server: 'https://kubernetes.test:6443' } });
    expect(await look({ secret: stringify(named) })).toMatch(
      /kubernetes.test is at 169.254.169.254, a link-local address/,
    );
    vi.restoreAllMocks();
  });

  it('leads to no metadata service and, without saying so, not over plain http', async () => {
    const metadata = kubeconfig({ cluster: { server: 'http://169.254.169.254' } });
    expect(await look({ secret: stringify(metadata) })).toMatch(/link-local/);
    const plain = kubeconfig({ cluster: { 'insecure-skip-tls-verify': false } });
    expect(await look({ secret: stringify(plain) })).toMatch(/is not https/);
  });
});

describe('a step without a kubeconfig', () => {
  it("takes the worker's own, which may run a program for its credentials", async () => {
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 'made' },
    };
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: 'echo',
      args: [JSON.stringify(credential)],
      interactiveMode: 'Never',
    };
    const files = [join(folder, 'one'), join(folder, 'two')];
    await writeFile(files[0]!, stringify(kubeconfig({ user: { exec } })));
    await writeFile(
      files[1]!,
      stringify({
        clusters: [],
        users: [],
        contexts: [{ name: 'other', context: { cluster: 'c', user: 'u' } }],
      }),
    );
    const deps = { kubeconfig: files.join(':') };
    expect(await look({ deps })).toBe(found);
    expect(asked.at(-1)?.headers.authorization).toBe('Bearer made');
    expect(await look({ deps, change: { context: 'other' } })).toBe(found);
    expect(await look({ deps: { kubeconfig: join(folder, 'gone') } })).toMatch(
      /^KUBECONFIG of the worker cannot be read: ENOENT/,
    );
  });

  it('elsewhere says what is missing', async () => {
    expect(await look()).toBe(
      'no cluster is known here: give the step a kubeconfig, run the worker in the cluster, or set its KUBECONFIG',
    );
  });
});

it.each([
  [{ name: '..' }],
  [{ name: 'api/scale' }],
  [{ name: 'api?x=1' }],
  [{ namespace: '../nodes' }],
  [{ namespace: 'a.b' }],
  [{ name: 'Api' }],
])('a name that would lead elsewhere is refused: %j', async (change) => {
  expect(await look({ secret: stringify(kubeconfig()), change })).toMatch(/can be none in Kubernetes/);
  expect(asked).toEqual([]);
});
