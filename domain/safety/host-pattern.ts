import ipaddr from 'ipaddr.js';
import { matchesWildcard } from '../glob.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** 'db-1.example.com.' and 'DB-1.example.com' are one host, and so are '[::1]' and '::1'. */
export function plainHost(host: string): string {
  return host
    .trim()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase();
}

/**
 * A host as patterns are compared with it: its name, or its address in the one way that it is written. '010.0.0.1' is
 * two addresses, for some programs read it as octal numbers and some do not.
 */
export function hostForms(host: string): string[] {
  const plain = plainHost(host);
  const decimal = /^\d{1,3}(?:\.\d{1,3}){3}$/.test(plain) ? plain.replaceAll(/\b0+(?=\d)/g, '') : plain;
  const forms = [plain, decimal].flatMap((text) =>
    ipaddr.isValid(text) ? [ipaddr.process(text).toString()] : [],
  );
  return forms.length > 0 ? [...new Set(forms)] : [plain];
}

/** Whether one form of a host is in the network, is the address, or matches the name that the pattern says. */
export function matchesHost(pattern: string, form: string): boolean {
  const wanted = plainHost(pattern);
  const network = networkOf(wanted);
  if (!network) return hostForms(wanted).some((name) => matchesWildcard(name, form));
  if (!ipaddr.isValid(form)) return false;
  const [address, bits] = network;
  const given = ipaddr.process(form);
  return given.kind() === address.kind() && given.match(address, bits);
}

function networkOf(pattern: string): [Address, number] | undefined {
  if (!ipaddr.isValidCIDR(pattern)) return undefined;
  const [address, bits] = ipaddr.parseCIDR(pattern);
  const mapped = address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && bits >= 96;
  return mapped ? [address.toIPv4Address(), bits - 96] : [address, bits];
}
