import type { ImportFile } from '../../domain/runbook-import/read-import.ts';
import { GitError } from './git-error.ts';
import type { Mirror } from './repository.ts';

const fileLimit = 256 * 1024;
const countLimit = 500;
/** Of all files together. */
const sumLimit = 16 * 1024 * 1024;
const listingLimit = 32 * 1024 * 1024;

interface Entry {
  path: string;
  object: string;
  bytes: number;
}

/**
 * The YAML files below `path` ('' for all). Only plain files count: no links, no submodules, nothing hidden (such as
 * .github/), no path that leads out. Nothing is ever written to a working tree. Throws GitError.
 */
export async function readRunbookFiles(mirror: Mirror, path: string): Promise<ImportFile[]> {
  if (path !== '') await requireFolder(mirror, path);
  const listing = await mirror.git(
    ['ls-tree', '-r', '-z', '-l', '--full-tree', mirror.commit, ...(path === '' ? [] : ['--', `${path}/`])],
    listingLimit,
  );
  const entries = entriesOf(listing.toString('utf8')).filter((entry) => isRunbookPath(entry.path, path));
  if (entries.length > countLimit) {
    throw new GitError(
      'refused',
      `there are ${entries.length} YAML files where at most ${countLimit} are read: name a narrower path`,
    );
  }
  const readable = entries.filter(({ bytes }) => bytes <= fileLimit);
  if (readable.reduce((sum, { bytes }) => sum + bytes, 0) > sumLimit) {
    const limit = `${sumLimit / 1024 / 1024} MiB`;
    throw new GitError('refused', `the YAML files have more than ${limit} in all: name a narrower path`);
  }
  const contents = await readObjects(mirror, readable);
  return entries.map(({ path: file, object, bytes }) => {
    const content = contents.get(object);
    if (content === undefined) {
      const reason = `the file has ${Math.ceil(bytes / 1024)} KiB, and a runbook at most ${fileLimit / 1024} KiB; split it, or move it elsewhere`;
      return { path: file, text: null, reason };
    }
    return readText(file, content);
  });
}

async function requireFolder(mirror: Mirror, path: string): Promise<void> {
  const entry = await mirror.git(['ls-tree', '-z', '--full-tree', mirror.commit, '--', path], 64 * 1024);
  if (entry.toString('utf8').startsWith('040000 tree ')) return;
  throw new GitError(
    'refused',
    `there is no folder '${path}' on the branch: push it, or change the path of the source`,
  );
}

// '100644 blob <object> <bytes>\t<path>\0'; links are 120000, submodules 160000
const plainFile = /^100(?:644|755|664) blob ([0-9a-f]{40,64}) +(\d+)\t(.+)$/s;

function entriesOf(listing: string): Entry[] {
  return listing.split('\0').flatMap((line) => {
    const [, object, bytes, path] = plainFile.exec(line) ?? [];
    return object && bytes && path ? [{ object, bytes: Number(bytes), path }] : [];
  });
}

function isRunbookPath(file: string, below: string): boolean {
  const parts = file.slice(below === '' ? 0 : below.length + 1).split('/');
  return /\.ya?ml$/i.test(file) && parts.every((part) => part !== '' && !part.startsWith('.'));
}

/** By object; `git cat-file --batch` answers '<object> blob <bytes>\n<content>\n' for each line that it is given. */
async function readObjects(mirror: Mirror, entries: readonly Entry[]): Promise<Map<string, Buffer>> {
  const objects = [...new Set(entries.map(({ object }) => object))];
  if (objects.length === 0) return new Map();
  const expected = entries.reduce((sum, { bytes }) => sum + bytes + 200, 0);
  const answer = await mirror.git(['cat-file', '--batch'], expected, `${objects.join('\n')}\n`);
  const contents = new Map<string, Buffer>();
  let at = 0;
  while (at < answer.length) {
    const lineEnd = answer.indexOf('\n', at);
    const [object = '', type, bytes] = answer.toString('utf8', at, lineEnd).split(' ');
    if (type !== 'blob') throw new GitError('away', `git could not read the object ${object}`);
    const start = lineEnd + 1;
    contents.set(object, answer.subarray(start, start + Number(bytes)));
    at = start + Number(bytes) + 1;
  }
  return contents;
}

function readText(path: string, content: Buffer): ImportFile {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    return { path, text: null, reason: 'the file is not UTF-8 text; save it as UTF-8' };
  }
  if (text.includes('\0')) {
    return { path, text: null, reason: 'the file holds a NUL character, as no text does; take it out' };
  }
  return { path, text };
}
