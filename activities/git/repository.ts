import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Commit } from '../../domain/runbook-import/commit.ts';
import { transportOf, urlProblem } from '../../domain/runbook-import/git-source.ts';
import type { EgressRules } from '../steps/egress.ts';
import { GitError } from './git-error.ts';
import { pinServer } from './git-server.ts';
import { type GitCall, runGit } from './run-git.ts';

export interface RepositoryAddress {
  sourceId: string;
  url: string;
  branch: string;
  /** A password or token for http, a private key for ssh; null where the repository is open. */
  secret: string | null;
}

export interface RepositoryOptions {
  /** Holds the mirrors; made where it is missing. */
  folder: string;
  /** Whether repositories on this machine may be read (file://). */
  allowFile: boolean;
  /** Bytes that a branch may have, packed. */
  sizeLimit: number;
  /** File of the keys that ssh hosts have. */
  knownHosts: string;
  /** Where repositories may be. */
  egress: EgressRules;
  /** Of the worker: only what leads git to the network is taken from it. */
  environment: Readonly<Record<string, string | undefined>>;
  signal: AbortSignal;
}

/** A bare mirror without hooks, working tree or configuration from outside; `commit` is the branch's newest. */
export interface Mirror {
  commit: string;
  /** Runs git on the mirror, which no longer goes anywhere. */
  git(args: readonly string[], outputLimit: number, input?: string): Promise<Buffer>;
}

const fetchTimeoutMs = 120_000;
const lookTimeoutMs = 30_000;
const branchRef = 'refs/holdfast/branch';
/** A mirror that no source has used for so long is removed, as is one that has gathered too many packs. */
const unusedMs = 7 * 86_400_000;
const packLimit = 40;

/** What leads to a host: proxies and certificate authorities of the company. */
const passedOn = [
  'PATH',
  'https_proxy',
  'HTTPS_PROXY',
  'http_proxy',
  'HTTP_PROXY',
  'no_proxy',
  'NO_PROXY',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GIT_SSL_CAINFO',
];

/**
 * Brings the mirror of one branch up to date. The secret is in git's environment or a file for as long as git runs,
 * never in its arguments or in the URL. Throws GitError.
 */
