import type { ApprovalRecord } from '../../db/approvals.ts';
import type { ExecutionDetail, ExecutionStep } from '../../db/executions-read.ts';
import type { IncidentFacts } from '../../db/notification-facts.ts';
import { formatDuration } from '../../domain/duration.ts';
import { lines, oneLine } from '../../domain/markup.ts';
import type { Block, Cell, Mail, Tone } from './mail-layout.ts';
import {
  count,
  executionUrl,
  incidentUrl,
  type Message,
  type MessageSource,
  oneLineSubject,
  subjectOf,
  titleOf,
} from './message.ts';
import { clockText } from './moments.ts';

export type ExecutionMessageType =
  | 'approval.needed'
  | 'execution.succeeded'
  | 'execution.failed'
  | 'execution.rolled_back'
  | 'execution.rollback_failed'
  | 'execution.refused'
  | 'execution.undo_failed'
  | 'execution.runner_missing'
  | 'execution.message';

/** Mails about a runbook's execution: what will run or ran, where, what was undone, what to do now. */
export function executionMessage(
  source: MessageSource & { type: ExecutionMessageType },
  execution: ExecutionDetail,
): Message {
  const words = wordsOf(source, execution);
  const { incident } = source.facts;
  const runbook = oneLine(execution.runbook, 100);
  const mail: Mail = {
    sentence: words.sentence,
    meta: [words.state, ...(incident ? [`incident #${incident.number}`] : []), runbook],
    tone: words.tone,
    ...buttonsOf(source, execution),
    blocks: [
      { kind: 'facts', rows: factsOf(source, execution, incident) },
      stepBlock(source, execution),
      ...outputBlocks(execution),
    ],
    footer: `${source.reader} is told because of the escalation policy or as an approver of this runbook.`,
    publicUrl: source.publicUrl,
  };
  const subject = incident
    ? subjectOf(incident, `${runbook} ${words.subject}`)
    : oneLineSubject(`[runbook] ${runbook} on ${execution.target}: ${words.subject}`);
  return { subject, mail, urgent: words.urgent };
}

interface Words {
  subject: string;
  sentence: string;
  state: string;
  tone: Tone;
  urgent: boolean;
}

function wordsOf(source: MessageSource & { type: ExecutionMessageType }, execution: ExecutionDetail): Words {
  const what = `${oneLine(execution.runbook, 100)} on ${oneLine(execution.target, 100)}`;
  const failed = execution.steps.findLast((step) => step.status === 'failed');
  const where = failed ? ` at step '${oneLine(failed.name, 100)}'` : '';
  const reason = reasonOf(source, execution, failed);
  const why = reason === undefined ? '' : `: ${reason}`;
  switch (source.type) {
    case 'approval.needed': {
      const until = source.facts.approval
        ? ` until ${clockText(source.facts.approval.expiresAt, source)}`
        : '';
      return {
        subject: 'waits for approval',
        sentence: `${oneLine(execution.requestedBy, 100)} asks to run ${what}; it waits for approval${until}.`,
        state: 'approval needed',
        tone: 'warning',
        urgent: true,
      };
    }
    case 'execution.succeeded':
      return {
        subject: 'succeeded',
        sentence: `${what} succeeded${tookOf(execution)}.`,
        state: 'succeeded',
        tone: 'ok',
        urgent: false,
      };
    case 'execution.failed':
      return {
        subject: 'failed',
        sentence: sentence(`${what} failed${where}${why}`),
        state: 'failed',
        tone: 'high',
        urgent: true,
      };
    case 'execution.rolled_back': {
      const undone = execution.steps.filter((step) => step.rollback?.status === 'succeeded').length;
      return {
        subject: 'failed and was rolled back',
        sentence: sentence(
          `${what} failed${where} and was rolled back (${count(undone, 'step')} undone)${why}`,
        ),
        state: 'rolled back',
        tone: 'high',
        urgent: true,
      };
    }
    case 'execution.rollback_failed':
      return {
        subject: 'failed, and so did its rollback',
        sentence: sentence(`${what} failed${where} and could not be undone completely, look at it now${why}`),
        state: 'rollback failed',
        tone: 'critical',
        urgent: true,
      };
    case 'execution.undo_failed':
      return {
        subject: 'waits for a person: an undo fails',
        sentence: sentence(
          `${what} is being rolled back and stands still${why}; say whether to try again or to leave it undone`,
        ),
        state: 'waits for a person',
        tone: 'critical',
        urgent: true,
      };
    case 'execution.runner_missing':
      return {
        subject: 'waits for its runner',
        sentence: sentence(`${what} stands still${why}; start the runner, or cancel the execution`),
        state: 'waits for its runner',
        tone: 'high',
        urgent: true,
      };
    case 'execution.message':
      return {
        subject: oneLine(String(source.detail.message ?? ''), 80),
        sentence: sentence(`${what}: ${oneLine(String(source.detail.message ?? ''), 500)}`),
        state: 'message of the runbook',
        tone: 'neutral',
        urgent: false,
      };
    case 'execution.refused':
      return {
        subject: 'did not run',
        sentence: sentence(`${what} did not run${why}`),
        state: 'did not run',
        tone: 'neutral',
        urgent: false,
      };
  }
}

