import { formatDuration } from './duration.ts';
import type { Deadline, ExecutionStatus, IncidentStatus } from './incident-status.ts';
import type { Severity } from './severity.ts';

/** A piece of a sentence: words (that may lead somewhere), words that matter, or a time in the reader's zone. */
export type Piece = { text: string; href?: string } | { strong: string } | { clock: string };

/** What the one sentence is made from; times are ISO 8601. */
export interface IncidentFacts {
  title: string;
  service: string | null;
  severity: Severity;
  status: IncidentStatus;
  openedAt: string;
  alertCount: number;
  firingCount: number;
  /** How many services its alerts name. */
  serviceCount: number;
  /** Where the trouble probably comes from; null while nothing points anywhere. */
  cause: { service: string; confidence: number; by: string | null } | null;
  /** The incident that its alerts were moved into. */
  mergedInto: number | null;
  acknowledgedAt: string | null;
  acknowledgedBy: string | null;
  assignedTo: string | null;
  snoozedUntil: string | null;
  silencedUntil: string | null;
  resolvedAt: string | null;
  resolvedBy: string | null;
  /** Who was paged, oldest first. */
  pages: { who: string; at: string }[];
  deadlines: Deadline[];
  /** Approvals that are still pending. */
  waiting: { runbook: string; expiresAt: string }[];
  /** Newest last. */
  executions: { runbook: string; status: ExecutionStatus }[];
}

/** What is wrong, since when, why, who has it and what happens next, as a person would write it. */
export function incidentSentence(facts: IncidentFacts, now: number): Piece[] {
  return [...whatIsWrong(facts), ...whatCausesIt(facts), ...whoHasIt(facts, now), ...whatRuns(facts)];
}

/** The sentence as plain text, its times through `clock`. */
export function sentenceText(pieces: Piece[], clock: (iso: string) => string): string {
  return pieces
    .map((piece) => ('text' in piece ? piece.text : 'strong' in piece ? piece.strong : clock(piece.clock)))
    .join('');
}

const text = (words: string): Piece => ({ text: words });
const strong = (words: string): Piece => ({ strong: words });
const clock = (at: string): Piece => ({ clock: at });

const isOver = (facts: IncidentFacts): boolean =>
  facts.resolvedAt !== null || facts.status === 'resolved' || facts.status === 'false_positive';

function whatIsWrong(facts: IncidentFacts): Piece[] {
  const subject = facts.service ?? 'Something';
  const detail = titleWithoutService(facts.title, facts.service);
  const size = sizeOf(facts);
  const ending = `${detail ? `: ${detail}` : ''}${size ? `; ${size}` : ''}.`;
  if (facts.status === 'false_positive') return [strong(subject), text(` was reported by mistake${ending}`)];
  if (isOver(facts))
    return [
      strong(subject),
      text(' had trouble from '),
      clock(facts.openedAt),
      ...until(facts),
      text(ending),
    ];
  return [strong(subject), text(` ${troubles[facts.severity]} since `), clock(facts.openedAt), text(ending)];
}

const troubles: Record<Severity, string> = {
  critical: 'has been failing',
  high: 'has been failing',
  warning: 'has been in trouble',
  low: 'has needed a look',
  info: 'has had something to say',
};

function until(facts: IncidentFacts): Piece[] {
  return facts.resolvedAt ? [text(' to '), clock(facts.resolvedAt)] : [];
}

/** 'checkout: db-primary refuses' and 'db-primary refuses on checkout' on checkout read 'db-primary refuses'. */
function titleWithoutService(title: string, service: string | null): string {
  const trimmed = title.trim();
  if (!service) return trimmed;
  const name = escapeForRegExp(service);
  const rest = trimmed
    .replace(new RegExp(`^${name}\\s*[:·–-]\\s+`, 'i'), '')
    .replace(new RegExp(`(?<!\\s)\\s+(on|in|at)\\s+${name}$`, 'i'), '');
  return rest || trimmed;
}

const escapeForRegExp = (words: string): string => words.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** '14 alerts on 5 services'; a single alert on one service goes without saying. */
function sizeOf(facts: IncidentFacts): string {
  if (facts.alertCount <= 1) return '';
  const services = facts.serviceCount > 1 ? ` on ${facts.serviceCount} services` : '';
  const open =
    !isOver(facts) && facts.firingCount < facts.alertCount
      ? facts.firingCount === 0
        ? ', none firing any more'
        : `, ${facts.firingCount} still firing`
      : '';
  return `${facts.alertCount} alerts${services}${open}`;
}

/** 'The cause is probably db-primary (85 %).' */
function whatCausesIt({ cause, ...facts }: IncidentFacts): Piece[] {
  if (!cause || facts.status === 'false_positive' || facts.mergedInto !== null) return [];
  const over = isOver({ cause, ...facts });
  const named = cause.service === facts.service ? `${cause.service} itself` : cause.service;
  if (cause.by !== null) {
    return [text(over ? ' The cause was ' : ' The cause is '), strong(named), text(`, says ${cause.by}.`)];
  }
  const sure = cause.confidence >= 0.5 ? 'is probably' : 'may be';
  const was = cause.confidence >= 0.5 ? 'was probably' : 'may have been';
  const percent = `${Math.round(cause.confidence * 100)} %`;
  return [text(` The cause ${over ? was : sure} `), strong(named), text(` (${percent}).`)];
}

