import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildOnce, cacheDirectory, PartUnavailableError } from '../part.ts';
import { installedCommand } from '../server-part.ts';

const run = promisify(execFile);

const part = 'Kubernetes';
const version = '1.36.3';
/** Milliseconds; cold and on two busy cores it takes some minutes. */
const buildLimitMs = 1_800_000;

interface DownloadedModule {
  GoMod: string;
}

export interface KubernetesPrograms {
  etcd: string;
  apiServer: string;
}

/**
 * etcd as it is installed, and the real kube-apiserver, built from its Go module once per machine.
 * @throws PartUnavailableError without etcd, Go or its module proxy
 */
export async function kubernetesPrograms(
  onProgress: (line: string) => void = () => {},
): Promise<KubernetesPrograms> {
  const etcd = await installedCommand(part, ['etcd']);
  const folder = join(cacheDirectory, `kubernetes-${version}`);
  try {
    if (!existsSync(folder)) {
      onProgress(
        `${part}: building kube-apiserver ${version} with Go; this happens once and takes some minutes`,
      );
      await buildOnce(folder, build);
    }
    return { etcd, apiServer: join(folder, 'kube-apiserver') };
  } catch (error) {
    const { code, path, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
    const reason =
      code === 'ENOENT' ? `${path} is not installed` : stderr?.trim().split('\n').at(-1) || message;
    throw new PartUnavailableError(part, reason, { cause: error });
  }
}

/**
 * `go install` refuses a module that replaces others by folders of its repository; a module of our own replaces them
 * by their published versions instead. Niced, since it takes minutes of every core.
 */
async function build(into: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'holdfast-kubernetes-'));
  const source = join(scratch, 'source');
  try {
    await mkdir(source);
    await writeFile(join(source, 'go.mod'), await moduleFile());
    const gitVersion = `k8s.io/component-base/version.gitVersion=v${version}`;
    await run(
      'nice',
      [
        ...['-n', '19', 'go', 'build', '-mod=mod', '-trimpath'],
        ...['-ldflags', `-s -w -X ${gitVersion}`, '-o', into, 'k8s.io/kubernetes/cmd/kube-apiserver'],
      ],
      { cwd: source, timeout: buildLimitMs, env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '' } },
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function moduleFile(): Promise<string> {
  const { stdout } = await run('go', ['mod', 'download', '-json', `k8s.io/kubernetes@v${version}`], {
    cwd: tmpdir(),
    timeout: buildLimitMs,
  });
  const module = JSON.parse(stdout) as DownloadedModule;
  const theirs = await readFile(module.GoMod, 'utf8');
  const published = version.replace(/^1\./, 'v0.');
  const staged = [...theirs.matchAll(/^\s*(k8s\.io\/\S+) => \.\/staging\//gm)];
  return [
    'module holdfast.test/kubernetes',
    /^go .+$/m.exec(theirs)?.[0] ?? '',
    `require k8s.io/kubernetes v${version}`,
    ...staged.map(([, name]) => `replace ${name} => ${name} ${published}`),
    '',
  ].join('\n');
}
