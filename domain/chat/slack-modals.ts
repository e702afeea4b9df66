import { z } from 'zod';
import { oneLine } from '../markup.ts';
import {
  context,
  escapeSlack,
  option,
  plain,
  type SlackBlock,
  section,
  slackLimits,
} from './slack-blocks.ts';

/** What a modal is about, kept by Slack in `private_metadata` and sent back with what was written into it. */
export const modalSubject = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('vote'), decision: z.enum(['approve', 'reject']), approvalId: z.uuid() }),
  z.object({
    kind: z.literal('false_positive'),
    number: z.int().positive(),
    asOf: z.int().optional(),
    opening: z.int().optional(),
  }),
  z.object({ kind: z.literal('choose'), number: z.int().positive().optional() }),
  z.object({
    kind: z.literal('run'),
    runbook: z.string().max(200),
    number: z.int().positive().optional(),
  }),
]);
export type ModalSubject = z.infer<typeof modalSubject>;

/** https://docs.slack.dev/reference/views/modal-views */
export interface SlackModal {
  type: 'modal';
  callback_id: string;
  title: { type: 'plain_text'; text: string };
  submit?: { type: 'plain_text'; text: string };
  close: { type: 'plain_text'; text: string };
  private_metadata: string;
  blocks: SlackBlock[];
}

export const modalCallback = 'holdfast.modal';
/** `action_id` of the one element in each input block. */
export const modalInput = 'value';
/** `block_id` of an input of a runbook begins with it. */
export const runInputPrefix = 'input.';

const longestReason = 500;

/** What is voted on, said once more before it counts. */
export function voteModal(
  decision: 'approve' | 'reject',
  approval: {
    id: string;
    runbook: string;
    target: string;
    requestedBy: string;
    message: string;
    /** What its steps do, in their order; empty where that is not known. */
    steps: string[];
  },
): SlackModal {
  const verb = decision === 'approve' ? 'Approve' : 'Reject';
  const about = `*${escapeSlack(oneLine(approval.runbook, 100))}* on *${escapeSlack(oneLine(approval.target, 200))}*, asked for by ${escapeSlack(oneLine(approval.requestedBy, 100))}.`;
  const means =
    decision === 'approve'
      ? 'Approving runs it. If a step fails, those before it are undone.'
      : 'Rejecting means that it does not run.';
  const steps = approval.steps
    .slice(0, 20)
    .map((step, index) => `${index + 1}. ${escapeSlack(oneLine(step, 120))}`)
    .join('\n');
  return {
    ...modal(`${verb} a runbook`, verb, { kind: 'vote', decision, approvalId: approval.id }),
    blocks: [
      section(`${about} ${means}`),
      ...(approval.message === '' ? [] : [section(escapeSlack(oneLine(approval.message, 1000)))]),
      ...(steps === '' ? [] : [section(steps)]),
      textInput('reason', decision === 'approve' ? 'Note' : 'Why not?', {
        multiline: true,
        longest: longestReason,
      }),
    ],
  };
}

/** That it was none, said once more: its alerts stop counting, and the incident ends for everybody. */
export function falsePositiveModal(
  incident: { number: number; title: string; alertCount: number },
  seen: { asOf?: number; opening?: number },
): SlackModal {
  const { number, alertCount } = incident;
  const alerts = `${alertCount} ${alertCount === 1 ? 'alert' : 'alerts'}`;
  return {
    ...modal('False positive', 'Close it', { kind: 'false_positive', number, ...seen }),
    blocks: [
      section(`*#${number}* ${escapeSlack(oneLine(incident.title, 300))}`),
      section(
        `This ends the incident with its ${alerts} as a false positive: escalation and the SLA clocks stop, and what waits for approval is withdrawn.`,
      ),
      textInput('reason', 'Note', { multiline: true, longest: longestReason }),
    ],
  };
}

