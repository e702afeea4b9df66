import type { Piece } from '../incident-sentence.ts';
import type { IncidentStatus } from '../incident-status.ts';
import { lines, oneLine } from '../markup.ts';
import type { Severity } from '../severity.ts';
import { chatUsages } from './command.ts';
import {
  actions,
  button,
  context,
  escapeSlack,
  link,
  message,
  moment,
  type SlackBlock,
  type SlackElement,
  type SlackMessage,
  section,
} from './slack-blocks.ts';

/** What Holdfast answers in Slack. Texts from outside are escaped here, once. */

export interface ChatIncidentRow {
  number: number;
  title: string;
  severity: Severity;
  status: IncidentStatus;
  service: string | null;
  openedAt: Date;
  /** By name. */
  acknowledgedBy: string | null;
}

export interface ChatIncident extends ChatIncidentRow {
  /** The one sentence. */
  sentence: Piece[];
  resolvedAt: Date | null;
  alertCount: number;
  firingCount: number;
  /** What a button pressed under this answer is as of. */
  recordedSeq: number;
  opening: number;
  /** Those that are still pending. */
  approvals: ChatApproval[];
}

export interface ChatApproval {
  id: string;
  executionId: string;
  runbook: string;
  target: string;
  requestedBy: string;
  expiresAt: Date;
  /** Votes that it takes, and those for it so far. */
  required: number;
  given: number;
}

/** One schedule, and who answers by it at this moment; nobody: a gap. */
export interface ChatOnCall {
  schedule: string;
  entries: { person: string; rotation: string; until: Date; override: boolean; shadow: boolean }[];
}

const shapes: Record<Severity, string> = {
  critical: ':red_circle:',
  high: ':large_orange_circle:',
  warning: ':large_yellow_circle:',
  low: ':large_blue_circle:',
  info: ':white_circle:',
};

const statusWords: Record<IncidentStatus, string> = {
  created: 'created',
  investigating: 'investigating',
  root_cause_found: 'root cause found',
  mitigated: 'mitigated',
  resolved: 'resolved',
  false_positive: 'false positive',
};

/** A problem, a refusal or a word that something is done: text, not markup. */
export function plainAnswer(text: string): SlackMessage {
  return message(text, [section(escapeSlack(lines(text, 2500)))]);
}

export function helpAnswer(slashCommand: string): SlackMessage {
  const command = escapeSlack(oneLine(slashCommand, 40));
  const rows = chatUsages.map(({ usage, does }) => `\`${command} ${usage}\`\n${does}`);
  return message('What you can ask Holdfast', [
    section(`*What you can ask*\n${rows.join('\n')}`),
    context('You act in your own name and with your role in Holdfast. Only you see these answers.'),
  ]);
}

/** `asked`: what was filtered by, such as 'critical, mine'; '' for all. `total` may be more than are shown. */
export function incidentListAnswer(
  rows: readonly ChatIncidentRow[],
  { total, asked, publicUrl }: { total: number; asked: string; publicUrl: string },
): SlackMessage {
  const kind = asked === '' ? '' : ` (${asked})`;
  if (rows.length === 0) {
    return plainAnswer(`No incident is open${kind}.`);
  }
  const head = `${total} open ${total === 1 ? 'incident' : 'incidents'}${kind}`;
  const shown = rows.map((row) => section(rowText(row, publicUrl)));
  const rest = total - rows.length;
  return message(head, [
    section(`*${escapeSlack(head)}*`),
    ...shown,
    ...(rest > 0 ? [context(`And ${rest} more: ${link(`${publicUrl}/incidents`, 'open the list')}`)] : []),
  ]);
}

function rowText(row: ChatIncidentRow, publicUrl: string): string {
  const who =
    row.acknowledgedBy === null ? 'nobody has it' : `${escapeSlack(oneLine(row.acknowledgedBy, 60))} has it`;
  return `${nameOf(row, publicUrl)}\n${shapes[row.severity]} ${row.severity} · since ${moment(row.openedAt)} · ${who}`;
}

/** '#42 checkout: db-primary refuses connections' with the number as a link. */
function nameOf(row: ChatIncidentRow, publicUrl: string): string {
  const service = row.service === null ? '' : `${escapeSlack(oneLine(row.service, 60))}: `;
  return `*${numberLink(row, publicUrl)}* ${service}${escapeSlack(oneLine(row.title, 200))}`;
}

function numberLink({ number }: ChatIncidentRow, publicUrl: string): string {
  return link(`${publicUrl}/incidents/${number}`, `#${number}`);
}

