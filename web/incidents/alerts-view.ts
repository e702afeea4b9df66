import type { IncidentAlert, IncidentHead } from '../../db/incident-detail.ts';
import { alertMarks, type Mark, severityMarks } from '../layout/words.ts';
import { silenceHref } from '../silences/form.ts';
import { webUrl } from './evidence-view.ts';

/** The tab of the alerts. */
export interface AlertsTabView {
  line: string;
  alerts: AlertView[];
  olderHref: string | null;
  newestHref: string | null;
  /** Why there is none. */
  empty: string | null;
}

export interface AlertView {
  id: number;
  name: string;
  severity: Mark;
  state: Mark;
  service: string | null;
  receivedAt: string;
  occurrences: number;
  /** Each change by itself says nothing. */
  flapping: boolean;
  summary: string | null;
  why: string | null;
  labels: { name: string; value: string }[];
  annotations: { name: string; value: string; href: string | null }[];
  generatorUrl: string | null;
  silenceHref: string;
}

export interface AlertsInput {
  incident: IncidentHead;
  /** Newest first. */
  alerts: IncidentAlert[];
  olderHref: string | null;
  newestHref: string | null;
}

export function alertsTabView({ incident, alerts, olderHref, newestHref }: AlertsInput): AlertsTabView {
  return {
    line: alertsLine(incident),
    alerts: alerts.map(alertView),
    olderHref,
    newestHref,
    empty:
      alerts.length > 0
        ? null
        : incident.mergedInto === null
          ? 'No alert is in this incident.'
          : `Its alerts are in #${incident.mergedInto} now.`,
  };
}

function alertView(alert: IncidentAlert): AlertView {
  const { summary, description } = alert.annotations;
  return {
    id: alert.id,
    name: alert.name,
    severity: severityMarks[alert.severity],
    state: alertMarks[alert.status],
    service: alert.service,
    receivedAt: alert.receivedAt.toISOString(),
    occurrences: alert.occurrences,
    flapping: alert.flapping,
    summary: summary ?? description ?? null,
    why: alert.correlationReason,
    labels: pairs(alert.labels),
    annotations: pairs(alert.annotations).map((pair) => ({ ...pair, href: webUrl(pair.value) })),
    generatorUrl: webUrl(alert.generatorUrl),
    silenceHref: silenceHref({ alert: alert.name, service: alert.service }),
  };
}

const pairs = (record: Record<string, string>): { name: string; value: string }[] =>
  Object.entries(record)
    .map(([name, value]) => ({ name, value }))
    .sort((a, b) => a.name.localeCompare(b.name));

function alertsLine(incident: IncidentHead): string {
  const parts = [
    `${incident.firingCount} of ${incident.alertCount} firing`,
    ...(incident.truncatedCount > 0
      ? [`Alertmanager left ${incident.truncatedCount} more out of its message`]
      : []),
  ];
  return parts.join(' · ');
}
