import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Agent, buildConnector, type Dispatcher } from 'undici';

const timeoutMs = 10_000;

/**
 * Connections for what channels send. Their URLs are written by an Admin, so private and loopback hosts are fine;
 * link-local addresses (a cloud's metadata service) only for hosts listed in `egressAllow`, also after DNS.
 */
export function webhookDispatcher({ egressAllow }: { egressAllow: readonly string[] }): Dispatcher {
  const allowed = new Set(egressAllow.map((host) => host.toLowerCase()));
  const checked: LookupFunction = (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      const first = found?.[0];
      if (error || !first) return callback(error ?? new Error(`${hostname} has no address`), []);
      if (!allowed.has(hostname.toLowerCase()) && found.some(({ address }) => isLinkLocal(address))) {
        return callback(new LinkLocalError(hostname), []);
      }
      return options.all ? callback(null, found) : callback(null, first.address, first.family);
    });
  };
  const connector = buildConnector({ lookup: checked, timeout: timeoutMs });
  return new Agent({
    connections: 4,
    connect: (options, callback) => {
      // a literal address is never looked up
      const host = options.hostname.replace(/^\[|\]$/g, '').toLowerCase();
      if (isLinkLocal(host) && !allowed.has(host)) return callback(new LinkLocalError(host), null);
      return connector(options, callback);
    },
  });
}

/** A host that leads to where only what an operator lists may go. */
export class LinkLocalError extends Error {
  constructor(host: string) {
    super(`${host} is a link-local address. If it is meant, list it in HOLDFAST_EGRESS_ALLOW.`);
  }
}

function isLinkLocal(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'linkLocal';
}