/** How an incident stands, with what can be done about it. */
export function incidentAnswer(incident: ChatIncident, publicUrl: string): SlackMessage {
  const over = incident.resolvedAt !== null;
  const shape = over ? ':white_check_mark:' : shapes[incident.severity];
  const alerts = over
    ? `${incident.alertCount} alerts`
    : `${incident.firingCount} of ${incident.alertCount} alerts firing`;
  return message(`#${incident.number} ${oneLine(incident.title, 200)}`, [
    section(`*${numberLink(incident, publicUrl)}* ${piecesText(incident.sentence, publicUrl)}`),
    context(`${shape} ${incident.severity} · ${statusWords[incident.status]} · ${alerts}`),
    ...incident.approvals.slice(0, 10).flatMap((approval) => approvalBlocks(approval)),
    ...actions(incidentButtons(incident, publicUrl)),
  ]);
}

function incidentButtons(incident: ChatIncident, publicUrl: string): SlackElement[] {
  const { number, recordedSeq: asOf, opening } = incident;
  const value = { number, asOf, opening };
  const view = button('holdfast.view', 'View', { url: `${publicUrl}/incidents/${number}` });
  if (incident.resolvedAt !== null) return [view];
  return [
    ...(incident.acknowledgedBy === null
      ? [button('holdfast.acknowledge', 'Acknowledge', { value, style: 'primary' })]
      : []),
    view,
    button('holdfast.run', 'Run a runbook', { value }),
    button('holdfast.false_positive', 'False positive', { value }),
  ];
}

function approvalBlocks(approval: ChatApproval): SlackBlock[] {
  const value = { approvalId: approval.id, executionId: approval.executionId };
  const votes = approval.required > 1 ? ` · ${approval.given} of ${approval.required} votes` : '';
  return [
    section(
      `*${escapeSlack(oneLine(approval.runbook, 100))}* on ${escapeSlack(oneLine(approval.target, 200))} waits for approval until ${moment(approval.expiresAt)}${votes}; asked for by ${escapeSlack(oneLine(approval.requestedBy, 100))}.`,
    ),
    ...actions([
      button('holdfast.approve', 'Approve…', { value, style: 'primary' }),
      button('holdfast.reject', 'Reject…', { value, style: 'danger' }),
    ]),
  ];
}

function piecesText(pieces: readonly Piece[], publicUrl: string): string {
  return pieces
    .map((piece) => {
      if ('clock' in piece) return moment(new Date(piece.clock));
      if ('strong' in piece) return `*${escapeSlack(oneLine(piece.strong, 300))}*`;
      // the spaces at both ends of a piece part it from the next
      const text = escapeSlack(lines(`·${piece.text}·`, 1200).slice(1, -1));
      return piece.href === undefined ? text : link(`${publicUrl}${piece.href}`, piece.text);
    })
    .join('');
}

export function onCallAnswer(schedules: readonly ChatOnCall[], publicUrl: string): SlackMessage {
  if (schedules.length === 0) {
    return plainAnswer('There is no on-call schedule. An Admin makes one on the page On-call.');
  }
  return message('On call now', [
    ...schedules.map(({ schedule, entries }) => section(onCallText(schedule, entries))),
    context(link(`${publicUrl}/on-call`, 'Open the schedules')),
  ]);
}

function onCallText(schedule: string, entries: ChatOnCall['entries']): string {
  const answering = entries.filter(({ shadow }) => !shadow);
  const rows = entries.map((entry) => {
    const how = entry.override ? 'in place of the rotation' : escapeSlack(oneLine(entry.rotation, 60));
    const shadow = entry.shadow ? ', shadowing' : '';
    return `${escapeSlack(oneLine(entry.person, 100))} until ${moment(entry.until)} (${how}${shadow})`;
  });
  if (answering.length === 0) rows.push(':warning: nobody is on call: pages go to the next level at once');
  return `*${escapeSlack(oneLine(schedule, 100))}*\n${rows.join('\n')}`;
}

/** Who speaks is not known here yet: how to change that. `url` works once and only for them. */
export function linkAnswer(reason: string, url: string, minutes: number): SlackMessage {
  return message(reason, [
    section(
      `${escapeSlack(reason)} ${link(url, 'Connect your account')}: open it, sign in to Holdfast, and confirm. The address is for you alone, works once, and for ${minutes} minutes.`,
    ),
  ]);
}

/** Where it goes on when Slack cannot show a form. */
export function pageAnswer(text: string, url: string, words: string): SlackMessage {
  return message(text, [section(`${escapeSlack(text)} ${link(url, words)}`)]);
}

/** What an act came to, with the way to its page. */
export function doneAnswer(text: string, url: string, words: string): SlackMessage {
  return message(text, [section(`:white_check_mark: ${escapeSlack(lines(text, 2000))} ${link(url, words)}`)]);
}
