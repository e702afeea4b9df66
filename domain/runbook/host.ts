const name = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?\.?$/;
/** At least two colons: with one it would be a name and a port. */
const ipv6 = /^(?=(?:[^:]*:){2})[0-9A-Fa-f:]+(?::\d{1,3}(?:\.\d{1,3}){3})?$/;

const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
/** A name that ends like this is an address written in another way (10.1, 0xa000001), which not all read alike. */
const numericEnd = /(?:^|\.)(?:\d+|0x[0-9A-Fa-f]*)\.?$/i;

/** Whether the text is a host name or an address, without a port and with nothing that another program would read. */
export function isHost(text: string): boolean {
  return ipv4.test(text) || ipv6.test(text) || (name.test(text) && !numericEnd.test(text));
}
