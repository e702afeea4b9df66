import type { ApprovalRecord } from '../../db/approvals.ts';
import type { ExecutionDetail, ExecutionSummary } from '../../db/executions-read.ts';
import type { IncidentAlert, IncidentDetail, SlaClock, TimelineEntry } from '../../db/incident-detail.ts';
import type { NotificationRecord } from '../../db/notifications-read.ts';
import { formatDuration } from '../../domain/duration.ts';
import type { Deadline } from '../../domain/incident-status.ts';
import { approvalView } from '../approvals/view.ts';
import {
  alertMarks,
  executionMarks,
  incidentMarks,
  type Mark,
  severityMarks,
  slaMarks,
} from '../layout/words.ts';
import { type EvidenceView, evidenceView, webUrl } from './evidence-view.ts';
import { stateMark } from './list-view.ts';
import { incidentSentence, type Piece } from './sentence.ts';

export interface IncidentView {
  number: number;
  path: string;
  /** The state that the reader saw: sent along, so that a repeated click is one act. */
  asOf: number;
  title: string;
  sentence: Piece[];
  severity: Mark;
  state: Mark;
  status: Mark;
  service: string | null;
  openedAt: string;
  over: boolean;
  /** The one thing to do now; approve points at the question below. */
  primary: 'acknowledge' | 'approve' | 'resolve' | null;
  canAcknowledge: boolean;
  resolveTouches: string[];
  next: { icon: string; tone: string; at: string; what: string; soon: boolean }[];
  asks: ApprovalAsk[];
  logs: EvidenceView | null;
  alerts: AlertView[];
  /** The alerts beyond the first few, folded away. */
  moreAlerts: AlertView[];
  alertCount: number;
  alertsLine: string;
  timeline: TimelineView[];
  olderTimelineHref: string | null;
  executions: ExecutionView[];
  sla: SlaView[];
  facts: { name: string; value: string }[];
  assignees: { value: string; label: string; selected: boolean }[];
  workflowUrl: string | null;
  workflowId: string;
}

export interface ApprovalAsk {
  id: string;
  runbook: string;
  target: string;
  requestedBy: string;
  expiresAt: string;
  href: string;
  executionHref: string;
  /** '1 of 2 approvals given' where more than one is needed. */
  votes: string | null;
  /** What the step that asks wants to know; null before the first. */
  message: string | null;
  approveLabel: string;
  /** In mid-run: at which step it stands. */
  stepNumber: number | null;
  /** What follows when it is approved. */
  steps: { number: number; name: string; does: string }[];
}

export interface AlertView {
  id: number;
  name: string;
  severity: Mark;
  state: Mark;
  service: string | null;
  receivedAt: string;
  occurrences: number;
  summary: string | null;
  why: string | null;
  labels: { name: string; value: string }[];
  annotations: { name: string; value: string; href: string | null }[];
  generatorUrl: string | null;
}

export interface TimelineView {
  id: number;
  at: string;
  icon: string;
  tone: string;
  actor: string;
  summary: string;
  /** Why the machine did it, where it had to decide. */
  why: string | null;
}

export interface ExecutionView {
  href: string;
  runbook: string;
  target: string;
  state: Mark;
  at: string;
  reason: string | null;
}

export interface SlaView {
  kind: string;
  policy: string;
  state: Mark;
  dueAt: string;
  running: boolean;
  outcome: string;
}

export interface IncidentInput {
  incident: IncidentDetail;
  /** Newest first. */
  timeline: TimelineEntry[];
  olderTimelineHref: string | null;
  /** Newest first. */
  notifications: NotificationRecord[];
  /** The executions behind pending approvals. */
  proposed: ExecutionDetail[];
  people: { email: string; name: string }[];
  workflowUrl: string | null;
  now: number;
}

const alertsUnfolded = 8;

export function incidentView(input: IncidentInput): IncidentView {
  const { incident, now } = input;
  const over = incident.resolvedAt !== null;
  const pending = over ? [] : incident.approvals.filter((approval) => approval.status === 'pending');
  const alerts = incident.alerts.map(alertView);
  return {
    number: incident.number,
    path: `/incidents/${incident.number}`,
    asOf: incident.recordedSeq,
    title: incident.title,
    sentence: incidentSentence(factsOf(input, pending), now),
    severity: severityMarks[incident.severity],
    state: stateMark(incident),
    status: incidentMarks[incident.status],
    service: incident.service,
    openedAt: incident.openedAt.toISOString(),
    over,
    primary: over
      ? null
      : !incident.acknowledgedAt
        ? 'acknowledge'
        : pending.length > 0
          ? 'approve'
          : 'resolve',
    canAcknowledge: !over && !incident.acknowledgedAt,
    resolveTouches: touchesOf(incident, pending),
    next: nextOf(input, pending),
    asks: pending.map((approval) => askView(approval, input.proposed)),
    logs: incident.logs ? evidenceView(incident.logs) : null,
    alerts: alerts.slice(0, alertsUnfolded),
    moreAlerts: alerts.slice(alertsUnfolded),
    alertCount: incident.alertCount,
    alertsLine: alertsLine(incident),
    timeline: input.timeline.map((entry) => timelineView(entry, input.people)),
    olderTimelineHref: input.olderTimelineHref,
    executions: incident.executions.map(executionView),
    sla: incident.sla.map(slaView),
    facts: sideFacts(input),
    assignees: input.people.map(({ email, name }) => ({
      value: email,
      label: name && name !== email ? `${name} (${email})` : email,
      selected: email === incident.assignedTo,
    })),
    workflowUrl: input.workflowUrl,
    workflowId: incident.workflowId,
  };
}

