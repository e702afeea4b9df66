import type { ApprovalRecord } from '../../db/approvals.ts';
import type { IncidentHead } from '../../db/incident-detail.ts';
import type { NotificationRecord } from '../../db/notifications-read.ts';
import { pendingApprovals, sentenceFacts } from '../../db/sentence-facts.ts';
import { incidentSentence, type Piece } from '../../domain/incident-sentence.ts';
import type { People } from '../../domain/people.ts';
import { incidentMarks, type Mark, severityMarks } from '../layout/words.ts';
import { silenceHref } from '../silences/form.ts';
import { stateMark } from './list-view.ts';

export const incidentTabs = ['timeline', 'alerts', 'logs', 'metrics', 'changes', 'similar'] as const;
export type IncidentTab = (typeof incidentTabs)[number];

/** What stands above every tab of an incident: the sentence, the one thing to do, the way to the evidence. */
export interface HeadView {
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
  /** Null where nothing says which alerts are meant. */
  silenceHref: string | null;
  openedAt: string;
  over: boolean;
  /** The one thing to do now; approve points at the question on the timeline. */
  primary: 'acknowledge' | 'approve' | 'resolve' | null;
  askHref: string;
  resolveTouches: string[];
  assignees: { value: string; label: string; selected: boolean }[];
  mergedInto: { number: number; href: string } | null;
  tabs: { label: string; href: string; count: number; current: boolean }[];
}

export interface HeadInput {
  incident: IncidentHead;
  /** Newest first. */
  notifications: NotificationRecord[];
  people: People;
  now: number;
}

export function headView(input: HeadInput, tab: IncidentTab): HeadView {
  const { incident, people, now } = input;
  const over = incident.resolvedAt !== null;
  const path = `/incidents/${incident.number}`;
  const pending = pendingApprovals(incident);
  return {
    number: incident.number,
    path,
    asOf: incident.recordedSeq,
    title: incident.title,
    sentence: incidentSentence(sentenceFacts(input), now),
    severity: severityMarks[incident.severity],
    state: stateMark(incident),
    status: incidentMarks[incident.status],
    service: incident.service,
    silenceHref: incident.service === null ? null : silenceHref({ service: incident.service }),
    openedAt: incident.openedAt.toISOString(),
    over,
    primary: over
      ? null
      : !incident.acknowledgedAt
        ? 'acknowledge'
        : pending.length > 0
          ? 'approve'
          : 'resolve',
    askHref: tab === 'timeline' ? '#asks' : `${path}#asks`,
    resolveTouches: touchesOf(incident, pending),
    assignees: people.map(({ email, name }) => ({
      value: email,
      label: name && name !== email ? `${name} (${email})` : email,
      selected: email === incident.assignedTo,
    })),
    mergedInto:
      incident.mergedInto === null
        ? null
        : { number: incident.mergedInto, href: `/incidents/${incident.mergedInto}` },
    tabs: tabsOf(incident, path, tab),
  };
}

function tabsOf(incident: IncidentHead, path: string, current: IncidentTab): HeadView['tabs'] {
  const { counts } = incident;
  const tab = (name: IncidentTab, label: string, count: number) => ({
    label,
    href: name === 'timeline' ? path : `${path}/${name}`,
    count,
    current: name === current,
  });
  return [
    tab('timeline', 'Timeline', counts.timeline),
    tab('alerts', 'Alerts', incident.alertCount),
    tab('logs', 'Logs', counts.logPatterns),
    tab('metrics', 'Metrics', counts.metrics),
    tab('changes', 'Changes', counts.changes),
    tab('similar', 'Similar', counts.similar),
  ];
}

function touchesOf(incident: IncidentHead, pending: ApprovalRecord[]): string[] {
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
