import { ExecutionRefusedError } from '../../db/executions.ts';
import { escapeSlack, type SlackMessage } from '../../domain/chat/slack-blocks.ts';
import {
  type ModalSubject,
  modalInput,
  modalSubject,
  noticeModal,
  runInputPrefix,
  runModal,
  type SlackModal,
} from '../../domain/chat/slack-modals.ts';
import type { Principal } from '../auth/principal.ts';
import { withoutUndefined } from '../endpoint.ts';
import { type ErrorLog, InvalidRequestError } from '../errors.ts';
import { type AnswerDeps, type Answered, decideOn, resolve, run } from './answer-command.ts';
import { modalRunbook } from './pressed.ts';
import { refusalText } from './refusal.ts';
import type { ViewSubmission } from './slack-request.ts';

/** What Slack does with the form: https://docs.slack.dev/surfaces/modals#updating_response */
export type SubmitAnswer =
  | { response_action: 'update'; view: SlackModal }
  | { response_action: 'errors'; errors: Record<string, string> };

export interface Submitted {
  answer: SubmitAnswer;
  /** For the history. */
  message: string;
  acted?: NonNullable<Answered['acted']>;
}

/** Undefined for a form that is none of Holdfast's. */
export function readSubject({ view }: ViewSubmission): ModalSubject | undefined {
  try {
    const parsed = modalSubject.safeParse(JSON.parse(view.private_metadata));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** For people: what was sent, as the history shows it. Values of inputs stand with the execution. */
export function submittedText(subject: ModalSubject): string {
  switch (subject.kind) {
    case 'vote':
      return `${subject.decision} ${subject.approvalId}`;
    case 'false_positive':
      return `false positive ${subject.number}`;
    case 'choose':
      return `choose a runbook${subject.number === undefined ? '' : ` on ${subject.number}`}`;
    case 'run':
      return `run ${subject.runbook}${subject.number === undefined ? '' : ` on ${subject.number}`}`;
  }
}

/** Does what a form asked for, in the person's name; a refusal stands in the form, beside what was written. */
export async function answerSubmission(
  deps: AnswerDeps & { log: ErrorLog },
  principal: Principal,
  subject: ModalSubject,
  submission: ViewSubmission,
): Promise<Submitted> {
  try {
    switch (subject.kind) {
      case 'vote': {
        const reason = valueIn(submission, 'reason') ?? null;
        return done(await decideOn(deps, principal, subject.decision, subject.approvalId, reason));
      }
      case 'false_positive': {
        const { kind: _, ...seen } = subject;
        const note = valueIn(submission, 'reason') ?? null;
        return done(
          await resolve(deps, principal, {
            ...withoutUndefined(seen),
            number: subject.number,
            note,
            falsePositive: true,
          }),
        );
      }
      case 'choose': {
        const runbook = valueIn(submission, 'runbook');
        if (runbook === undefined) {
          throw new InvalidRequestError([{ field: 'runbook', message: 'choose one' }], 422);
        }
        const view = runModal(await modalRunbook(deps, principal, runbook), subject.number);
        return { answer: { response_action: 'update', view }, message: `asked how ${runbook} is to run` };
      }
      case 'run': {
        const inputs = inputsOf(submission);
        return done(
          await run(deps, principal, { runbook: subject.runbook, number: subject.number ?? null, inputs }),
        );
      }
    }
  } catch (error) {
    return refused(deps.log, submission, error);
  }
}

function done({ message, acted }: Answered): Submitted {
  return {
    answer: { response_action: 'update', view: noticeModal('Done', sectionText(message)) },
    message: message.text,
    ...(acted ? { acted } : {}),
  };
}

/** Beside the field that it names where there is one, else beside the first; a form without fields is replaced. */
function refused(log: ErrorLog, submission: ViewSubmission, error: unknown): Submitted {
  const fields = Object.keys(submission.view.state.values);
  const texts = error instanceof ExecutionRefusedError ? error.problems : [refusalText(error, log)];
  const errors: Record<string, string> = {};
  for (const text of texts) {
    const field = fields.find((id) => text.includes(`'${id.slice(runInputPrefix.length)}'`)) ?? fields[0];
    if (field === undefined) continue;
    errors[field] = errors[field] === undefined ? text : `${errors[field]}; ${text}`;
  }
  const message = texts.join('; ');
  return fields.length > 0
    ? { answer: { response_action: 'errors', errors }, message }
    : { answer: { response_action: 'update', view: noticeModal('Not done', escapeSlack(message)) }, message };
}

function inputsOf(submission: ViewSubmission): Record<string, string> {
  return Object.fromEntries(
    Object.keys(submission.view.state.values)
      .filter((id) => id.startsWith(runInputPrefix))
      .flatMap((id) => {
        const value = valueIn(submission, id);
        return value === undefined ? [] : [[id.slice(runInputPrefix.length), value]];
      }),
  );
}

/** Undefined for what was left empty. */
function valueIn({ view }: ViewSubmission, block: string): string | undefined {
  const given = view.state.values[block]?.[modalInput];
  return given?.value || given?.selected_option?.value || undefined;
}

function sectionText({ blocks, text }: SlackMessage): string {
  const [first] = blocks;
  return first?.type === 'section' ? first.text.text : escapeSlack(text);
}
