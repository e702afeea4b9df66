import { formatDuration } from '../duration.ts';
import { comparedWithUsual } from '../logs/usual.ts';
import type { IncidentExport } from './incident-export.ts';
import { code, link, plain, table } from './markdown-text.ts';

const alertsShown = 50;
const patternsShown = 10;

/**
 * The draft of a post-mortem as GitHub's Markdown: what Holdfast knows is filled in, what only people know is asked
 * for. Times are UTC.
 */
export function markdownOf(incident: IncidentExport): string {
  const sections = [
    head(incident),
    ['## Summary', '', plain(incident.summary, 2000)],
    impact(incident),
    rootCause(incident),
    changes(incident),
    response(incident),
    timeline(incident),
    logs(incident),
    alerts(incident),
    similar(incident),
    lessons,
  ];
  return `${sections
    .filter((section) => section.length > 0)
    .map((section) => section.join('\n'))
    .join('\n\n')}\n`;
}

function head(incident: IncidentExport): string[] {
  const { openedAt, acknowledgedAt, acknowledgedBy, resolvedAt, resolvedBy } = incident;
  return [
    `# ${plain(`#${incident.number} ${incident.title}`)}`,
    '',
    `Draft of a post-mortem, made by Holdfast from [incident ${incident.number}](<${incident.url}>) on ${instant(incident.exportedAt)}.`,
    '',
    ...table(
      ['', ''],
      [
        ['Status', statusWords[incident.status]],
        ['Severity', incident.severity],
        ['Opened', instant(openedAt)],
        ['Acknowledged', whenAndWho(openedAt, acknowledgedAt, acknowledgedBy)],
        ['Resolved', whenAndWho(openedAt, resolvedAt, resolvedBy)],
        ['Alerts', `${incident.alertCount} on ${count(incident.services.length, 'service')}`],
        ...(incident.mergedInto === null ? [] : [['Merged into', `incident ${incident.mergedInto}`]]),
      ],
    ),
  ];
}

const statusWords: Record<IncidentExport['status'], string> = {
  created: 'open',
  investigating: 'being investigated',
  root_cause_found: 'root cause found',
  mitigated: 'mitigated',
  resolved: 'resolved',
  false_positive: 'false positive',
};

function whenAndWho(openedAt: string, at: string | null, by: string | null): string {
  if (at === null) return 'not yet';
  const after = formatDuration(Date.parse(at) - Date.parse(openedAt));
  return `${instant(at)}${by === null ? '' : ` by ${plain(by, 200)}`}, after ${after}`;
}

function impact({ services }: IncidentExport): string[] {
  return [
    '## Impact',
    '',
    '_To be written: who was affected, what did not work for them, for how long._',
    ...(services.length === 0
      ? []
      : [
          '',
          ...table(
            ['Service', 'Alerts', 'First alert'],
            services.map(({ service, alerts: many, firstAt }) => [
              plain(service),
              String(many),
              clock(firstAt),
            ]),
          ),
        ]),
  ];
}

function rootCause({ cause, causes, notes }: IncidentExport): string[] {
  const ranked = causes.find(({ service }) => service === cause?.service);
  const others = causes.filter(
    ({ service, confidence }) => service !== cause?.service && confidence >= 0.005,
  );
  const verdict =
    cause === null
      ? 'The evidence points at no single service.'
      : cause.by === null
        ? `Probably **${plain(cause.service)}** (${percent(cause.confidence)}), by the evidence:`
        : `**${plain(cause.service)}**, said by ${plain(cause.by, 200)}.`;
  return [
    '## Root cause',
    '',
    verdict,
    ...bullets(ranked?.reasons ?? []),
    ...(others.length === 0
      ? []
      : [
          '',
          `Also considered: ${others.map(({ service, confidence }) => `${plain(service)} (${percent(confidence)})`).join(', ')}.`,
        ]),
    ...bullets(notes),
    '',
    '_To be written: why it could happen, and why it was not noticed before._',
  ];
}

const bullets = (sentences: readonly string[]): string[] =>
  sentences.length === 0 ? [] : ['', ...sentences.map((sentence) => `- ${plain(sentence)}`)];

function changes(incident: IncidentExport): string[] {
  if (incident.changes.length === 0) return [];
  return [
    '## Changes before it',
    '',
    ...table(
      ['When', 'Change', 'By', 'Score', 'Judged'],
      incident.changes.map((change) => [
        clock(change.at),
        link(change.words, change.url),
        plain(change.author ?? '', 200),
        percent(change.score),
        change.verdict === null ? '' : `${change.verdict} by ${plain(change.judgedBy ?? '', 200)}`,
      ]),
    ),
  ];
}

