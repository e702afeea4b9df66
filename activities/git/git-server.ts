import { isIP } from 'node:net';
import { gitServerOf, transportOf } from '../../domain/runbook-import/git-source.ts';
import { EgressRefusedError, type EgressRules } from '../steps/egress.ts';
import { GitError } from './git-error.ts';

/**
 * Configuration of git by which it connects to the addresses that were looked at and to no others; nothing for ssh,
 * which has no such setting and gives itself to no server whose key it does not know. Throws GitError when one of the
 * addresses is not allowed, or there is none.
 */
export async function pinServer(
  url: string,
  options: {
    egress: EgressRules;
    /** Of git. */
    environment: Readonly<Record<string, string>>;
    signal: AbortSignal;
  },
): Promise<Record<string, string>> {
  const server = gitServerOf(url);
  if (!server) return {};
  const { host, port } = server;
  const transport = transportOf(url);
  let addresses: string[];
  try {
    // an Admin wrote it: it may be private
    addresses = await options.egress.resolve({ host, port, trusted: true }, options.signal);
  } catch (error) {
    if (options.signal.aborted) throw error;
    if (error instanceof EgressRefusedError) throw new GitError('refused', error.message);
    // behind a proxy a machine need not know any names of the world outside
    if (transport !== 'ssh' && hasProxy(transport, options.environment)) return {};
    throw new GitError('away', 'the name of the host is not known to DNS');
  }
  if (transport === 'ssh' || isIP(host)) return {};
  const shown = addresses.map((address) => (address.includes(':') ? `[${address}]` : address));
  return { 'http.curloptResolve': `${host}:${port}:${shown.join(',')}` };
}

/** As curl looks for them. */
function hasProxy(transport: string | undefined, environment: Readonly<Record<string, string>>): boolean {
  const names = transport === 'https' ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy'];
  return names.some((name) => (environment[name] ?? '') !== '');
}
