import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildOnce, cacheDirectory, PartUnavailableError } from '../part.ts';

const run = promisify(execFile);

const part = 'Loki';
const version = '3.7.8';
/** Milliseconds; cold and on two busy cores it takes some minutes. */
const buildLimitMs = 1_800_000;

interface DownloadedModule {
  GoMod: string;
}

/**
 * The real Loki, built from its Go module once per machine.
 * @throws PartUnavailableError without Go or its module proxy
 */
export async function lokiProgram(onProgress: (line: string) => void = () => {}): Promise<string> {
  const folder = join(cacheDirectory, `loki-${version}`);
  try {
    if (!existsSync(folder)) {
      onProgress(`${part}: building ${version} with Go; this happens once and takes some minutes`);
      await buildOnce(folder, build);
    }
    return join(folder, 'loki');
  } catch (error) {
    const { code, path, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
    const reason =
      code === 'ENOENT' ? `${path} is not installed` : stderr?.trim().split('\n').at(-1) || message;
    throw new PartUnavailableError(part, reason, { cause: error });
  }
}

/**
 * `go install` refuses a module that replaces others; a module of our own repeats those lines. Niced, since it takes
 * minutes of every core.
 */
async function build(into: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'holdfast-loki-'));
  const source = join(scratch, 'source');
  try {
    await mkdir(source);
    await writeFile(join(source, 'go.mod'), await moduleFile());
    await run(
      'nice',
      [
        ...['-n', '19', 'go', 'build', '-mod=mod', '-trimpath', '-ldflags', '-s -w'],
        ...['-o', into, 'github.com/grafana/loki/v3/cmd/loki'],
      ],
      {
        cwd: source,
        timeout: buildLimitMs,
        maxBuffer: 100_000_000,
        env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '' },
      },
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function moduleFile(): Promise<string> {
  const { stdout } = await run('go', ['mod', 'download', '-json', `github.com/grafana/loki/v3@v${version}`], {
    cwd: tmpdir(),
    timeout: buildLimitMs,
  });
  const module = JSON.parse(stdout) as DownloadedModule;
  const theirs = await readFile(module.GoMod, 'utf8');
  // the module's own pkg/push lies in its repository only; the published one stands for it
  const replaced = [...theirs.matchAll(/^(?:replace )?\s*(\S+(?: v\S+)? => [^\s.]\S* \S+)/gm)];
  return [
    'module holdfast.test/loki',
    /^go .+$/m.exec(theirs)?.[0] ?? '',
    `require github.com/grafana/loki/v3 v${version}`,
    ...replaced.map(([, line]) => `replace ${line}`),
    '',
  ].join('\n');
}
