import { promises as dns, lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { isMetadataName } from '../../domain/cloud-metadata.ts';

/** A request goes nowhere: the host or address is not one that the runbook or the configuration allows. */
export class EgressRefusedError extends Error {
  override name = 'EgressRefusedError';
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * `true`: a person wrote the host, literally. 'public': nobody did, and it may be anywhere but in a private network.
 * `false`: nobody did, and it has to be listed.
 */
export type Trust = boolean | 'public';

export interface Destination {
  host: string;
  port: number;
  trusted: Trust;
}

/** One entry of `allowed_hosts` or HOLDFAST_EGRESS_ALLOW. */
interface HostRule {
  /** Exact name, or the part after '*.'; absent for addresses. */
  name?: string;
  wildcard: boolean;
  network?: [Address, number];
  port?: number;
}

/**
 * Where a step may go. A host that stands literally in a reviewed runbook may be private or loopback; one
 * that comes from a variable or a redirect has to be listed. Link-local addresses and cloud metadata have to be
 * listed as addresses in any case, and a name that only a wildcard allows does not lead to loopback.
 */
export class EgressRules {
  private readonly rules: HostRule[];

  /** Throws RangeError naming an entry that is neither a name, an address nor a network. */
  constructor(entries: readonly string[]) {
    this.rules = entries.map(parseRule);
  }

  /** Throws EgressRefusedError. */
  checkUrl(url: URL, trusted: Trust): void {
    this.checkHost({ host: hostOf(url), port: portOf(url), trusted });
  }

  /** The same for what has no URL. Throws EgressRefusedError. */
  checkHost(to: Destination): void {
    const { host, port, trusted } = plain(to);
    if (isIP(host)) {
      this.checkAddress(host, { host, port, trusted });
    } else if (isMetadataName(host) && !this.rules.some(({ network }) => network)) {
      throw new EgressRefusedError(metadataRefusal(host));
    } else if (!trusted && !this.nameRule(host, port) && !this.rules.some(({ network }) => network)) {
      throw new EgressRefusedError(refusal(host, port));
    }
  }

  /** A DNS lookup for undici that answers with allowed addresses alone, and fails where there are none. */
  lookupFor(url: URL, trusted: Trust): LookupFunction {
    return this.lookupOf({ host: hostOf(url), port: portOf(url), trusted });
  }

  /** The same for `net.connect`, which asks for no lookup where the host is an address: `checkHost` comes first. */
  lookupOf(to: Destination): LookupFunction {
    const { host, port, trusted } = plain(to);
    return (name, options, callback) => {
      dnsLookup(name, { ...options, all: true }, (error, addresses) => {
        if (error) return callback(error, '', 0);
        const refused: string[] = [];
        const allowed = addresses.filter(({ address }: LookupAddress) => {
          try {
            this.checkAddress(address, { host, port, trusted });
            return true;
          } catch (problem) {
            refused.push(problem instanceof Error ? problem.message : String(problem));
            return false;
          }
        });
        const first = allowed[0];
        if (!first) callback(new EgressRefusedError(refused[0] ?? refusal(host, port)), '', 0);
        else if (options.all) callback(null, allowed);
        else callback(null, first.address, first.family);
      });
    };
  }

  /**
   * The addresses of a host, for what makes connections by means of its own. Throws EgressRefusedError unless all of
   * them are allowed, the error of the DNS lookup, and the signal's reason when it is aborted first.
   */
  async resolve(to: Destination, signal: AbortSignal): Promise<string[]> {
    this.checkHost(to);
    signal.throwIfAborted();
    const addresses = await orAborted(dns.lookup(to.host, { all: true }), signal);
    for (const { address } of addresses) this.checkAddress(address, plain(to));
    return addresses.map(({ address }) => address);
  }

  /** The same for the host of a URL. */
  async resolveUrl(url: URL, trusted: boolean, signal: AbortSignal): Promise<string[]> {
    return await this.resolve({ host: hostOf(url), port: portOf(url), trusted }, signal);
  }

  /** Throws EgressRefusedError. */
  checkAddress(text: string, to: Destination): void {
    const address = embeddedAddress(ipaddr.process(text));
    const listed = this.rules.some(
      (rule) => rule.network && portFits(rule, to.port) && contains(rule.network, address),
    );
    if (listed) return;
    const range = rangeOf(address);
    if (isMetadataName(to.host)) throw new EgressRefusedError(metadataRefusal(to.host));
    if (range === 'linkLocal') {
      throw new EgressRefusedError(
        `${to.host} is at ${text}, a link-local address (cloud metadata lives there); list the address in allowed_hosts or HOLDFAST_EGRESS_ALLOW if it is meant`,
      );
    }
    if (range === 'multicast' || range === 'broadcast') {
      throw new EgressRefusedError(`${to.host} is at ${text}, a ${range} address, which answers no request`);
    }
    if (to.trusted === true || (to.trusted === 'public' && range === 'unicast')) return;
    const rule = this.nameRule(to.host, to.port);
    if (!rule) throw new EgressRefusedError(refusal(to.host, to.port));
    if (rule.wildcard && (range === 'loopback' || range === 'unspecified')) {
      throw new EgressRefusedError(
        `${to.host} is at ${text}, this machine itself, which '*.${rule.name}' does not open; list the name in full or the address`,
      );
    }
  }

  private nameRule(host: string, port: number): HostRule | undefined {
    const fits = this.rules.filter(
      (rule) =>
        rule.name !== undefined &&
        portFits(rule, port) &&
        (rule.wildcard ? host.endsWith(`.${rule.name}`) : host === rule.name),
    );
    return fits.find(({ wildcard }) => !wildcard) ?? fits[0];
  }
}

function parseRule(entry: string): HostRule {
  const text = entry.trim().toLowerCase();
  if (ipaddr.isValidCIDR(text)) return { wildcard: false, network: ipaddr.parseCIDR(text) };
  const { host, port } = splitPort(text);
  const withPort = port === undefined ? {} : { port };
  if (isIP(host)) {
    const address = ipaddr.process(host);
    return { wildcard: false, network: [address, address.kind() === 'ipv4' ? 32 : 128], ...withPort };
  }
  const wildcard = host.startsWith('*.');
  const name = (wildcard ? host.slice(2) : host).replace(/\.$/, '');
  if (!/^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/.test(name)) {
    throw new RangeError(
      `'${entry}' allows no host; write a name, '*.example.com', an address, a network such as 10.0.0.0/8, or one of the first three with ':port'`,
    );
  }
  return { name, wildcard, ...withPort };
}

function splitPort(text: string): { host: string; port?: number } {
  if (isIP(text)) return { host: text };
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text);
  if (!match) return { host: text };
  const host = match[1] ?? match[2] ?? '';
  return match[3] === undefined ? { host } : { host, port: Number(match[3]) };
}

function refusal(host: string, port: number): string {
  return `${host} comes from a variable or a redirect and is not allowed; add '${host}' or '${host}:${port}' to the runbook's allowed_hosts or to HOLDFAST_EGRESS_ALLOW`;
}

function metadataRefusal(host: string): string {
  return `${host} is the cloud's metadata service; list its address in allowed_hosts or HOLDFAST_EGRESS_ALLOW if it is meant`;
}

function portFits(rule: HostRule, port: number): boolean {
  return rule.port === undefined || rule.port === port;
}

function contains([network, bits]: [Address, number], address: Address): boolean {
  return network.kind() === address.kind() && address.match(network, bits);
}

/** Where clouds keep what is a machine's own apart from 169.254.0.0/16. */
const metadataNetworks = [
  'fd00:ec2::/32', // Amazon over IPv6
  'fd20:ce::254/128', // Google over IPv6
  '100.100.100.200/32', // Alibaba
  '168.63.129.16/32', // Azure's wire server
  '192.0.0.192/32', // Oracle
].map((network) => ipaddr.parseCIDR(network));

function rangeOf(address: Address): string {
  return metadataNetworks.some((network) => contains(network, address)) ? 'linkLocal' : address.range();
}

/**
 * NAT64 (RFC 6052, 8215), translated (RFC 6145) and IPv4-compatible addresses (RFC 4291) and 6to4 (RFC 3056) carry an
 * IPv4 address, which is where the packets go.
 */
function embeddedAddress(address: Address): Address {
  if (address.kind() !== 'ipv6') return address;
  const bytes = address.toByteArray();
  const range = address.range();
  const compatible = range === 'unicast' && bytes.slice(0, 12).every((byte) => byte === 0);
  if (range === 'rfc6052' || range === 'rfc6145' || compatible) return ipaddr.fromByteArray(bytes.slice(12));
  if (range === '6to4') return ipaddr.fromByteArray(bytes.slice(2, 6));
  return address;
}

/** For work that cannot be stopped, only left to itself, such as getaddrinfo. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (abort) signal.removeEventListener('abort', abort);
  }
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

/** As the rules write it. */
function plain(to: Destination): Destination {
  return { ...to, host: to.host.replace(/\.$/, '').toLowerCase() };
}

function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}
