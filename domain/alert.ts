import type { Severity } from './severity.ts';

/** One alert as a sender reported it, made plain: what the intake stores. */
export interface IncomingAlert {
  /** The sender's identity of the alert: the same labels, the same fingerprint. */
  fingerprint: string;
  status: 'firing' | 'resolved';
  name: string;
  severity: Severity;
  service: string | null;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  generatorUrl: string | null;
  /** ISO 8601, the sender's clock. */
  startsAt: string;
  endsAt: string | null;
  /** How many alerts of its group the sender left out of the message. */
  truncated: number;
}

/** The labels that name a service, in the order in which they are asked. */
const serviceLabels = ['service', 'service_name', 'app', 'app_kubernetes_io_name', 'app.kubernetes.io/name'];

/** Characters of a service's name that count: it is indexed, and an index takes no text of any length. */
const serviceLimit = 200;

/** The service that the labels name, or null. `job` is left out: it names how a target is scraped, not what it is. */
export function serviceOf(labels: Record<string, string>): string | null {
  for (const label of serviceLabels) {
    const value = labels[label];
    if (value) return value.slice(0, serviceLimit).toWellFormed();
  }
  return null;
}