/** In the order given; Slack shows a hundred. */
export function chooseRunbookModal(
  runbooks: readonly { name: string }[],
  number: number | undefined,
): SlackModal {
  const subject: ModalSubject = { kind: 'choose', ...(number === undefined ? {} : { number }) };
  // a value that Slack would refuse can be chosen on the page
  const choices = runbooks.filter(({ name }) => name.length <= slackLimits.optionValue);
  const options = choices.slice(0, slackLimits.options).map(({ name }) => option(name, name));
  const left = runbooks.length - options.length;
  return {
    ...modal('Run a runbook', 'Next', subject),
    blocks: [
      section(number === undefined ? 'Which one?' : `Which one, for incident *#${number}*?`),
      {
        type: 'input',
        block_id: 'runbook',
        label: plain('Runbook'),
        optional: false,
        element: {
          type: 'static_select',
          action_id: modalInput,
          placeholder: plain('Choose a runbook'),
          options,
        },
      },
      ...(left > 0 ? [context(`${left} more are on the page Runbooks.`)] : []),
    ],
  };
}

export interface ModalRunbook {
  name: string;
  description: string;
  /** Those that a person may give; secret ones are given on the page. */
  inputs: { name: string; description: string; options: string[] }[];
}

/** What it will do and with which values, asked once. */
export function runModal(runbook: ModalRunbook, number: number | undefined): SlackModal {
  const subject: ModalSubject = {
    kind: 'run',
    runbook: runbook.name,
    ...(number === undefined ? {} : { number }),
  };
  const about = number === undefined ? '' : ` for incident *#${number}*`;
  return {
    ...modal('Run a runbook', 'Run', subject),
    blocks: [
      section(`*${escapeSlack(oneLine(runbook.name, 150))}*${about}`),
      ...(runbook.description === '' ? [] : [section(escapeSlack(oneLine(runbook.description, 1000)))]),
      ...runbook.inputs.slice(0, 40).map(inputOf),
      context('What stays empty comes from the alert’s labels or has its default.'),
    ],
  };
}

function inputOf(input: ModalRunbook['inputs'][number]): SlackBlock {
  const hint = input.description === '' ? {} : { hint: plain(input.description, slackLimits.hint) };
  const id = `${runInputPrefix}${input.name}`;
  const choosable =
    input.options.length > 0 &&
    input.options.length <= slackLimits.options &&
    input.options.every((each) => each.length > 0 && each.length <= slackLimits.optionValue);
  if (!choosable) {
    return { ...textInput(id, input.name, { multiline: false, longest: 1000 }), ...hint };
  }
  return {
    type: 'input',
    block_id: id,
    label: plain(input.name),
    ...hint,
    optional: true,
    element: {
      type: 'static_select',
      action_id: modalInput,
      placeholder: plain('Choose a value'),
      options: input.options.map((each) => option(each, each)),
    },
  };
}

/** What came of it, or why it cannot be: there is nothing left to send. */
export function noticeModal(title: string, text: string): SlackModal {
  return {
    type: 'modal',
    callback_id: modalCallback,
    title: plain(title, slackLimits.title),
    close: plain('Close', slackLimits.title),
    private_metadata: '',
    blocks: [section(text)],
  };
}

function modal(title: string, submit: string, subject: ModalSubject): Omit<SlackModal, 'blocks'> {
  return {
    type: 'modal',
    callback_id: modalCallback,
    title: plain(title, slackLimits.title),
    submit: plain(submit, slackLimits.title),
    close: plain('Cancel', slackLimits.title),
    private_metadata: JSON.stringify(subject),
  };
}

function textInput(
  id: string,
  label: string,
  given: { multiline: boolean; longest: number },
): Extract<SlackBlock, { type: 'input' }> {
  return {
    type: 'input',
    block_id: id,
    label: plain(label),
    // a value that is left out may come from the alert, so that Slack must not insist
    optional: true,
    element: {
      type: 'plain_text_input',
      action_id: modalInput,
      multiline: given.multiline,
      max_length: given.longest,
    },
  };
}
