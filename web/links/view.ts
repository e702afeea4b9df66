import type { ApprovalRecord } from '../../db/approvals.ts';
import type { ExecutionDetail } from '../../db/executions-read.ts';
import type { IncidentHead } from '../../db/incident-detail.ts';
import type { NotificationRecord } from '../../db/notifications-read.ts';
import { type LinkGrant, type LinkProblem, linkProblemTexts } from '../../db/signed-links.ts';
import type { Piece } from '../../domain/incident-sentence.ts';
import { approvalView, type Reader } from '../approvals/view.ts';
import { headView } from '../incidents/head-view.ts';
import type { Mark } from '../layout/words.ts';

export interface LinkView {
  problem: string | null;
  problemTitle: string | null;
  person: string;
  incident: {
    number: number;
    title: string;
    severity: Mark;
    state: Mark;
    sentence: Piece[];
  } | null;
  approval: {
    runbook: string;
    target: string;
    expiresAt: string | null;
    steps: { name: string; does: string; undo: string | null }[];
  } | null;
  /** What a click will do; null when there is nothing left to do. */
  question: string | null;
  button: string | null;
  buttonTone: string;
  asksReason: boolean;
  /** Why there is nothing left to do. */
  settled: string | null;
  outcome: { tone: 'good' | 'bad'; icon: string; text: string } | null;
  href: string | null;
  hrefText: string;
}

const nothing: LinkView = {
  problem: null,
  problemTitle: null,
  person: '',
  incident: null,
  approval: null,
  question: null,
  button: null,
  buttonTone: 'primary',
  asksReason: false,
  settled: null,
  outcome: null,
  href: null,
  hrefText: '',
};

const problemTitles: Record<LinkProblem, string> = {
  invalid: 'This link is not valid',
  expired: 'This link has expired',
  used: 'This link has been used',
};

export function problemView(problem: LinkProblem): LinkView {
  return { ...nothing, problem: linkProblemTexts[problem], problemTitle: problemTitles[problem] };
}

/** What a link is about, as the database has it. */
export interface LinkSubjects {
  incident: IncidentHead | undefined;
  approval: ApprovalRecord | undefined;
  execution: ExecutionDetail | undefined;
  notifications: NotificationRecord[];
  people: { email: string; name: string }[];
  /** In whose name the link votes. */
  reader: Reader;
}

/** What the link shows before it acts; with `outcome`, what came of it. */
export function linkView(
  grant: LinkGrant,
  found: LinkSubjects,
  now: number,
  outcome: LinkView['outcome'] = null,
): LinkView {
  const { incident, approval, execution } = found;
  const shown = incident && incidentOf(incident, found, now);
  const view: LinkView = {
    ...nothing,
    person: grant.person,
    incident: shown ?? null,
    approval: approval ? approvalOf(approval, execution) : null,
    ...wayOn(grant, found, outcome),
    outcome,
  };
  if (!incident && !approval) {
    return { ...view, problem: 'What it was about is gone.', problemTitle: 'Nothing here any more' };
  }
  return outcome ? view : { ...view, ...questionOf(grant, found) };
}

/** To the page that tells more: where an approval was given, to what it lets run. */
function wayOn(
  grant: LinkGrant,
  { incident, approval }: LinkSubjects,
  outcome: LinkView['outcome'],
): Pick<LinkView, 'href' | 'hrefText'> {
  if (approval && grant.action === 'approve' && outcome?.tone === 'good') {
    return { href: `/executions/${approval.executionId}`, hrefText: 'Watch it run' };
  }
  const href = approval ? `/approvals/${approval.id}` : incident ? `/incidents/${incident.number}` : null;
  return { href, hrefText: 'Open it in Holdfast' };
}

function incidentOf(
  incident: IncidentHead,
  { notifications, people }: LinkSubjects,
  now: number,
): LinkView['incident'] {
  const input = { incident, notifications, people, now };
  const { number, title, severity, state, sentence } = headView(input, 'timeline');
  return { number, title, severity, state, sentence };
}

function approvalOf(approval: ApprovalRecord, execution: ExecutionDetail | undefined): LinkView['approval'] {
  const { runbook, target, expiresAt, steps } = approvalView(approval, execution);
  return { runbook, target, expiresAt, steps };
}

function questionOf(
  grant: LinkGrant,
  { incident, approval, execution, reader }: LinkSubjects,
): Partial<LinkView> {
  switch (grant.action) {
    case 'view':
      return {};
    case 'acknowledge':
      if (!incident) return { settled: 'The incident is gone.' };
      if (incident.resolvedAt) return { settled: 'It is over: there is nothing left to acknowledge.' };
      if (incident.acknowledgedBy)
        return { settled: `${incident.acknowledgedBy} has acknowledged it already.` };
      return {
        question:
          'Acknowledging says that you take care of it. The escalation stops; the time to resolve runs on.',
        button: 'Acknowledge',
      };
    case 'approve':
    case 'reject': {
      if (!approval) return { settled: 'The approval is gone.' };
      if (approval.status !== 'pending') return { settled: `It is ${approval.status} already.` };
      const { mayNot, onlyReject } = approvalView(approval, execution, reader);
      const refusal = mayNot ?? (grant.action === 'approve' ? onlyReject : null);
      if (refusal !== null) return { settled: refusal };
      return grant.action === 'approve'
        ? {
            question: `Approving runs these steps on ${approval.target}. If one fails, those before it are undone.`,
            button: 'Approve and run',
            asksReason: true,
          }
        : {
            question: `Rejecting means that ${approval.runbook} does not run for this incident.`,
            button: 'Reject',
            buttonTone: 'danger',
            asksReason: true,
          };
    }
  }
}
