import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findPort, loopback } from '../../stack/port.ts';
import {
  installedCommand,
  type ServerPart,
  startServerPart,
  takesConnections,
  temporaryFolder,
} from './server-part.ts';

const run = promisify(execFile);

export interface SshdOptions {
  /** Further lines of sshd_config(5). */
  config?: readonly string[];
}

export interface Sshd extends ServerPart {
  host: string;
  port: number;
  /** Whoever runs the tests. */
  user: string;
  /** A private key that lets `user` in, in OpenSSH format. */
  key: string;
  /** As in known_hosts, without the host: 'ssh-ed25519 AAAA…'. */
  hostKey: string;
}

/**
 * OpenSSH's own server with keys of its own, for the user that runs the tests.
 * @throws PartUnavailableError where it or ssh-keygen is not installed
 */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const name = 'OpenSSH server';
  const command = await installedCommand(name, ['/usr/sbin/sshd', 'sshd']);
  const keygen = await installedCommand(name, ['ssh-keygen']);
  const folder = await temporaryFolder('sshd');
  const makeKey = async (file: string, type: string) => {
    await run(keygen, ['-q', '-t', type, '-N', '', '-C', '', '-f', join(folder, file)]);
    return (await readFile(join(folder, `${file}.pub`), 'utf8')).trim();
  };
  const hostKey = await makeKey('host_key', 'ed25519');
  await makeKey('host_key_rsa', 'rsa');
  await writeFile(join(folder, 'authorized_keys'), `${await makeKey('user_key', 'ed25519')}\n`);
  // where sshd, run by root, separates its privileges
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const port = await findPort();
  const lines = [
    `ListenAddress ${loopback}:${port}`,
    `HostKey ${join(folder, 'host_key')}`,
    `HostKey ${join(folder, 'host_key_rsa')}`,
    `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    `PidFile ${join(folder, 'pid')}`,
    'AuthenticationMethods publickey',
    'PermitRootLogin prohibit-password',
    'StrictModes no',
    'UsePAM no',
    ...(options.config ?? []),
  ];
  await writeFile(join(folder, 'sshd_config'), `${lines.join('\n')}\n`);
  const server = await startServerPart({
    name,
    command,
    args: ['-D', '-e', '-f', join(folder, 'sshd_config')],
    readyUrl: () => takesConnections(port),
    folder,
  });
  const key = await readFile(join(folder, 'user_key'), 'utf8');
  return { ...server, host: loopback, port, user: userInfo().username, key, hostKey };
}
