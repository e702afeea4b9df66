import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findPort, loopback } from '../../stack/port.ts';
import { buildOnce, cacheDirectory, PartUnavailableError } from './part.ts';
import { type ServerPart, startServerPart, temporaryFolder } from './server-part.ts';

const run = promisify(execFile);

const part = 'moto';
const version = '5.2.5';
/** Milliseconds that the installation may take. */
const installLimitMs = 600_000;

export interface Moto extends ServerPart {
  /** Endpoint of every AWS service. */
  url: string;
  /** Forgets everything that was made in it. */
  reset(): Promise<void>;
}

/**
 * The AWS API as PyPI's moto plays it, with any credentials. Of SSM it has parameters, documents and commands; a
 * command ends at once, successfully and without output; there is no CancelCommand, no instance information and
 * no limit.
 * @throws PartUnavailableError without Python or its package index
 */
export async function startMoto(): Promise<Moto> {
  const python = await motoPython();
  const folder = await temporaryFolder('moto');
  const port = await findPort();
  const url = `http://${loopback}:${port}`;
  const server = await startServerPart({
    name: part,
    command: python,
    args: ['-m', 'moto.server', '-H', loopback, '-p', String(port)],
    readyUrl: `${url}/moto-api/`,
    folder,
  });
  return {
    ...server,
    url,
    async reset() {
      const answer = await fetch(`${url}/moto-api/reset`, { method: 'POST' });
      await answer.body?.cancel();
      if (!answer.ok) throw new Error(`moto could not be reset: ${answer.status}`);
    },
  };
}

/** The Python of an environment that has moto, made once per machine. */
export async function motoPython(): Promise<string> {
  const folder = join(cacheDirectory, `moto-${version}`);
  try {
    if (!existsSync(folder)) await buildOnce(folder, install);
    // through its Python: what pip wrote into bin names the folder that it was made in
    return join(folder, 'bin', 'python3');
  } catch (error) {
    const { code, path, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
    const reason =
      code === 'ENOENT' ? `${path} is not installed` : stderr?.trim().split('\n').at(-1) || message;
    throw new PartUnavailableError(part, reason, { cause: error });
  }
}

async function install(into: string): Promise<void> {
  await run('python3', ['-m', 'venv', into]);
  const pip = ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '--no-input'];
  await run(join(into, 'bin', 'python3'), [...pip, `moto[server]==${version}`], { timeout: installLimitMs });
}
