import { z } from 'zod';
import { type IncomingAlert, serviceOf } from './alert.ts';
import { severityFromLabel } from './severity.ts';

/**
 * Alertmanager's webhook, version 4: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config.
 * Fields that Holdfast does not use are accepted and ignored, so that a newer Alertmanager still gets through.
 */
export const alertmanagerWebhook = z.object({
  version: z.string().optional(),
  groupKey: z.string().optional(),
  truncatedAlerts: z.int().min(0).default(0),
  status: z.string().optional(),
  receiver: z.string().optional(),
  externalURL: z.string().optional(),
  alerts: z.array(z.unknown()).max(100_000),
});

const labelSet = z.record(z.string().max(1024), z.string().max(65_536));
const timestamp = z.iso.datetime({
  offset: true,
  error: 'write a time such as 2026-01-31T03:00:00Z (RFC 3339)',
});

export const alertmanagerAlert = z.object({
  status: z.enum(['firing', 'resolved']),
  labels: labelSet.refine((labels) => Object.keys(labels).length > 0, 'an alert has at least one label'),
  annotations: labelSet.default({}),
  startsAt: timestamp,
  endsAt: timestamp.optional(),
  generatorURL: z.string().max(8192).optional(),
  fingerprint: z.string().min(1).max(256).optional(),
});

export interface RejectedAlert {
  /** Position in `alerts`. */
  index: number;
  /** Where in the body, such as `alerts.3.labels`. */
  field: string;
  message: string;
}

export type ParsedWebhook =
  | { ok: true; alerts: IncomingAlert[]; rejected: RejectedAlert[] }
  | { ok: false; problems: { field: string; message: string }[] };

/** A body as Alertmanager posts it. A bad alert is reported and does not lose the others. */
export function parseAlertmanagerWebhook(body: unknown): ParsedWebhook {
  const parsed = alertmanagerWebhook.safeParse(body);
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error, '') };
  const alerts: IncomingAlert[] = [];
  const rejected: RejectedAlert[] = [];
  for (const [index, raw] of parsed.data.alerts.entries()) {
    const alert = alertmanagerAlert.safeParse(raw);
    if (alert.success) alerts.push(toIncoming(alert.data, parsed.data.truncatedAlerts));
    else
      for (const problem of problemsOf(alert.error, `alerts.${index}`)) rejected.push({ index, ...problem });
  }
  if (alerts.length === 0 && rejected.length > 0) return { ok: false, problems: rejected };
  return { ok: true, alerts, rejected };
}

function problemsOf(error: z.ZodError, prefix: string): { field: string; message: string }[] {
  return error.issues.map((issue) => ({
    field: [prefix, ...issue.path.map(String)].filter(Boolean).join('.') || 'body',
    message: issue.message,
  }));
}

function toIncoming(alert: z.infer<typeof alertmanagerAlert>, truncated: number): IncomingAlert {
  const labels = storable(alert.labels);
  return {
    fingerprint: alert.fingerprint ? storableText(alert.fingerprint) : fingerprintOf(labels),
    status: alert.status,
    name: shortened(labels.alertname || 'unnamed alert'),
    severity: severityFromLabel(labels.severity),
    service: serviceOf(labels),
    labels,
    annotations: storable(alert.annotations),
    generatorUrl: alert.generatorURL ? storableText(alert.generatorURL) : null,
    startsAt: alert.startsAt,
    // Alertmanager writes the year 1 for 'not yet'
    endsAt: alert.endsAt && !alert.endsAt.startsWith('0001-') ? alert.endsAt : null,
    truncated,
  };
}

/** Characters of an alert's name that are kept outside of its labels: it stands in titles, subjects and lines. */
const nameLimit = 200;

function shortened(name: string): string {
  return name.length <= nameLimit ? name : `${name.slice(0, nameLimit - 1).toWellFormed()}…`;
}

/** PostgreSQL stores neither NUL nor half a surrogate pair. */
function storableText(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}

function storable(set: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(set).map(([name, value]) => [storableText(name), storableText(value)]),
  );
}

const fnvOffset = 14695981039346656037n;
const fnvPrime = 1099511628211n;

/**
 * For senders that give none: the fingerprint as Prometheus computes it, FNV-1a over the sorted labels with 0xff
 * after each name and value (github.com/prometheus/common, model.LabelSet.Fingerprint).
 */
export function fingerprintOf(labels: Record<string, string>): string {
  let hash = fnvOffset;
  const add = (byte: number) => {
    hash = ((hash ^ BigInt(byte)) * fnvPrime) & 0xffffffffffffffffn;
  };
  const encoder = new TextEncoder();
  for (const name of Object.keys(labels).sort()) {
    for (const part of [name, labels[name] ?? '']) {
      encoder.encode(part).forEach(add);
      add(0xff);
    }
  }
  return hash.toString(16).padStart(16, '0');
}
