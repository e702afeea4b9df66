import { resolve } from 'node:path';

/** What of the configuration concerns TLS to Temporal (main/config.ts reads it). */
export interface TemporalTls {
  /** The authority that the server's certificate is checked by; absent: the ones that Temporal's SDK trusts. */
  ca?: string;
  client?: { certificate: string; key: string };
}

/** Variables that go badly together, each with its remedy. */
export function temporalProblems(given: Readonly<Record<string, string>>): string[] {
  const secured = ['TEMPORAL_TLS_CA', 'TEMPORAL_TLS_CERT', 'TEMPORAL_TLS_KEY', 'TEMPORAL_API_KEY'];
  const named = [...secured, 'TEMPORAL_TLS'].filter((name) => given[name] !== undefined);
  if (named.length > 0 && !given.TEMPORAL_ADDRESS) {
    return [`${named.join(', ')}: of use only with TEMPORAL_ADDRESS; the embedded server speaks no TLS`];
  }
  const half = Boolean(given.TEMPORAL_TLS_CERT) !== Boolean(given.TEMPORAL_TLS_KEY);
  const contradiction = given.TEMPORAL_TLS === 'off' ? secured.filter((name) => given[name]) : [];
  return [
    ...(half ? ['TEMPORAL_TLS_CERT and TEMPORAL_TLS_KEY go together: set both or neither'] : []),
    ...(contradiction.length > 0
      ? [`TEMPORAL_TLS: off, but ${contradiction.join(', ')} needs TLS; unset one of them`]
      : []),
  ];
}

interface Given {
  TEMPORAL_TLS?: boolean | undefined;
  TEMPORAL_TLS_CA?: string | undefined;
  TEMPORAL_TLS_CERT?: string | undefined;
  TEMPORAL_TLS_KEY?: string | undefined;
  TEMPORAL_API_KEY?: string | undefined;
}

/** On where it is said or something needs it. */
export function temporalTlsOf(given: Given): TemporalTls | undefined {
  const { TEMPORAL_TLS: tls, TEMPORAL_TLS_CA: ca, TEMPORAL_TLS_CERT: certificate } = given;
  const { TEMPORAL_TLS_KEY: key, TEMPORAL_API_KEY: apiKey } = given;
  if (!(tls ?? Boolean(ca || certificate || apiKey))) return undefined;
  return {
    ...(ca ? { ca: resolve(ca) } : {}),
    ...(certificate && key ? { client: { certificate: resolve(certificate), key: resolve(key) } } : {}),
  };
}
