const name = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?\.?$/;
/** At least two colons: with one it would be a name and a port. */
const ipv6 = /^(?=(?:[^:]*:){2})[0-9A-Fa-f:]+(?::\d{1,3}(?:\.\d{1,3}){3})?$/;

/** Whether the text is a host name or an address, without a port and with nothing that another program would read. */
export function isHost(text: string): boolean {
  return name.test(text) || ipv6.test(text);
}
