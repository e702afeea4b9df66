import { getExecution } from '../../db/executions-read.ts';
import type { IncidentSummary } from '../../db/incidents.ts';
import { listRunbooksFor } from '../../db/runbook-matches.ts';
import { getRunbook } from '../../db/runbooks.ts';
import { incidentAnswer, pageAnswer, plainAnswer } from '../../domain/chat/answers.ts';
import {
  type SlackAction,
  type SlackActionValue,
  slackActions,
  slackActionValue,
} from '../../domain/chat/slack-actions.ts';
import type { SlackMessage } from '../../domain/chat/slack-blocks.ts';
import {
  chooseRunbookModal,
  falsePositiveModal,
  type ModalRunbook,
  runModal,
  type SlackModal,
  voteModal,
} from '../../domain/chat/slack-modals.ts';
import type { RunbookDefinition } from '../../domain/runbook/definition.ts';
import { RefusedError } from '../../workflows/messages-client.ts';
import { seenApproval } from '../approvals/vote.ts';
import { assertRole, type Principal, scopeOf } from '../auth/principal.ts';
import { withoutUndefined } from '../endpoint.ts';
import { ConflictError, InvalidRequestError, NotFoundError } from '../errors.ts';
import { commandedIncident, seenIncident } from '../incidents/commanded.ts';
import { type AnswerDeps, type Answered, acknowledge } from './answer-command.ts';
import { readChatIncident } from './incident-facts.ts';
import type { BlockActions } from './slack-request.ts';

/** What was pressed, and as of what its message said. */
export interface Pressed {
  action: SlackAction;
  value: SlackActionValue;
}

/** What comes of a press: an answer, and how things stand now, or a form that asks before it counts. */
export type PressOutcome =
  | (Answered & { standing?: SlackMessage })
  | { modal: SlackModal; instead: SlackMessage };

/** Undefined for what is none of Holdfast's buttons. Throws InvalidRequestError for a value that it never wrote. */
export function readPressed({ actions }: BlockActions): Pressed | undefined {
  const [first] = actions;
  const action = slackActions.find((known) => known === first?.action_id);
  if (!first || !action) return undefined;
  const text = first.value ?? first.selected_option?.value;
  const value = slackActionValue.safeParse(text === undefined ? {} : jsonOf(text));
  if (!value.success) {
    throw new InvalidRequestError([{ field: 'actions.0.value', message: 'is none of Holdfast’s' }]);
  }
  return { action, value: value.data };
}

/** For people: what was pressed, as the history shows it. */
export function pressedText({ action, value }: Pressed): string {
  const of = value.number === undefined ? (value.approvalId ?? value.executionId ?? '') : `#${value.number}`;
  const what = action.slice('holdfast.'.length).replace('_', ' ');
  return `pressed ${what} ${of}`.trim();
}

/**
 * Does what a button is for, in the person's name, as the API would. A press on a message that is out of date changes
 * nothing: it is refused, and `standing` says how things are now. Throws what the API throws.
 */
export async function answerPress(
  deps: AnswerDeps,
  principal: Principal,
  { action, value }: Pressed,
): Promise<PressOutcome> {
  switch (action) {
    case 'holdfast.view':
      return { message: plainAnswer('') };
    case 'holdfast.acknowledge':
      return await acknowledgeAsSeen(deps, principal, value);
    case 'holdfast.false_positive':
      return await askFalsePositive(deps, principal, value);
    case 'holdfast.run':
      return await askWhichRun(deps, principal, value);
    case 'holdfast.approve':
    case 'holdfast.reject':
      return await askVote(deps, principal, action === 'holdfast.approve' ? 'approve' : 'reject', value);
  }
}

async function acknowledgeAsSeen(
  deps: AnswerDeps,
  principal: Principal,
  { number, asOf, opening }: SlackActionValue,
): Promise<PressOutcome> {
  if (number === undefined) throw new InvalidRequestError([{ field: 'number', message: 'is missing' }]);
  const stale = stalenessOf(await seenIncident(deps.db, principal, number), opening);
  if (stale !== undefined) {
    return { message: plainAnswer(stale), ...(await standingOf(deps, principal, number)) };
  }
  try {
    const seen = withoutUndefined({ asOf, opening });
    const answered = await acknowledge(deps, principal, { number, note: null, ...seen });
    return { ...answered, ...(await standingOf(deps, principal, number)) };
  } catch (error) {
    // somebody was quicker: the message says who, too
    if (!(error instanceof RefusedError || error instanceof ConflictError)) throw error;
    return {
      message: plainAnswer(`Nothing was changed: ${error.message}.`),
      ...(await standingOf(deps, principal, number)),
    };
  }
}

