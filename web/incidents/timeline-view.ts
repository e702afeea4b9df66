import type { ApprovalRecord } from '../../db/approvals.ts';
import type { ExecutionDetail, ExecutionSummary } from '../../db/executions-read.ts';
import type { IncidentHead, SlaClock, TimelineEntry } from '../../db/incident-detail.ts';
import { pendingApprovals } from '../../db/sentence-facts.ts';
import { breachReasonNames, breachReasons } from '../../domain/breach-reasons.ts';
import { formatDuration } from '../../domain/duration.ts';
import type { Deadline } from '../../domain/incident-status.ts';
import { nameOf, type People, withNames } from '../../domain/people.ts';
import { type Pauses, runningMs, undecided } from '../../domain/sla/clock.ts';
import { approvalView } from '../approvals/view.ts';
import { executionMarks, incidentMarks, type Mark, slaMarks } from '../layout/words.ts';

/** The first tab: what happens next, what is asked, what happened. */
export interface TimelineTabView {
  next: { icon: string; tone: string; at: string; what: string; soon: boolean }[];
  asks: ApprovalAsk[];
  timeline: TimelineView[];
  olderTimelineHref: string | null;
  executions: ExecutionView[];
  sla: SlaView[];
  status: Mark;
  openedAt: string;
  facts: { name: string; value: string }[];
  services: { name: string; href: string | null; note: string }[];
  workflowUrl: string | null;
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
  /** [from, to) in epoch milliseconds. */
  pauses: Pauses;
  running: boolean;
  outcome: string;
  /** Why it was breached, or where to say so; null where it was not. */
  breach: { action: string; why: string | null; reasons: Choice[]; note: string; id: string } | null;
}

interface Choice {
  value: string;
  label: string;
  selected: boolean;
}

export interface TimelineInput {
  incident: IncidentHead;
  /** Newest first. */
  timeline: TimelineEntry[];
  olderTimelineHref: string | null;
  /** The executions behind pending approvals. */
  proposed: ExecutionDetail[];
  people: People;
  workflowUrl: string | null;
  now: number;
}

const servicesListed = 8;

export function timelineTabView(input: TimelineInput): TimelineTabView {
  const { incident } = input;
  const pending = pendingApprovals(incident);
  return {
    next: nextOf(input, pending),
    asks: pending.map((approval) => askView(approval, input.proposed)),
    timeline: input.timeline.map((entry) => timelineView(entry, input.people)),
    olderTimelineHref: input.olderTimelineHref,
    executions: incident.executions.map(executionView),
    sla: incident.sla.map((clock) => slaView(clock, input)),
    status: incidentMarks[incident.status],
    openedAt: incident.openedAt.toISOString(),
    facts: sideFacts(input),
    services: servicesOf(incident),
    workflowUrl: input.workflowUrl,
  };
}

/** Those that failed first, and how many there are beyond. */
function servicesOf({ services }: IncidentHead): TimelineTabView['services'] {
  const listed = services.slice(0, servicesListed).map(({ service, alerts, firing }) => ({
    name: service,
    href: `/services/${encodeURIComponent(service)}`,
    note: `${firing} of ${alerts} firing`,
  }));
  const more = services.length - listed.length;
  return more > 0 ? [...listed, { name: `and ${more} more`, href: null, note: '' }] : listed;
}

const deadlineMarks: Record<Deadline['kind'], { icon: string; tone: string }> = {
  escalation: { icon: 'alert', tone: 'bad' },
  acknowledge_sla: { icon: 'clock', tone: 'warning' },
  resolve_sla: { icon: 'clock', tone: 'warning' },
  approval: { icon: 'approvals', tone: 'warning' },
  snooze: { icon: 'clock', tone: 'quiet' },
  silence: { icon: 'clock', tone: 'quiet' },
  reminder: { icon: 'clock', tone: 'quiet' },
  unacknowledge: { icon: 'alert', tone: 'warning' },
  runbook: { icon: 'runbooks', tone: 'busy' },
  close: { icon: 'done', tone: 'quiet' },
};

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const soonMs = 5 * 60_000;

function nextOf(
  { incident, people, now }: TimelineInput,
  pending: ApprovalRecord[],
): TimelineTabView['next'] {
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
  [/^(snooze|silence)/, 'clock', 'plain'],
  [/^(reminded|policy_reapplied)/, 'alert', 'plain'],
  [/^(unacknowledged|nobody_on_call|target_unreached|level_undelivered)/, 'alert', 'warning'],
  [/^(root_cause|cause_)/, 'search', 'busy'],
  [/^change/, 'changes', 'plain'],
  [/^(merged|regrouped)/, 'link', 'busy'],
  [/^flapping/, 'waiting', 'warning'],
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

function slaView(clock: SlaClock, input: TimelineInput): SlaView {
  const { kind, pauses } = clock;
  const startedAt = clock.startedAt.getTime();
  const allowed = formatDuration(runningMs(startedAt, clock.dueAt.getTime(), pauses));
  const taken = clock.endedAt ? formatDuration(runningMs(startedAt, clock.endedAt.getTime(), pauses)) : null;
  return {
    kind: kind === 'acknowledge' ? 'Acknowledge' : 'Resolve',
    policy: clock.policy,
    state: slaMarks[clock.state],
    dueAt: clock.dueAt.toISOString(),
    pauses,
    running: undecided(clock),
    outcome: taken && clock.state === 'met' ? `${taken} of ${allowed}` : `within ${allowed}`,
    breach: clock.state === 'breached' ? breachView(clock, input) : null,
  };
}

function breachView({ kind, breach }: SlaClock, { incident, people }: TimelineInput): SlaView['breach'] {
  const said = breach && `${breachReasonNames[breach.reason]}${breach.note ? `: ${breach.note}` : ''}`;
  return {
    action: `/incidents/${incident.number}/breaches/${kind}/reason`,
    why: breach && `${said} (${nameOf(people, breach.by)})`,
    reasons: breachReasons.map((value) => ({
      value,
      label: breachReasonNames[value],
      selected: value === breach?.reason,
    })),
    note: breach?.note ?? '',
    id: `breach-${kind}`,
  };
}

function sideFacts({ incident, people }: TimelineInput): { name: string; value: string }[] {
  return [
    { name: 'Assigned to', value: incident.assignedTo ? nameOf(people, incident.assignedTo) : 'nobody' },
    ...(incident.acknowledgedBy
      ? [{ name: 'Acknowledged', value: `by ${nameOf(people, incident.acknowledgedBy)}` }]
      : []),
    ...(incident.service ? [{ name: 'Service', value: incident.service }] : []),
    { name: 'Escalation', value: incident.escalationPolicy ?? 'not chosen yet' },
  ];
}
