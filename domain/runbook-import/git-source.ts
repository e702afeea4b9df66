import { z } from 'zod';
import { isMetadataName } from '../cloud-metadata.ts';

/** Where runbooks come from: one branch of a repository, and in it the files below a path. */
export interface GitSourceSettings {
  url: string;
  branch: string;
  /** '' for the whole repository; otherwise as 'ops/runbooks', without a slash at either end. */
  path: string;
  /** Of a password or token for https, of a private key for ssh; null where the repository is open. */
  credential: string | null;
  /** Milliseconds between looks at the branch. */
  intervalMs: number;
}

export type GitTransport = 'https' | 'http' | 'ssh' | 'file';

const control = /[\p{Cc}\s]/u;
// 'git@github.com:acme/runbooks.git': what git takes for ssh when there is no scheme
const scpForm = /^[A-Za-z0-9_][\w.-]*@([A-Za-z0-9][\w.-]*):(?!\/\/|-)[^:]+$/;

/** How git would go there; undefined where Holdfast does not let it. */
export function transportOf(url: string): GitTransport | undefined {
  if (scpForm.test(url)) return 'ssh';
  const scheme = /^(https|http|ssh|file):\/\//.exec(url)?.[1];
  return scheme as GitTransport | undefined;
}

/** Where git connects to; undefined for a repository on this machine and for what is no URL. */
export function gitServerOf(url: string): { host: string; port: number } | undefined {
  const scp = scpForm.exec(url);
  if (scp) return { host: scp[1] ?? '', port: 22 };
  const transport = transportOf(url);
  const parsed = URL.parse(url);
  if (!parsed || transport === undefined || transport === 'file') return undefined;
  const port = parsed.port === '' ? usualPorts[transport] : Number(parsed.port);
  return { host: parsed.hostname.replace(/^\[|\]$/g, ''), port };
}

const usualPorts = { https: 443, http: 80, ssh: 22 };

/** What is wrong with the address, and what to write instead. What its name leads to is looked at when it is read. */
export function urlProblem(url: string): string | undefined {
  if (control.test(url)) return 'write the URL without spaces and control characters';
  const transport = transportOf(url);
  if (transport === undefined) {
    return 'write a URL that begins with https:// or ssh://, such as https://git.example.com/acme/runbooks.git';
  }
  const server = gitServerOf(url);
  if (!scpForm.test(url)) {
    const parsed = URL.parse(url);
    const user = parsed && decode(parsed.username);
    // git takes percent escapes out of the host of ssh URLs, and nothing else here does
    if (!parsed || user === undefined || parsed.hostname.includes('%') || server?.host === '') {
      return 'write a whole URL such as https://git.example.com/acme/runbooks.git';
    }
    if (parsed.password !== '') {
      return "take the password out of the URL: give it as a secret reference in 'credential', such as env:GIT_TOKEN";
    }
    if (parsed.search !== '' || parsed.hash !== '')
      return "take everything from the '?' or '#' on out of the URL";
    // a host or user that begins with '-' would be an option to ssh
    if (parsed.hostname.startsWith('-') || user?.startsWith('-')) {
      return "neither the host nor the user of the URL may begin with '-'";
    }
  }
  if (server?.host.endsWith('.')) return "write the host without the '.' at its end";
  if (server && isMetadata(server.host)) return 'a link-local address (cloud metadata) holds no repository';
  return undefined;
}

/** By what is written alone: a name may lead there, too. */
function isMetadata(host: string): boolean {
  const inUrl = host.includes(':') ? `[${host}]` : host;
  // the one notation of the many that an address has
  const canonical = URL.parse(`http://${inUrl}/`)?.hostname ?? host;
  return (
    isMetadataName(canonical) ||
    /^169\.254\.|^\[fe[89ab]|^\[(::ffff:|::|64:ff9b::)a9fe:|^\[fd00:ec2:/i.test(canonical)
  );
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The rules of git-check-ref-format(1), a little stricter. */
export function branchProblem(branch: string): string | undefined {
  const wellFormed =
    /^[\p{L}\p{N}][\p{L}\p{N}._/+@#-]*$/u.test(branch) &&
    !/\.\.|\/\/|@\{|\/\.|\.lock(\/|$)|[/.]$/.test(branch);
  return wellFormed ? undefined : "write the branch's name alone, such as main or release/eu";
}

export function pathProblem(path: string): string | undefined {
  if (path === '') return undefined;
  const parts = path.split('/');
  const wellFormed =
    !/[\p{Cc}\\]/u.test(path) && parts.every((part) => part !== '' && part !== '.' && part !== '..');
  return wellFormed ? undefined : "write a folder inside the repository, such as 'ops/runbooks'";
}

function checked(problemOf: (text: string) => string | undefined, longest: number) {
  return z
    .string()
    .trim()
    .min(1, 'is missing')
    .max(longest, `is longer than ${longest} characters`)
    .superRefine((text, context) => {
      const message = problemOf(text);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    });
}

export const gitUrl = checked(urlProblem, 500);
export const gitBranch = checked(branchProblem, 200);
export const gitPath = z
  .string()
  .trim()
  .max(500, 'is longer than 500 characters')
  .transform((text) => text.replace(/^\/+|\/+$/g, ''))
  .superRefine((text, context) => {
    const message = pathProblem(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

export const gitCredential = z
  .string()
  .trim()
  .regex(
    /^(env:[A-Za-z_][A-Za-z0-9_]{0,99}|file:[A-Za-z0-9_][\w.-]{0,99}|ssm:\/[\w./-]{1,200})$/,
    "write a reference to the secret, never the secret: 'env:GIT_TOKEN', 'file:git-token' or 'ssm:/holdfast/git-token'",
  );

/** Stands before the names of the runbooks ('staging:restart') and matches an alert's label `environment` or `env`. */
export const environmentName = z
  .string()
  .trim()
  .regex(
    /^([A-Za-z0-9][A-Za-z0-9._-]{0,39})?$/,
    "write up to 40 letters, digits, '.', '_' or '-', such as staging; leave it empty for runbooks with names of their own",
  );

export const shortestIntervalMs = 60_000;
export const longestIntervalMs = 24 * 3_600_000;
export const usualIntervalMs = 5 * 60_000;
