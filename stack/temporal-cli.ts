import { execFile, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The release that is fetched or built. Later ones cannot be built by `go install` (a replace directive). */
const release = '1.5.1';
/** Of the server inside: from here on, updates and what else Holdfast's workflows rest on are there. */
const oldestServer = [1, 27] as const;
const downloadLimitMs = 180_000;
const buildLimitMs = 900_000;
const progressEveryMs = 15_000;

export interface TemporalCliOptions {
  onProgress(line: string): void;
  /** Outside node_modules, so that what took minutes to make survives `npm ci`. */
  cacheDirectory: string;
}

/** Somewhere to have the Temporal CLI from. */
export interface TemporalCliSource {
  name: string;
  /** @returns the path of a program that runs. @throws Error with the reason why this way is closed */
  get(options: TemporalCliOptions): Promise<string>;
}

/** Quickest first; only the last two fetch anything, and what they fetch is found by the second ever after. */
export const temporalCliSources: readonly TemporalCliSource[] = [
  { name: '`temporal` on the PATH', get: () => usable('temporal') },
  { name: 'the copy of an earlier start', get: ({ cacheDirectory }) => usable(cachedPath(cacheDirectory)) },
  downloadFrom(publishedAt),
  { name: 'build with Go', get: build },
];

export const defaultCacheDirectory = join(homedir(), '.cache', 'holdfast');

/**
 * Finds the Temporal CLI or makes it, which takes some minutes the first time where only Go is at hand.
 * @returns the path of the program
 * @throws Error with the reason of each way that is closed, and what can be done
 */
export async function findTemporalCli(
  options: Partial<TemporalCliOptions> = {},
  sources: readonly TemporalCliSource[] = temporalCliSources,
): Promise<string> {
  const { onProgress = () => {}, cacheDirectory = defaultCacheDirectory } = options;
  const closed: string[] = [];
  for (const source of sources) {
    try {
      return await source.get({ onProgress, cacheDirectory });
    } catch (error) {
      closed.push(`  - ${source.name}: ${(error as Error).message}`);
    }
  }
  throw new Error(
    `The Temporal CLI, which runs the embedded Temporal server, cannot be had:\n${closed.join('\n')}\n` +
      'Either set TEMPORAL_ADDRESS to a Temporal server of your own (host:port), ' +
      'or install the CLI (https://docs.temporal.io/cli) so that `temporal` is on the PATH, ' +
      'or install Go 1.24 or later, with which Holdfast builds it.',
  );
}

const cachedPath = (cacheDirectory: string): string => join(cacheDirectory, 'bin', 'temporal');

/** Runs it: a file may be there and yet be broken, of another platform, or too old. */
async function usable(path: string): Promise<string> {
  const { stdout } = await run(path, ['--version'], { timeout: 30_000 }).catch((error) => {
    throw new Error(error.code === 'ENOENT' ? 'not there' : firstLine(error.stderr || error.message));
  });
  const [, major = '0', minor = '0'] = /Server (\d+)\.(\d+)/.exec(stdout) ?? [];
  const isOld =
    Number(major) < oldestServer[0] || (Number(major) === oldestServer[0] && Number(minor) < oldestServer[1]);
  if (isOld) {
    throw new Error(`too old (${firstLine(stdout)}); server ${oldestServer.join('.')} or later is needed`);
  }
  return path;
}

/** Where the release is published for this platform. */
function publishedAt(): string[] {
  const os = process.platform;
  const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch as string];
  if ((os !== 'linux' && os !== 'darwin') || !architecture) {
    throw new Error(`nothing is published for ${os} ${process.arch} in a form that can be unpacked here`);
  }
  return [
    `https://temporal.download/cli/archive/v${release}?platform=${os}&arch=${architecture}`,
    `https://github.com/temporalio/cli/releases/download/v${release}/temporal_cli_${release}_${os}_${architecture}.tar.gz`,
  ];
}

/** Takes the first of the archives (.tar.gz with `temporal` at its top) that can be had. */
export function downloadFrom(places: () => string[]): TemporalCliSource {
  return {
    name: 'download',
    async get({ onProgress, cacheDirectory }) {
      const refused: string[] = [];
      for (const place of places()) {
        const { hostname } = new URL(place);
        try {
          onProgress(`Temporal: downloading the CLI ${release} from ${hostname}`);
          return await intoCache(cacheDirectory, (scratch) => fetchAndUnpack(place, scratch));
        } catch (error) {
          refused.push(`${hostname}: ${innermost(error)}`);
        }
      }
      throw new Error(refused.join('; '));
    },
  };
}

async function fetchAndUnpack(place: string, scratch: string): Promise<void> {
  const answer = await fetch(place, { signal: AbortSignal.timeout(downloadLimitMs) });
  if (!answer.ok || !answer.body) throw new Error(`HTTP ${answer.status}`);
  const archive = join(scratch, 'archive.tar.gz');
  await pipeline(Readable.fromWeb(answer.body), createWriteStream(archive));
  await run('tar', ['-xzf', archive, '-C', scratch]);
}

async function build({ onProgress, cacheDirectory }: TemporalCliOptions): Promise<string> {
  await run('go', ['version']).catch(() => {
    throw new Error('Go is not installed');
  });
  onProgress(`Temporal: building the CLI ${release} with Go; this happens once and takes some minutes`);
  return await intoCache(cacheDirectory, async (scratch) => {
    const began = Date.now();
    const ticker = setInterval(() => {
      onProgress(`Temporal: still building (${Math.round((Date.now() - began) / 1000)} s)`);
    }, progressEveryMs);
    try {
      await goInstall(scratch);
    } finally {
      clearInterval(ticker);
    }
  });
}

async function goInstall(into: string): Promise<void> {
  const target = `github.com/temporalio/cli/cmd/temporal@v${release}`;
  const go = spawn('env', [`GOBIN=${into}`, 'go', 'install', target], {
    cwd: into,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: buildLimitMs,
  });
  let said = '';
  go.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    go.once('error', reject);
    go.once('close', resolve);
  });
  if (code !== 0) throw new Error(`go install failed: ${said.trim().split('\n').at(-1) ?? ''}`);
}

/** In a scratch folder first, so that the cache never holds half a program, whoever else fills it just now. */
async function intoCache(cacheDirectory: string, make: (scratch: string) => Promise<void>): Promise<string> {
  const target = cachedPath(cacheDirectory);
  await mkdir(join(cacheDirectory, 'bin'), { recursive: true });
  const scratch = await mkdtemp(join(cacheDirectory, 'temporal-'));
  try {
    await make(scratch);
    const made = join(scratch, 'temporal');
    await chmod(made, 0o755);
    await usable(made);
    await rename(made, target);
    return target;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const firstLine = (text: string): string => text.trim().split('\n')[0] ?? '';

/** `fetch` says only 'fetch failed'; what failed is in the cause. */
function innermost(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  return inner instanceof Error ? inner.message : String(inner);
}