export async function fetchBranch(address: RepositoryAddress, options: RepositoryOptions): Promise<Mirror> {
  const problem = urlProblem(address.url);
  if (problem !== undefined) throw new GitError('refused', problem);
  const mirror = join(options.folder, `${address.sourceId}.git`);
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  await removeUnused(options.folder);
  const scratch = await mkdtemp(join(options.folder, 'access-'));
  try {
    const environment = await environmentOf(address, options, scratch);
    const call = (args: readonly string[], more: Partial<GitCall> = {}) =>
      runGit({
        args: [`--git-dir=${mirror}`, ...args],
        environment,
        signal: options.signal,
        timeoutMs: lookTimeoutMs,
        outputLimit: 1024 * 1024,
        fileLimit: options.sizeLimit,
        ...more,
      });
    try {
      await call(['init', '--quiet', '--bare', '--template=', '--', mirror]);
      await fetchInto(address, call);
    } catch (error) {
      const large = await reachedLimit(mirror, options.sizeLimit);
      // it may be the mirror that is broken: the next attempt starts with a new one
      await rm(mirror, { recursive: true, force: true });
      throw large ? tooLarge : error;
    }
    await utimes(mirror, new Date(), new Date());
    const commit = (await call(['rev-parse', '--verify', `${branchRef}^{commit}`])).toString('utf8').trim();
    const offline = { ...baseEnvironment(options, scratch), GIT_ALLOW_PROTOCOL: '' };
    return {
      commit,
      git: (args, outputLimit, input) =>
        call(args, { environment: offline, outputLimit, ...(input === undefined ? {} : { input }) }),
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const tooLarge = new GitError(
  'refused',
  'the branch is larger than Holdfast reads: keep runbooks in a repository of their own',
);

/** Whether git was ended because of the limit: it leaves the pack behind that it could not write on. */
async function reachedLimit(mirror: string, limit: number): Promise<boolean> {
  const packs = join(mirror, 'objects', 'pack');
  for (const name of await readdir(packs).catch(() => [])) {
    const size = (await stat(join(packs, name)).catch(() => undefined))?.size ?? 0;
    if (size >= limit) return true;
  }
  return false;
}

async function fetchInto(
  { url, branch }: RepositoryAddress,
  call: (args: readonly string[], more?: Partial<GitCall>) => Promise<Buffer>,
): Promise<void> {
  const place = plainUrl(url);
  await call(
    [
      'fetch',
      '--quiet',
      '--force',
      '--depth=1',
      '--no-tags',
      '--no-recurse-submodules',
      '--no-auto-maintenance',
      '--no-write-fetch-head',
      '--',
      place,
      `+refs/heads/${branch}:${branchRef}`,
    ],
    { timeoutMs: fetchTimeoutMs },
  );
}

/** Without the user, who goes with the secret. */
function plainUrl(url: string): string {
  const parsed = /^https?:/.test(url) ? URL.parse(url) : null;
  if (!parsed) return url;
  parsed.username = '';
  return parsed.href;
}

async function environmentOf(
  { url, secret }: RepositoryAddress,
  options: RepositoryOptions,
  scratch: string,
): Promise<Record<string, string>> {
  const { egress, signal } = options;
  const unpinned = baseEnvironment(options, scratch);
  const base = withConfiguration(unpinned, await pinServer(url, { egress, environment: unpinned, signal }));
  const transport = transportOf(url);
  if (transport === 'ssh') return { ...base, GIT_SSH_COMMAND: await sshCommand(secret, options, scratch) };
  if (secret === null || (transport !== 'https' && transport !== 'http')) return base;
  const { username, origin } = new URL(url);
  const user = decodeURIComponent(username) || 'git';
  const basic = Buffer.from(`${user}:${secret.trim()}`, 'utf8').toString('base64');
  return withConfiguration(base, { [`http.${origin}/.extraHeader`]: `Authorization: Basic ${basic}` });
}

function baseEnvironment(options: RepositoryOptions, scratch: string): Record<string, string> {
  const inherited = passedOn.flatMap((name) => {
    const value = options.environment[name];
    return value === undefined ? [] : [[name, value]];
  });
  return withConfiguration(
    {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      ...Object.fromEntries(inherited),
      // no .netrc, no .gitconfig, no credential helper of whoever runs the worker
      HOME: scratch,
      XDG_CONFIG_HOME: scratch,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      GIT_ALLOW_PROTOCOL: options.allowFile ? 'https:http:ssh:file' : 'https:http:ssh',
      // a path is a path, whatever characters are in it
      GIT_LITERAL_PATHSPECS: '1',
      GIT_OPTIONAL_LOCKS: '0',
      LC_ALL: 'C',
    },
    {
      'core.hooksPath': '/dev/null',
      'credential.helper': '',
      'http.followRedirects': 'false',
      // bytes a second, and for how many seconds: a host that sends nothing is away
      'http.lowSpeedLimit': '1000',
      'http.lowSpeedTime': '30',
      'submodule.recurse': 'false',
      'gc.auto': '0',
      // one pack a fetch, whose size the limit of a file holds
      'fetch.unpackLimit': '1',
      'i18n.logOutputEncoding': 'UTF-8',
      'log.showSignature': 'false',
      'log.mailmap': 'false',
    },
  );
}

/** Configuration by environment: git's arguments can be read by every user of the machine. */
function withConfiguration(
  environment: Record<string, string>,
  values: Record<string, string>,
): Record<string, string> {
  const before = Number(environment.GIT_CONFIG_COUNT ?? 0);
  const entries = Object.entries(values);
  const numbered = entries.flatMap(([name, value], index) => [
    [`GIT_CONFIG_KEY_${before + index}`, name],
    [`GIT_CONFIG_VALUE_${before + index}`, value],
  ]);
  return {
    ...environment,
    ...Object.fromEntries(numbered),
    GIT_CONFIG_COUNT: String(before + entries.length),
  };
}

async function sshCommand(
  secret: string | null,
  { knownHosts }: RepositoryOptions,
  scratch: string,
): Promise<string> {
  if (secret === null) {
    throw new GitError('refused', 'ssh needs a private key: name its secret as the credential of the source');
  }
  const keyFile = join(scratch, 'key');
  await writeFile(keyFile, `${secret.replaceAll('\r\n', '\n').trimEnd()}\n`, { mode: 0o600 });
  const options = [
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    'PreferredAuthentications=publickey',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile="${knownHosts}"`,
    'ConnectTimeout=15',
    'ServerAliveInterval=15',
    'ClearAllForwardings=yes',
    'PermitLocalCommand=no',
  ];
  return ['ssh', '-F', '/dev/null', '-i', keyFile, ...options.flatMap((option) => ['-o', option])]
    .map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
    .join(' ');
}

async function removeUnused(folder: string): Promise<void> {
  for (const entry of await readdir(folder)) {
    if (!entry.endsWith('.git') && !entry.startsWith('access-')) continue;
    const path = join(folder, entry);
    const used = await stat(path).catch(() => undefined);
    if (used === undefined) continue;
    const packs = entry.endsWith('.git') ? await readdir(join(path, 'objects', 'pack')).catch(() => []) : [];
    // an index, a pack and a few more files each
    const old = Date.now() - used.mtimeMs > (entry.endsWith('.git') ? unusedMs : 3_600_000);
    if (old || packs.length > 3 * packLimit) await rm(path, { recursive: true, force: true });
  }
}

/** Who made the commit, when and what for. */
export async function readCommit(mirror: Mirror): Promise<Commit> {
  const format = '--format=%H%x00%an%x00%ae%x00%cI%x00%s';
  const answer = await mirror.git(['log', '-1', '--no-color', format, mirror.commit, '--'], 1024 * 1024);
  const [id = '', author = '', authorEmail = '', committedAt = '', subject = ''] = answer
    .toString('utf8')
    .split('\0')
    .map((part) => part.trim().slice(0, 500));
  return { id, author, authorEmail, committedAt, subject };
}
