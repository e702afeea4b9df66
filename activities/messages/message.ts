import type { ChatSummary } from '../../db/chat-summary.ts';
import type { GitImport } from '../../db/git-sources.ts';
import type { HandoffFacts } from '../../db/handoffs.ts';
import type { IncidentFacts, NotificationFacts } from '../../db/notification-facts.ts';
import type { ConsolidatedFacts } from '../../db/notification-limits.ts';
import type { Report } from '../../db/reports.ts';
import { oneLine } from '../../domain/markup.ts';
import type { NotificationType } from '../../domain/notification.ts';
import type { WrittenNote } from '../../domain/pagerduty.ts';
import type { ReadinessFinding } from '../../domain/readiness/readiness.ts';
import type { ChatAction } from './chat-actions.ts';
import type { Mail } from './mail-layout.ts';

/** What a message is made from. `links` act in the reader's name; they are made only where the message shows them. */
export interface MessageSource {
  /** Of the message in the log, for the link to why it was sent; absent in a preview. */
  key?: string | undefined;
  type: NotificationType;
  facts: NotificationFacts;
  report?: Report | undefined;
  refusedImport?: GitImport | undefined;
  /** What is told together. */
  consolidated?: ConsolidatedFacts | undefined;
  handoff?: HandoffFacts | undefined;
  /** The worst first. */
  readiness?: readonly ReadinessFinding[] | undefined;
  summary?: ChatSummary | undefined;
  note?: WrittenNote | undefined;
  detail: Record<string, string | number | boolean | null>;
  /** Address of the pages, without a slash at the end. */
  publicUrl: string;
  /** The reader's mail address. */
  reader: string;
  links: Partial<Record<'acknowledge' | 'approve' | 'reject' | 'run' | 'false_positive', MessageLink>>;
  /** By the number of the incident, in a message that tells of several. */
  acknowledgeLinks?: ReadonlyMap<number, MessageLink>;
  now: number;
  /** In which times are told: an IANA zone. */
  timeZone: string;
}

export interface MessageLink {
  url: string;
  until: Date;
}

/** What is said, once for all kinds of channels. */
export interface Message {
  subject: string;
  mail: Mail;
  /** In place of the mail's links, where buttons act by themselves. */
  actions?: ChatAction[];
  urgent: boolean;
}

export const incidentUrl = (publicUrl: string, number: number): string => `${publicUrl}/incidents/${number}`;
export const executionUrl = (publicUrl: string, id: string): string => `${publicUrl}/executions/${id}`;

/** '[critical] #42 checkout: db-primary refuses connections'. One line, whatever the alert said. */
export function subjectOf(incident: IncidentFacts, what: string): string {
  const service = incident.service === null ? '' : ` ${oneLine(incident.service, 60)}`;
  return oneLineSubject(`[${incident.severity}] #${incident.number}${service}: ${what}`);
}

export const oneLineSubject = (subject: string): string => oneLine(subject, 200);

/** '14 alerts', '1 alert'. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** A title ends a sentence as well as it begins one: without the full stop that it may bring along. */
export function titleOf(incident: IncidentFacts): string {
  return oneLine(incident.title, 200).replace(/[.\s]+$/, '') || 'untitled';
}
