import { mayOn, type Principal } from '../../api/auth/principal.ts';
import type { ApprovalRecord } from '../../db/approvals.ts';
import type { ExecutionDetail } from '../../db/executions-read.ts';
import type { IncidentHead } from '../../db/incident-detail.ts';
import type { NotificationRecord } from '../../db/notifications-read.ts';
import { type LinkGrant, type LinkProblem, linkProblemTexts } from '../../db/signed-links.ts';
import type { Piece } from '../../domain/incident-sentence.ts';
import { approvalView, type Reader } from '../approvals/view.ts';
import { headView } from '../incidents/head-view.ts';
import type { Mark } from '../layout/words.ts';
import { needsOperator, stalenessOf } from './incident-acts.ts';

/** What came of a click. */
export interface LinkOutcome {
  tone: 'good' | 'bad';
  icon: string;
  text: string;
  /** To where it goes on. */
  href?: string;
  hrefText?: string;
}

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
  /** To choose one of; null where the link runs none. */
  runbooks: string[] | null;
  /** It acts as whoever is signed in, and nobody is. */
  asksToSignIn: boolean;
  /** Why there is nothing left to do. */
  settled: string | null;
  outcome: LinkOutcome | null;
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
  runbooks: null,
  asksToSignIn: false,
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
  /** With whose role the link acts, where it takes one. */
  acting: Principal | undefined;
  /** That they may run. */
  runbooks: string[];
}

/** Whether a link does what only a person with a role may do, so that one which many read acts for nobody by itself. */
export const takesRole = ({ action }: LinkGrant): boolean => action === 'run' || action === 'false_positive';

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
    person: found.acting?.email ?? grant.person,
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
  if (outcome?.href !== undefined) return { href: outcome.href, hrefText: outcome.hrefText ?? '' };
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

function questionOf(grant: LinkGrant, found: LinkSubjects): Partial<LinkView> {
  const { incident, approval, execution, reader } = found;
  switch (grant.action) {
    case 'view':
      return {};
    case 'acknowledge':
      if (!incident) return { settled: 'The incident is gone.' };
      if (incident.resolvedAt) return { settled: 'It is over: there is nothing left to acknowledge.' };
      if (incident.acknowledgedBy)
        return { settled: `${incident.acknowledgedBy} has acknowledged it already.` };
      return (
        settledBy(stalenessOf(grant, incident)) ?? {
          question:
            'Acknowledging says that you take care of it. The escalation stops; the time to resolve runs on.',
          button: 'Acknowledge',
        }
      );
    case 'run':
    case 'false_positive':
      return incident ? askedOfRole(grant, incident, found) : { settled: 'The incident is gone.' };
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

function askedOfRole(
  grant: LinkGrant,
  incident: IncidentHead,
  { acting, runbooks }: LinkSubjects,
): Partial<LinkView> {
  const stale = settledBy(stalenessOf(grant, incident));
  if (stale) return stale;
  if (!acting) {
    return { settled: 'Many read this card. Sign in, and it acts as you.', asksToSignIn: true };
  }
  if (grant.action === 'false_positive') {
    if (!mayOn(acting, 'operator', incident.teamId)) return { settled: `${needsOperator(acting.email)}.` };
    return {
      question:
        'A false positive was nothing wrong: the incident is closed, and nobody is paged for it any more.',
      button: 'Close as a false positive',
      asksReason: true,
    };
  }
  if (runbooks.length === 0) return { settled: `There is no runbook that ${acting.email} may run.` };
  return {
    question: `It runs for incident #${incident.number}, with what its alerts say. Where it asks for approval, it waits for that.`,
    button: 'Run it',
    runbooks,
  };
}

const settledBy = (reason: string | undefined): Partial<LinkView> | undefined =>
  reason === undefined ? undefined : { settled: reason };
