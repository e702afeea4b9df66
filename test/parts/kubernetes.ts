import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { KubeConfig, RbacAuthorizationV1Api } from '@kubernetes/client-node';
import { stringify } from 'yaml';
import { findPort, loopback } from '../../stack/port.ts';
import { kubernetesPrograms } from './kubernetes/programs.ts';
import { type ServerPart, startServerPart, temporaryFolder } from './server-part.ts';

export type KubernetesUser = 'admin' | 'reader';

export interface Kubernetes extends ServerPart {
  /** Where the API server listens. */
  url: string;
  /** The API server's certificate and key, PEM: also for what stands before it in a test. */
  certificate: string;
  key: string;
  /** A bearer token. `admin` may do everything; `reader` may get, list and watch workloads, nothing else. */
  tokens: Readonly<Record<KubernetesUser, string>>;
  /** What kubectl would be given; the server's url may be another's that leads to it. */
  kubeconfig(user: KubernetesUser, options?: { server?: string }): string;
}

const tokens = { admin: 'token-of-the-admin-6f1c', reader: 'token-of-the-reader-93d0' } as const;

/**
 * A real API server over a real etcd, with RBAC. No controllers run, so no pod ever starts: a test writes the
 * status that they would write.
 * @throws PartUnavailableError where etcd is not installed, or the API server can be neither found nor built
 */
export async function startKubernetes(): Promise<Kubernetes> {
  const programs = await kubernetesPrograms();
  const etcd = await startEtcd(programs.etcd);
  try {
    const server = await startApiServer(programs.apiServer, etcd.url);
    await allowReading(server);
    return {
      ...server,
      async close() {
        await server.close();
        await etcd.close();
      },
    };
  } catch (error) {
    await etcd.close();
    throw error;
  }
}

async function startEtcd(command: string): Promise<ServerPart & { url: string }> {
  const folder = await temporaryFolder('etcd');
  const url = `http://${loopback}:${await findPort()}`;
  const peer = `http://${loopback}:${await findPort()}`;
  const server = await startServerPart({
    name: 'etcd',
    command,
    args: [
      ...['--data-dir', join(folder, 'data')],
      ...['--listen-client-urls', url, '--advertise-client-urls', url],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      ...['--initial-cluster', `default=${peer}`],
    ],
    readyUrl: `${url}/health`,
    folder,
  });
  return { ...server, url };
}

async function startApiServer(command: string, etcdUrl: string): Promise<Kubernetes> {
  const folder = await temporaryFolder('kubernetes');
  const port = await findPort();
  const url = `https://${loopback}:${port}`;
  const signingKey = join(folder, 'service-account.key');
  const publicKey = join(folder, 'service-account.pub');
  const tokenFile = join(folder, 'tokens.csv');
  const certificateFile = join(folder, 'apiserver.crt');
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  await writeFile(signingKey, pair.privateKey);
  await writeFile(publicKey, pair.publicKey);
  // token, user, uid, groups
  await writeFile(tokenFile, `${tokens.admin},admin,1,system:masters\n${tokens.reader},reader,2\n`);
  const server = await startServerPart({
    name: 'kube-apiserver',
    command,
    args: [
      `--etcd-servers=${etcdUrl}`,
      `--bind-address=${loopback}`,
      `--advertise-address=${loopback}`,
      `--secure-port=${port}`,
      `--cert-dir=${folder}`,
      `--service-account-issuer=${url}`,
      `--service-account-key-file=${publicKey}`,
      `--service-account-signing-key-file=${signingKey}`,
      `--token-auth-file=${tokenFile}`,
      '--authorization-mode=RBAC',
      '--service-cluster-ip-range=10.0.0.0/24',
      // keeps a lease for as long as it lives, and would wait for it to run out at its end
      '--endpoint-reconciler-type=none',
      '--shutdown-delay-duration=0s',
    ],
    readyUrl: () => answersWell(`${url}/readyz`, certificateFile),
    readyLimitMs: 90_000,
    folder,
  });
  const certificate = await readFile(certificateFile, 'utf8');
  return {
    ...server,
    url,
    certificate,
    key: await readFile(join(folder, 'apiserver.key'), 'utf8'),
    tokens,
    kubeconfig: (user, options = {}) =>
      kubeconfigOf({ server: options.server ?? url, certificate, user, token: tokens[user] }),
  };
}

/** The certificate is of the server's own making, and written only once it starts. */
async function answersWell(url: string, certificateFile: string): Promise<boolean> {
  const ca = await readFile(certificateFile);
  return await new Promise((resolve, reject) => {
    const asked = request(url, { ca, agent: false, timeout: 2000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.once('error', reject);
    asked.once('timeout', () => asked.destroy(new Error('no answer')));
    asked.end();
  });
}

function kubeconfigOf(args: { server: string; certificate: string; user: string; token: string }): string {
  const { server, certificate, user, token } = args;
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'test',
        cluster: { server, 'certificate-authority-data': Buffer.from(certificate).toString('base64') },
      },
    ],
    users: [{ name: user, user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user } }],
    'current-context': 'test',
  });
}

async function allowReading(server: Kubernetes): Promise<void> {
  const config = new KubeConfig();
  config.loadFromString(server.kubeconfig('admin'));
  const rbac = config.makeApiClient(RbacAuthorizationV1Api);
  await rbac.createClusterRole({
    body: {
      metadata: { name: 'reader' },
      rules: [
        {
          apiGroups: ['apps'],
          resources: ['deployments', 'statefulsets', 'daemonsets', 'deployments/scale', 'statefulsets/scale'],
          verbs: ['get', 'list', 'watch'],
        },
      ],
    },
  });
  await rbac.createClusterRoleBinding({
    body: {
      metadata: { name: 'reader' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'reader' }],
    },
  });
}