function whoHasIt(facts: IncidentFacts, now: number): Piece[] {
  if (isOver(facts)) return howItEnded(facts);
  const assigned = facts.assignedTo && facts.assignedTo !== facts.acknowledgedBy ? facts.assignedTo : null;
  const pieces: Piece[] = [];
  if (facts.acknowledgedBy && facts.acknowledgedAt) {
    pieces.push(
      text(' '),
      strong(facts.acknowledgedBy),
      text(' acknowledged it at '),
      clock(facts.acknowledgedAt),
    );
    if (assigned) pieces.push(text(', and it is assigned to '), strong(assigned));
    return [...pieces, text('.'), ...timeToResolve(facts, now)];
  }
  const sentences: Piece[][] = [];
  if (assigned) sentences.push([text('It is assigned to '), strong(assigned)]);
  if (facts.silencedUntil && Date.parse(facts.silencedUntil) > now) {
    sentences.push([text('It is silenced, and nobody is told, until '), clock(facts.silencedUntil)]);
  } else if (facts.snoozedUntil && Date.parse(facts.snoozedUntil) > now) {
    sentences.push([text('Escalation is snoozed until '), clock(facts.snoozedUntil)]);
  } else {
    sentences.push(escalation(facts));
  }
  return sentences.flatMap((sentence) => [text(' '), ...sentence, text('.')]);
}

/** Who has it is paged no more; what still runs is the time to resolve. */
function timeToResolve(facts: IncidentFacts, now: number): Piece[] {
  const next = facts.deadlines.find((deadline) => deadline.kind === 'resolve_sla');
  if (!next || Date.parse(next.at) <= now) return [];
  return [text(' Its time to resolve ends at '), clock(next.at), text('.')];
}

/** 'Ana was paged 02:14, Ben is next at 02:29', the second half in the workflow's own words. */
function escalation(facts: IncidentFacts): Piece[] {
  const last = facts.pages.at(-1);
  const next = facts.deadlines.find((deadline) => deadline.kind === 'escalation');
  const paged: Piece[] = last
    ? [strong(last.who), text(' was paged '), clock(last.at), ...othersPaged(facts.pages.length - 1)]
    : [text('Nobody has been paged yet')];
  if (!next) return last ? [...paged, text(' and nobody has answered')] : paged;
  const who = /^pages (.+) \(level \d+\)$/.exec(next.what)?.[1];
  if (who === undefined) return [...paged, text(`; next: ${next.what} at `), clock(next.at)];
  const several = who.includes(', ');
  return [
    ...paged,
    text(', '),
    strong(who),
    text(several ? ' are next at ' : ' is next at '),
    clock(next.at),
  ];
}

function othersPaged(others: number): Piece[] {
  if (others <= 0) return [];
  return [text(others === 1 ? ' after one other page' : ` after ${others} other pages`)];
}

function howItEnded(facts: IncidentFacts): Piece[] {
  if (facts.mergedInto !== null) {
    const where: Piece[] = [{ text: `#${facts.mergedInto}`, href: `/incidents/${facts.mergedInto}` }];
    return [text(' It is part of '), ...where, text(' now.')];
  }
  if (facts.resolvedBy === 'Holdfast' && facts.resolvedAt && facts.status === 'resolved') {
    return [text(` It ended with its last alert, after ${lasted(facts.openedAt, facts.resolvedAt)}.`)];
  }
  const word = facts.status === 'false_positive' ? 'Marked as a false positive' : 'Resolved';
  const by = facts.resolvedBy ? [text(' by '), strong(facts.resolvedBy)] : [];
  if (!facts.resolvedAt) return [text(` ${word}`), ...by, text('.')];
  return [text(` ${word}`), ...by, text(` after ${lasted(facts.openedAt, facts.resolvedAt)}.`)];
}

const lasted = (from: string, to: string): string => formatDuration(Date.parse(to) - Date.parse(from));

function whatRuns(facts: IncidentFacts): Piece[] {
  const waiting = facts.waiting[0];
  const waits: Piece[] = waiting
    ? [
        text(' '),
        strong(waiting.runbook),
        text(' waits for approval until '),
        clock(waiting.expiresAt),
        text('.'),
      ]
    : [];
  const latest = facts.executions.at(-1);
  const said = latest && sayings[latest.status];
  return latest && said ? [...waits, text(' '), strong(latest.runbook), text(` ${said}.`)] : waits;
}

const sayings: Record<ExecutionStatus, string | null> = {
  waiting: null,
  running: 'is running now',
  succeeded: 'has run and succeeded',
  failed: 'has failed',
  rolled_back: 'failed and was rolled back',
  rollback_failed: 'failed, and so did its rollback',
  cancelled: 'was cancelled',
};