function response({ sla, executions }: IncidentExport): string[] {
  if (sla.length === 0 && executions.length === 0) return [];
  return [
    '## Response',
    ...(sla.length === 0
      ? []
      : [
          '',
          ...table(
            ['SLA', 'Policy', 'Allowed', 'Came to'],
            sla.map((each) => [
              each.kind === 'acknowledge' ? 'time to acknowledge' : 'time to resolve',
              plain(each.policy),
              lasted(each.startedAt, each.dueAt),
              `${each.state.replace('_', ' ')}${each.endedAt === null ? '' : `, ${lasted(each.startedAt, each.endedAt)}`}`,
            ]),
          ),
        ]),
    ...(executions.length === 0
      ? []
      : [
          '',
          ...table(
            ['Runbook', 'On', 'Asked for by', 'Came to'],
            executions.map((each) => [
              plain(each.runbook),
              plain(each.target),
              plain(each.requestedBy, 200),
              `${each.status.replace('_', ' ')}${each.reason === null ? '' : `: ${plain(each.reason)}`}`,
            ]),
          ),
        ]),
  ];
}

function timeline({ timeline: entries, timelineOmitted }: IncidentExport): string[] {
  const days = [...Map.groupBy(entries, ({ at }) => at.slice(0, 10))];
  return [
    '## Timeline',
    ...(days.length === 0 ? ['', 'Nothing was recorded.'] : []),
    ...days.flatMap(([day, those]) => ['', `${day}, UTC:`, '', ...those.map(entryLine)]),
    ...(timelineOmitted > 0 ? ['', `And ${timelineOmitted} more entries on the incident's page.`] : []),
  ];
}

function entryLine({ at, actor, summary }: IncidentExport['timeline'][number]): string {
  const who = actor.toLowerCase() === 'holdfast' ? '' : `${plain(actor, 200)}: `;
  return `- ${clock(at)} ${who}${plain(summary, 2000)}`;
}

function logs({ logs: found }: IncidentExport): string[] {
  if (!found || found.patterns.length === 0) return [];
  return [
    '## Logs',
    '',
    `${found.total.toLocaleString('en-GB')} lines around it from ${plain(found.source)}. ${link('The whole query', found.link)}`,
    '',
    ...table(
      ['Lines', 'Level', 'Pattern', ''],
      found.patterns
        .slice(0, patternsShown)
        .map((pattern) => [
          String(pattern.count),
          pattern.level,
          code(pattern.template),
          comparedWithUsual(pattern) ?? '',
        ]),
    ),
  ];
}

function alerts({ alerts: all, alertCount }: IncidentExport): string[] {
  if (all.length === 0) return [];
  const shown = all.slice(0, alertsShown);
  return [
    '## Alerts',
    '',
    ...table(
      ['When', 'Alert', 'Service', 'Severity', 'What it says'],
      shown.map((alert) => [
        clock(alert.receivedAt),
        plain(alert.name, 200),
        plain(alert.service ?? '', 200),
        alert.severity,
        plain(alert.summary ?? ''),
      ]),
    ),
    ...(alertCount > shown.length ? ['', `And ${alertCount - shown.length} more.`] : []),
  ];
}

function similar({ similar: known }: IncidentExport): string[] {
  if (known.length === 0) return [];
  return [
    '## Similar incidents',
    '',
    ...known.map((each) => {
      const after = endOf(each);
      const ran = each.runbooks.map(
        ({ runbook, status }) => `${plain(runbook)} (${status.replace('_', ' ')})`,
      );
      return `- ${plain(`#${each.number} ${each.title}`)}, ${percent(each.score)} alike, ${after}${each.cause === null ? '' : `, cause ${plain(each.cause)}`}${ran.length === 0 ? '' : `; ran ${ran.join(', ')}`}`;
    }),
  ];
}

function endOf({ status, openedAt, resolvedAt }: IncidentExport['similar'][number]): string {
  if (resolvedAt === null) return 'still open';
  const word = status === 'false_positive' ? 'a false positive, closed' : 'resolved';
  return `${word} after ${lasted(openedAt, resolvedAt)}`;
}

const lessons = [
  '## What went well',
  '',
  '- ',
  '',
  '## What went badly',
  '',
  '- ',
  '',
  '## What will change',
  '',
  '- [ ] _What, who, until when_',
];

const percent = (share: number): string => `${Math.round(share * 100)} %`;
const count = (many: number, noun: string): string => `${many} ${noun}${many === 1 ? '' : 's'}`;
const lasted = (from: string, to: string): string => formatDuration(Date.parse(to) - Date.parse(from));
/** '2026-11-21 02:14:05 UTC' */
const instant = (at: string): string => `${at.slice(0, 19).replace('T', ' ')} UTC`;
/** '02:14:05' */
const clock = (at: string): string => at.slice(11, 19);
