import type { GitImport } from '../../db/git-sources.ts';
import type { Report } from '../../db/reports.ts';
import { contactTestMessage } from './contact-test-message.ts';
import { executionMessage } from './execution-message.ts';
import { importMessage } from './import-message.ts';
import { incidentMessage } from './incident-message.ts';
import { renderMail } from './mail-layout.ts';
import { type MessageSource, oneLineSubject } from './message.ts';

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

/** The mail for this message. Throws SubjectMissingError. */
export function composeMail(
  source: MessageSource & { report?: Report | undefined; refusedImport?: GitImport | undefined },
): ComposedMail {
  const { type } = source;
  switch (type) {
    case 'escalation.page':
    case 'incident.opened':
    case 'incident.acknowledged':
    case 'incident.resolved':
    case 'sla.at_risk':
    case 'sla.breached':
      return rendered(incidentMessage({ ...source, type }, present(source.facts.incident, 'incident')));
    case 'approval.needed':
      present(source.facts.approval, 'approval');
      return rendered(executionMessage({ ...source, type }, present(source.facts.execution, 'execution')));
    case 'execution.succeeded':
    case 'execution.failed':
    case 'execution.rolled_back':
    case 'execution.rollback_failed':
    case 'execution.refused':
    case 'execution.undo_failed':
    case 'execution.runner_missing':
    case 'execution.message':
      return rendered(executionMessage({ ...source, type }, present(source.facts.execution, 'execution')));
    case 'runbook.import_refused':
      return rendered(importMessage(source, present(source.refusedImport, 'import')));
    case 'contact.test':
      return rendered(contactTestMessage(source));
    case 'report.sla':
    case 'report.capacity': {
      const { subject, html, text } = present(source.report, 'report');
      return {
        subject: oneLineSubject(subject),
        sentence: oneLineSubject(subject),
        html,
        text,
        urgent: false,
      };
    }
  }
}

function rendered(message: ReturnType<typeof incidentMessage>): ComposedMail {
  const { subject, mail, urgent } = message;
  return { subject, sentence: mail.sentence, urgent, ...renderMail(mail) };
}

function present<T>(subject: T | undefined, noun: string): T {
  if (subject === undefined) throw new SubjectMissingError(`there is no record of the ${noun} yet`);
  return subject;
}