function factsOf(input: IncidentInput, pending: ApprovalRecord[]) {
  const { incident } = input;
  const named = (who: string | null) => (who === null ? null : nameOf(input.people, who));
  const iso = (date: Date | null) => date?.toISOString() ?? null;
  const services = new Set(
    incident.alerts.map((alert) => alert.service).filter((service) => service !== null),
  );
  return {
    title: incident.title,
    service: incident.service,
    severity: incident.severity,
    status: incident.status,
    openedAt: incident.openedAt.toISOString(),
    alertCount: incident.alertCount,
    firingCount: incident.firingCount,
    serviceCount: services.size,
    acknowledgedAt: iso(incident.acknowledgedAt),
    acknowledgedBy: named(incident.acknowledgedBy),
    assignedTo: named(incident.assignedTo),
    snoozedUntil: iso(incident.snoozedUntil),
    resolvedAt: iso(incident.resolvedAt),
    resolvedBy: named(incident.resolvedBy),
    pages: input.notifications
      .filter((sent) => sent.type === 'escalation.page' && sent.status === 'sent')
      .map((sent) => ({
        who: nameOf(input.people, sent.destination),
        at: (sent.finishedAt ?? sent.createdAt).toISOString(),
      }))
      .reverse(),
    deadlines: incident.deadlines.map((deadline) => ({
      ...deadline,
      what: withNames(input.people, deadline.what),
    })),
    waiting: pending.map((approval) => ({
      runbook: approval.runbook,
      expiresAt: approval.expiresAt.toISOString(),
    })),
    executions: incident.executions.map(({ runbook, status }) => ({ runbook, status })).reverse(),
  };
}

type People = IncidentInput['people'];

const nameOf = (people: People, address: string): string =>
  people.find(({ email }) => email === address)?.name || address;

/** 'pages ben@example.com (level 2)' reads 'pages Ben (level 2)'. */
const withNames = (people: People, text: string): string =>
  text.replace(/[^\s,()]+@[^\s,()]+/g, (address) => nameOf(people, address));

function touchesOf(incident: IncidentDetail, pending: ApprovalRecord[]): string[] {
  const running = incident.executions.filter((execution) => execution.status === 'running');
  return [
    'Escalation and the SLA clocks stop; nobody is paged any more.',
    ...(incident.firingCount > 0
      ? [
          `${incident.firingCount} ${incident.firingCount === 1 ? 'alert is' : 'alerts are'} still firing: a new alert within the reopen window opens this incident again.`,
        ]
      : []),
    ...pending.map((approval) => `The approval of ${approval.runbook} is withdrawn.`),
    ...running.map((execution) => `${execution.runbook} is running and goes on to its end or its rollback.`),
  ];
}

const deadlineMarks: Record<Deadline['kind'], { icon: string; tone: string }> = {
  escalation: { icon: 'alert', tone: 'bad' },
  acknowledge_sla: { icon: 'clock', tone: 'warning' },
  resolve_sla: { icon: 'clock', tone: 'warning' },
  approval: { icon: 'approvals', tone: 'warning' },
  snooze: { icon: 'clock', tone: 'quiet' },
  runbook: { icon: 'runbooks', tone: 'busy' },
  close: { icon: 'done', tone: 'quiet' },
};

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const soonMs = 5 * 60_000;

function nextOf({ incident, people, now }: IncidentInput, pending: ApprovalRecord[]): IncidentView['next'] {
  const approvals: Deadline[] = incident.deadlines.some((deadline) => deadline.kind === 'approval')
    ? []
    : pending.map((approval) => ({
        kind: 'approval',
        at: approval.expiresAt.toISOString(),
        what: `the approval of ${approval.runbook} expires and it does not run`,
      }));
  return [...incident.deadlines, ...approvals]
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
    .map((deadline) => ({
      ...deadlineMarks[deadline.kind],
      at: deadline.at,
      what: capital(withNames(people, deadline.what)),
      soon: deadline.kind !== 'close' && Date.parse(deadline.at) - now < soonMs,
    }));
}

