import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** What a host may prove itself with. */
export interface TrustedHostKeys {
  /** Public keys as SSH sends them. */
  keys: Buffer[];
  /** 'SHA256:…' without padding. */
  fingerprints: string[];
  /** Keys that are known to have been stolen. */
  revoked: Buffer[];
  /** Where they come from, for people. */
  source: string;
}

/** The keys that stand in the step. */
export function keysOfStep(hostKeys: readonly string[]): TrustedHostKeys {
  const isFingerprint = (text: string) => text.startsWith('SHA256:');
  return {
    keys: hostKeys
      .filter((text) => !isFingerprint(text))
      .map((text) => Buffer.from(text.split(/\s+/)[1] ?? '', 'base64')),
    fingerprints: hostKeys.filter(isFingerprint).map((text) => text.replace(/=+$/, '')),
    revoked: [],
    source: "the step's host_keys",
  };
}

/** The keys of a host in a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT); none where there is no file. */
export async function keysOfFile(file: string, host: string, port: number): Promise<TrustedHostKeys> {
  const trusted: TrustedHostKeys = { keys: [], fingerprints: [], revoked: [], source: file };
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new Error(`the known hosts in ${file} cannot be read (${error.code ?? error.message})`);
  });
  const name = nameInFile(host, port);
  for (const line of text.split('\n')) {
    const words = line.trim().split(/\s+/);
    const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
    const [patterns = '', , key] = words;
    if (patterns.startsWith('#') || key === undefined || !isFor(patterns, name)) continue;
    // certificates of hosts are not checked here, so their authorities vouch for nobody
    if (marker === undefined) trusted.keys.push(Buffer.from(key, 'base64'));
    else if (marker === '@revoked') trusted.revoked.push(Buffer.from(key, 'base64'));
  }
  return trusted;
}

/** Why the key is not to be trusted, with what to write if it is; undefined when it is trusted. */
export function hostKeyProblem(
  key: Buffer,
  trusted: TrustedHostKeys,
  at: { host: string; port: number },
): string | undefined {
  const fingerprint = fingerprintOf(key);
  const shown = `${at.host} shows the key ${fingerprint} (${typeOf(key)})`;
  if (trusted.revoked.some((revoked) => revoked.equals(key))) {
    return `${shown}, which ${trusted.source} says is revoked: this may not be the host that is meant`;
  }
  if (trusted.fingerprints.includes(fingerprint) || trusted.keys.some((known) => known.equals(key))) {
    return undefined;
  }
  const line = `${typeOf(key)} ${key.toString('base64')}`;
  const remedy = `write '${fingerprint}' into the step's host_keys, or '${nameInFile(at.host, at.port)} ${line}' into known_hosts`;
  if (trusted.keys.length + trusted.fingerprints.length > 0) {
    return `${shown}, which is another one than ${trusted.source} has: this may not be the host that is meant; if its key was renewed, ${remedy}`;
  }
  return `${shown}, and ${trusted.source} knows none of this host; compare it on the host itself, then ${remedy}`;
}

export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

export function typesOf(keys: readonly Buffer[]): string[] {
  return keys.map(typeOf);
}

/** A key begins with its type: a length of four bytes and the text. */
function typeOf(key: Buffer): string {
  return key.length < 4 ? 'unknown' : key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1');
}

function nameInFile(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** Comma-separated names with `*` and `?`, `!` before one that is not meant; or one name as a salted hash. */
function isFor(patterns: string, name: string): boolean {
  if (patterns.startsWith('|1|')) return isHashOf(patterns, name);
  const fits = (pattern: string): boolean =>
    new RegExp(
      `^${pattern
        .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.')}$`,
    ).test(name);
  const all = patterns.toLowerCase().split(',');
  if (all.some((pattern) => pattern.startsWith('!') && fits(pattern.slice(1)))) return false;
  return all.some((pattern) => !pattern.startsWith('!') && fits(pattern));
}

function isHashOf(text: string, name: string): boolean {
  const [, , salt = '', hash = ''] = text.split('|');
  const expected = Buffer.from(hash, 'base64');
  const found = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return expected.length === found.length && timingSafeEqual(expected, found);
}
