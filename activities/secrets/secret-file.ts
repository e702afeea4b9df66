import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { SecretUnavailableError } from './secret-source.ts';

const mostBytes = 64 * 1024;

/**
 * The text of a file of the secrets folder, without the line break at its end. A link may lead to another place in
 * the folder, as those of Kubernetes do, but not out of it. Throws SecretUnavailableError.
 */
export async function readSecretFile(directory: string | undefined, name: string): Promise<string> {
  const reference = `file:${name}`;
  if (directory === undefined) {
    throw new SecretUnavailableError(
      `${reference}: no folder of secrets is configured where it is read; set HOLDFAST_SECRETS_DIR`,
    );
  }
  try {
    const folder = await realpath(directory);
    const path = await realpath(join(folder, name));
    if (!path.startsWith(folder.endsWith(sep) ? folder : folder + sep)) {
      throw new SecretUnavailableError(
        `${reference} is a link that leads out of HOLDFAST_SECRETS_DIR; put the file itself there`,
      );
    }
    return withoutLineBreak(decode(await readAtMost(path, reference), reference));
  } catch (error) {
    if (error instanceof SecretUnavailableError) throw error;
    throw new SecretUnavailableError(`${reference}: ${remedyFor(error, directory, name)}`, { cause: error });
  }
}

async function readAtMost(path: string, reference: string): Promise<Buffer> {
  // a pipe in the folder must not keep the step waiting
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) {
      throw new SecretUnavailableError(`${reference} is no file; put a plain file there`);
    }
    const { buffer, bytesRead } = await file.read(Buffer.alloc(mostBytes + 1), 0, mostBytes + 1, 0);
    if (bytesRead > mostBytes) {
      throw new SecretUnavailableError(`${reference} is larger than 64 KiB; no secret is that long`);
    }
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function decode(bytes: Buffer, reference: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new SecretUnavailableError(`${reference} is no text in UTF-8; save it as such`);
  }
}

const withoutLineBreak = (text: string): string => text.replace(/\r?\n$/, '');

function remedyFor(error: unknown, directory: string, name: string): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return `there is no ${name} in ${directory} where it is read; put it there`;
  if (code === 'EACCES' || code === 'EPERM') {
    return `the worker's user may not read ${join(directory, name)}; allow it, and nobody else`;
  }
  return `${join(directory, name)} cannot be read (${String(code ?? error)})`;
}