export function askView(approval: ApprovalRecord, executions: ExecutionDetail[]): ApprovalAsk {
  const execution = executions.find(({ id }) => id === approval.executionId);
  const { tally, message, approveLabel, stepNumber, steps } = approvalView(approval, execution);
  return {
    id: approval.id,
    runbook: approval.runbook,
    target: approval.target,
    requestedBy: approval.requestedBy,
    expiresAt: approval.expiresAt.toISOString(),
    href: `/approvals/${approval.id}`,
    executionHref: `/executions/${approval.executionId}`,
    votes: approval.required > 1 ? tally : null,
    message,
    approveLabel,
    stepNumber,
    steps: steps.map(({ number, name, does }) => ({ number, name, does })),
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
    summary: summary ?? description ?? null,
    why: alert.correlationReason,
    labels: pairs(alert.labels),
    annotations: pairs(alert.annotations).map((pair) => ({ ...pair, href: webUrl(pair.value) })),
    generatorUrl: webUrl(alert.generatorUrl),
  };
}

const pairs = (record: Record<string, string>): { name: string; value: string }[] =>
  Object.entries(record)
    .map(([name, value]) => ({ name, value }))
    .sort((a, b) => a.name.localeCompare(b.name));

function alertsLine(incident: IncidentDetail): string {
  const parts = [
    `${incident.firingCount} of ${incident.alertCount} firing`,
    ...(incident.alertCount > incident.alerts.length
      ? [`the newest ${incident.alerts.length} are shown`]
      : []),
    ...(incident.truncatedCount > 0
      ? [`Alertmanager left ${incident.truncatedCount} more out of its message`]
      : []),
  ];
  return parts.join(' · ');
}

const timelineMarks: [pattern: RegExp, icon: string, tone: string][] = [
  [/^(resolved|closed)/, 'done', 'good'],
  [/^false_positive/, 'stopped', 'quiet'],
  [/^acknowledged/, 'check', 'busy'],
  [/^assigned/, 'person', 'busy'],
  [/^note/, 'note', 'plain'],
  [/failed|refused|breach/, 'failed', 'bad'],
  [/rolled_back/, 'undone', 'warning'],
  [/at_risk/, 'warning', 'warning'],
  [/^sla/, 'clock', 'plain'],
  [/^notification/, 'mail', 'plain'],
  [/^(execution|runbook)/, 'play', 'busy'],
  [/^approval/, 'approvals', 'warning'],
  [/^logs/, 'logs', 'plain'],
  [/^snooze/, 'clock', 'plain'],
  [/^(opened|reopened|created)/, 'alert', 'bad'],
  [/^alert_resolved/, 'done', 'plain'],
  [/^alert/, 'alert', 'plain'],
];

export function timelineView(entry: TimelineEntry, people: People = []): TimelineView {
  const [, icon, tone] = timelineMarks.find(([pattern]) => pattern.test(entry.kind)) ?? [
    /./,
    'open',
    'plain',
  ];
  return {
    id: entry.id,
    at: entry.at.toISOString(),
    icon,
    tone,
    actor: entry.actor === 'Holdfast' || entry.actor === 'holdfast' ? '' : nameOf(people, entry.actor),
    summary: entry.summary,
    why: typeof entry.data.reason === 'string' ? entry.data.reason : null,
  };
}

export function executionView(execution: ExecutionSummary): ExecutionView {
  return {
    href: `/executions/${execution.id}`,
    runbook: execution.runbook,
    target: execution.target,
    state: executionMarks[execution.status],
    at: (execution.finishedAt ?? execution.startedAt ?? execution.createdAt).toISOString(),
    reason: execution.statusReason,
  };
}

function slaView(clock: SlaClock): SlaView {
  const running = clock.state === 'running' || clock.state === 'at_risk';
  const allowed = formatDuration(clock.dueAt.getTime() - clock.startedAt.getTime());
  const taken = clock.endedAt ? formatDuration(clock.endedAt.getTime() - clock.startedAt.getTime()) : null;
  return {
    kind: clock.kind === 'acknowledge' ? 'Acknowledge' : 'Resolve',
    policy: clock.policy,
    state: slaMarks[clock.state],
    dueAt: clock.dueAt.toISOString(),
    running,
    outcome: taken && clock.state === 'met' ? `${taken} of ${allowed}` : `within ${allowed}`,
  };
}

function sideFacts({ incident, people }: IncidentInput): { name: string; value: string }[] {
  return [
    { name: 'Assigned to', value: incident.assignedTo ? nameOf(people, incident.assignedTo) : 'nobody' },
    ...(incident.acknowledgedBy
      ? [{ name: 'Acknowledged', value: `by ${nameOf(people, incident.acknowledgedBy)}` }]
      : []),
    ...(incident.service ? [{ name: 'Service', value: incident.service }] : []),
    { name: 'Escalation', value: incident.escalationPolicy ?? 'not chosen yet' },
  ];
}