function sentence(words: string): string {
  return /[.!?…]$/.test(words) ? words : `${words}.`;
}

function reasonOf(source: MessageSource, execution: ExecutionDetail, failed: ExecutionStep | undefined) {
  const told = source.detail.reason;
  const reason = typeof told === 'string' && told !== '' ? told : (failed?.error ?? execution.statusReason);
  return reason === null || reason === undefined ? undefined : oneLine(reason, 300);
}

function tookOf(execution: ExecutionDetail): string {
  if (!execution.startedAt || !execution.finishedAt) return '';
  return ` after ${formatDuration(execution.finishedAt.getTime() - execution.startedAt.getTime())}`;
}

function buttonsOf(source: MessageSource, execution: ExecutionDetail): Pick<Mail, 'buttons' | 'buttonNote'> {
  const { approve, reject } = source.links;
  if (approve && reject) {
    return {
      buttons: [
        { label: 'Approve', url: approve.url },
        { label: 'Reject', url: reject.url },
      ],
      buttonNote: `Each opens a page that shows what will happen and asks once more. The links act as ${source.reader}, each works once, and until ${clockText(approve.until, source)}.`,
    };
  }
  const { incident } = source.facts;
  return {
    buttons: [
      { label: 'Open the execution', url: executionUrl(source.publicUrl, execution.id) },
      // what did not help leaves the incident to a person
      ...(incident
        ? [
            {
              label: `Open incident #${incident.number}`,
              url: incidentUrl(source.publicUrl, incident.number),
            },
          ]
        : []),
    ],
  };
}

function factsOf(
  source: MessageSource,
  execution: ExecutionDetail,
  incident: IncidentFacts | undefined,
): { label: string; value: Cell }[] {
  const rows: { label: string; value: Cell }[] = [];
  const asked = source.type === 'approval.needed' ? source.facts.approval : undefined;
  // what there is to decide stands before what it is about
  if (asked) rows.push(...approvalFacts(source, asked));
  if (incident) {
    rows.push({
      label: 'Incident',
      value: {
        text: `#${incident.number} ${titleOf(incident)}`,
        href: incidentUrl(source.publicUrl, incident.number),
      },
    });
    rows.push({ label: 'Severity', value: { text: incident.severity, tone: incident.severity } });
  }
  rows.push({
    label: 'Runbook',
    value: {
      text: `${oneLine(execution.runbook, 100)}, version ${execution.runbookVersion}`,
      href: executionUrl(source.publicUrl, execution.id),
    },
  });
  rows.push({ label: 'Target', value: oneLine(execution.target, 200) });
  for (const [name, value] of Object.entries(execution.inputs).slice(0, 10)) {
    rows.push({ label: oneLine(name, 40), value: oneLine(value, 200) });
  }
  rows.push({ label: 'Asked by', value: oneLine(execution.requestedBy, 100) });
  if (!asked && execution.startedAt) {
    rows.push({ label: 'Started', value: clockText(execution.startedAt, source) });
  }
  return rows;
}

