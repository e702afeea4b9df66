import type { Report } from '../../db/reports.ts';
import { lines, oneLine } from '../../domain/markup.ts';
import { chatActions } from './chat-actions.ts';
import { chatSummaryMessage } from './chat-summary.ts';
import { consolidatedMessage } from './consolidated-message.ts';
import { contactTestMessage } from './contact-test-message.ts';
import { executionMessage } from './execution-message.ts';
import { handoffMessage } from './handoff-message.ts';
import { importMessage } from './import-message.ts';
import { incidentMessage } from './incident-message.ts';
import { type Mail, renderMail } from './mail-layout.ts';
import { type Message, type MessageSource, oneLineSubject } from './message.ts';
import { noteMessage } from './note-message.ts';
import { channelTestMessage, forecastMessage } from './notice-message.ts';
import { readinessMessage } from './readiness-message.ts';

/** A mail but for its addresses. */
export interface ComposedMail {
  subject: string;
  /** The first line, for channels that show only that. */
  sentence: string;
  html: string;
  text: string;
  urgent: boolean;
}

/** The row that a message is about is not there, or not there yet: its recording may be on its way. */
export class SubjectMissingError extends Error {
  override name = 'SubjectMissingError';
}

/** What this message says, with what the rule that calls for it adds. Throws SubjectMissingError. */
export function composeMessage(source: MessageSource): Message {
  const message = messageOf(source);
  const { key, publicUrl, reader } = source;
  const { rule, note } = source.detail;
  const whyUrl = `${publicUrl}/notifications/find?key=${encodeURIComponent(key ?? '')}`;
  const mail: Mail = {
    ...message.mail,
    ...(typeof note === 'string' && note.trim() !== ''
      ? { blocks: [{ kind: 'paragraph', text: lines(note, noteLimit) }, ...message.mail.blocks] }
      : {}),
    ...(typeof rule === 'string' ? { footer: `${reader} is told by the rule ${oneLine(rule, 100)}.` } : {}),
    ...(key === undefined ? {} : { whyUrl }),
  };
  return { ...message, mail };
}

/** Characters of a rule's own text once its fields are filled in. */
const noteLimit = 4_000;

function messageOf(source: MessageSource): Message {
  const { type, facts } = source;
  switch (type) {
    case 'alert.received':
    case 'escalation.page':
    case 'escalation.reminder':
    case 'escalation.restarted':
    case 'incident.opened':
    case 'incident.root_cause_found':
    case 'incident.acknowledged':
    case 'incident.resolved':
    case 'oncall.nobody':
    case 'sla.at_risk':
    case 'sla.breached': {
      const message = incidentMessage({ ...source, type }, present(facts.incident, 'incident'));
      return { ...message, actions: chatActions(facts) };
    }
    case 'incident.noted':
      return noteMessage(source, present(facts.incident, 'incident'), present(source.note, 'note'));
    case 'approval.needed': {
      present(facts.approval, 'approval');
      const message = executionMessage({ ...source, type }, present(facts.execution, 'execution'));
      return { ...message, actions: chatActions(facts) };
    }
    case 'execution.succeeded':
    case 'execution.failed':
    case 'execution.rolled_back':
    case 'execution.rollback_failed':
    case 'execution.refused':
    case 'execution.undo_failed':
    case 'execution.runner_missing':
    case 'execution.message':
      return executionMessage({ ...source, type }, present(facts.execution, 'execution'));
    case 'runbook.import_refused':
      return importMessage(source, present(source.refusedImport, 'import'));
    case 'notifications.consolidated':
      return consolidatedMessage(source, present(source.consolidated, 'messages that are told together'));
    case 'oncall.handoff':
      return handoffMessage(source, present(source.handoff, 'handoff'));
    case 'oncall.readiness':
      return readinessMessage(source, present(source.readiness, 'readiness'));
    case 'chat.summary':
      return chatSummaryMessage(source, present(source.summary, 'summary'));
    case 'contact.test':
      return contactTestMessage(source);
    case 'channel.test':
      return channelTestMessage(source);
    case 'forecast':
      return forecastMessage(source);
    case 'report.sla':
    case 'report.capacity':
      return reportMessage(source, present(source.report, 'report'));
  }
}

/** The mail for this message. Throws SubjectMissingError. */
export function composeMail(source: MessageSource): ComposedMail {
  const { subject, mail, urgent } = composeMessage(source);
  const isReport = source.type === 'report.sla' || source.type === 'report.capacity';
  // a report was written down as a whole when it was made
  const { html, text } = isReport ? present(source.report, 'report') : renderMail(mail);
  return { subject, sentence: mail.sentence, urgent, html, text };
}

/** For channels that cannot show a report as it is mailed: that it is there. */
function reportMessage(source: MessageSource, report: Report): Message {
  const subject = oneLineSubject(report.subject);
  const mail: Mail = {
    sentence: subject,
    meta: ['report'],
    tone: 'neutral',
    buttons: [{ label: 'Open the report', url: `${source.publicUrl}/reports/${report.id}` }],
    blocks: [],
    footer: `${source.reader} is told of reports like this one.`,
    publicUrl: source.publicUrl,
  };
  return { subject, mail, urgent: false };
}

function present<T>(subject: T | undefined, noun: string): T {
  if (subject === undefined) throw new SubjectMissingError(`there is no record of the ${noun} yet`);
  return subject;
}