async function askFalsePositive(
  deps: AnswerDeps,
  principal: Principal,
  { number, asOf, opening }: SlackActionValue,
): Promise<PressOutcome> {
  if (number === undefined) throw new InvalidRequestError([{ field: 'number', message: 'is missing' }]);
  const incident = await commandedIncident(deps.db, principal, number);
  const stale = stalenessOf(incident, opening);
  if (stale !== undefined) {
    return { message: plainAnswer(stale), ...(await standingOf(deps, principal, number)) };
  }
  return {
    modal: falsePositiveModal(incident, withoutUndefined({ asOf, opening })),
    instead: pageAnswer(
      'Close it as a false positive here:',
      `${deps.publicUrl}/incidents/${number}#do-resolve`,
      `Open #${number}`,
    ),
  };
}

/** Why the message speaks of something that is over; undefined where it still holds. */
function stalenessOf(incident: IncidentSummary, opening: number | undefined): string | undefined {
  const { number } = incident;
  if (incident.resolvedAt) return `Too late: incident #${number} is over. Nothing was changed.`;
  if (opening !== undefined && opening !== incident.opening) {
    return `Incident #${number} has opened again since that message. Nothing was changed: its newest message counts.`;
  }
  return undefined;
}

async function standingOf(deps: AnswerDeps, principal: Principal, number: number) {
  const now = deps.clock();
  const incident = await deps.db.read(scopeOf(principal), (tx) => readChatIncident(tx, number, now));
  return incident ? { standing: incidentAnswer(incident, deps.publicUrl) } : {};
}

async function askWhichRun(
  deps: AnswerDeps,
  principal: Principal,
  { number, runbook: name }: SlackActionValue,
): Promise<PressOutcome> {
  const incident = number === undefined ? undefined : await seenIncident(deps.db, principal, number);
  if (incident?.resolvedAt) {
    return {
      message: plainAnswer(`Incident #${number} is over: run a runbook on its page if it is still needed.`),
      ...(await standingOf(deps, principal, incident.number)),
    };
  }
  const query = number === undefined ? '' : `?incident=${number}`;
  if (name !== undefined) {
    return {
      modal: runModal(await modalRunbook(deps, principal, name), number),
      instead: pageAnswer('Run it here:', `${deps.publicUrl}/runbooks/${name}${query}`, name),
    };
  }
  const found = await deps.db.read(scopeOf(principal), (tx) => listRunbooksFor(tx, incident?.id));
  const runbooks = found.map(({ definition }) => definition);
  if (runbooks.length === 0) throw new ConflictError('there is no runbook yet: an Admin adds one');
  return {
    modal: chooseRunbookModal(runbooks, number),
    instead: pageAnswer('Choose it here:', `${deps.publicUrl}/runbooks${query}`, 'Runbooks'),
  };
}

/** What a form asks for before a run. Throws NotFoundError, ForbiddenError. */
export async function modalRunbook(
  { db }: Pick<AnswerDeps, 'db'>,
  principal: Principal,
  name: string,
): Promise<ModalRunbook> {
  const runbook = await db.read(scopeOf(principal), (tx) => getRunbook(tx, name));
  if (!runbook || runbook.removedAt) throw new NotFoundError(`runbook '${name}'`);
  assertRole(principal, 'operator', runbook.teamId);
  return {
    name,
    description: runbook.definition.description,
    inputs: askedInputs(runbook.definition),
  };
}

function askedInputs({ inputs }: RunbookDefinition): ModalRunbook['inputs'] {
  return Object.entries(inputs)
    .filter(([, { secret, fromSecret }]) => !secret && fromSecret === undefined)
    .map(([name, input]) => ({
      name,
      description: input.description ?? '',
      // no default is filled in: it would win over the alert's label
      options: input.options ?? [],
    }));
}

async function askVote(
  deps: AnswerDeps,
  principal: Principal,
  decision: 'approve' | 'reject',
  { approvalId }: SlackActionValue,
): Promise<PressOutcome> {
  if (approvalId === undefined)
    throw new InvalidRequestError([{ field: 'approvalId', message: 'is missing' }]);
  const approval = await seenApproval(deps.db, principal, approvalId);
  assertRole(principal, 'operator', approval.teamId);
  if (approval.status !== 'pending') {
    const reason = approval.reason === null ? '' : `: ${approval.reason}`;
    return {
      message: plainAnswer(`Too late: it is ${approval.status} already${reason}. Nothing was changed.`),
      ...(approval.incident ? await standingOf(deps, principal, approval.incident.number) : {}),
    };
  }
  const execution = await deps.db.read(scopeOf(principal), (tx) => getExecution(tx, approval.executionId));
  const steps = (execution?.steps ?? []).map(({ name }) => name);
  return {
    modal: voteModal(decision, { ...approval, steps }),
    instead: pageAnswer('Decide it here:', `${deps.publicUrl}/approvals/${approvalId}`, 'Open the approval'),
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
