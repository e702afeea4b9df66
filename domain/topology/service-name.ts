/** Characters of a name that count: it is indexed, and an index takes no text of any length. */
const longestName = 200;

/** Names that stand for 'nobody knows' in meshes and instrumentations. */
const meaningless = new Set([
  '',
  '-',
  'unknown',
  'unknown_service',
  'null',
  'undefined',
  'none',
  'localhost',
]);

const address = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9a-f]*:[0-9a-f:.]*\]?)(?::\d+)?$/i;

/** `text` as the name of a service; null when it names none. Without controls, NUL and halves of characters. */
export function serviceName(text: string): string | null {
  const name = text
    .replaceAll(/\p{Cc}/gu, '')
    .toWellFormed()
    .trim()
    .slice(0, longestName)
    .toWellFormed();
  return meaningless.has(name.toLowerCase()) || name.startsWith('unknown_service:') ? null : name;
}

/**
 * The service behind a host name: inside Kubernetes 'reviews.shop.svc.cluster.local:9080' and 'reviews.shop.svc' are
 * the service 'reviews', elsewhere a host stands for itself. An address names nothing: it is another one tomorrow.
 */
export function serviceOfHost(text: string): { name: string; isHost: boolean } | null {
  const host = text.trim().replace(/\.$/, '');
  if (address.test(host)) return null;
  const bare = host.replace(/:\d+$/, '');
  const inCluster = /^([^.]+)\.[^.]+\.svc(?:\..+)?$/.exec(bare)?.[1];
  const name = serviceName(inCluster ?? bare);
  return name === null ? null : { name, isHost: inCluster === undefined && bare.includes('.') };
}