function approvalFacts(source: MessageSource, approval: ApprovalRecord): { label: string; value: Cell }[] {
  const given = approval.votes.filter((vote) => vote.decision === 'approve').length;
  const left = formatDuration(approval.expiresAt.getTime() - source.now);
  return [
    ...(approval.message === '' ? [] : [{ label: 'It asks', value: oneLine(approval.message, 500) }]),
    {
      label: 'Decide by',
      value: `${clockText(approval.expiresAt, source)} (in ${left}), then it expires`,
    },
    ...(approval.required > 1
      ? [{ label: 'Approvals', value: `${given} of ${approval.required} given` }]
      : []),
  ];
}

// with the lengths below, a mail of nothing but escaped characters stays under the 100 KB at which clients cut
const stepsTold = 15;

function stepBlock(source: MessageSource, execution: ExecutionDetail): Block {
  const ahead = source.type === 'approval.needed';
  // an approval in mid-run is about what follows the step that asks
  const first = ahead ? (source.facts.approval?.stepIndex ?? -1) + 1 : 0;
  const more = execution.steps.length - first - stepsTold;
  return {
    kind: 'list',
    heading: ahead ? 'What will run' : 'What ran',
    ordered: true,
    items: execution.steps.slice(first, first + stepsTold).map((step) => {
      const note = ahead ? undoAhead(step) : outcomeOf(step);
      return {
        text: ahead ? oneLine(step.name, 100) : `${oneLine(step.name, 100)}: ${stateOf(step)}`,
        code: lines(step.description, 400),
        ...(note !== undefined && { note }),
      };
    }),
    ...(more > 0 && { note: `And ${count(more, 'step')} more on the execution's page.` }),
  };
}

function undoAhead(step: ExecutionStep): string {
  return step.rollback
    ? `If a later step fails, undone by: ${inOneLine(step.rollback.description, 250)}`
    : 'No undo.';
}

/** Of a command of several lines: where one ends is part of what it does. */
function inOneLine(command: string, limit: number): string {
  return oneLine(lines(command, limit).replaceAll('\n', ' ⏎ '), limit);
}

const stepStates: Record<ExecutionStep['status'], string> = {
  pending: 'not reached',
  running: 'running',
  succeeded: '✓ succeeded',
  failed: '✗ failed',
  skipped: 'skipped',
  cancelled: 'cancelled',
};

function stateOf(step: ExecutionStep): string {
  if (step.rollback?.status === 'succeeded') return `${stepStates[step.status]}, ↩ undone`;
  if (step.rollback?.status === 'failed' || step.rollback?.status === 'waiting') {
    return `${stepStates[step.status]}, ✗ undo failed`;
  }
  if (step.rollback?.status === 'skipped') return `${stepStates[step.status]}, left undone`;
  return stepStates[step.status];
}

function outcomeOf(step: ExecutionStep): string | undefined {
  if (step.rollback?.status === 'failed' || step.rollback?.status === 'waiting') {
    return `Undo '${inOneLine(step.rollback.description, 200)}' failed: ${oneLine(step.rollback.error ?? 'no reason given', 200)}`;
  }
  if (step.rollback?.status === 'skipped' && step.rollback.decision) {
    const { by, reason } = step.rollback.decision;
    return `${oneLine(by, 100)} left it without its undo: ${oneLine(reason ?? 'no reason given', 200)}`;
  }
  return step.error === null ? undefined : oneLine(step.error, 250);
}

const outputLines = 15;

/** The end of what the failed step printed: most often the reason stands there. */
function outputBlocks(execution: ExecutionDetail): Block[] {
  const failed = execution.steps.findLast((step) => step.status === 'failed');
  const output = failed?.output.trim();
  if (!failed || !output) return [];
  const tail = output.split('\n').slice(-outputLines).join('\n');
  return [
    {
      kind: 'code',
      heading: `Last output of '${oneLine(failed.name, 100)}'`,
      text: lines(tail.slice(-2000), 2000),
    },
  ];
}
