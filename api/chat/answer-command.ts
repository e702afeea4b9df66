import { approvalsOfExecution, approvalsOfIncident } from '../../db/approvals.ts';
import type { Database } from '../../db/database.ts';
import { readDirectory } from '../../db/directory.ts';
import { listPeople } from '../../db/identity.ts';
import {
  countIncidents,
  type IncidentFilter,
  type IncidentSummary,
  listIncidents,
} from '../../db/incidents.ts';
import { getRunbook } from '../../db/runbooks.ts';
import { findTeam } from '../../db/teams.ts';
import {
  type ChatOnCall,
  doneAnswer,
  helpAnswer,
  incidentAnswer,
  incidentListAnswer,
  onCallAnswer,
} from '../../domain/chat/answers.ts';
import type { ApprovalSubject, ChatCommand } from '../../domain/chat/command.ts';
import type { SlackMessage } from '../../domain/chat/slack-blocks.ts';
import { onCallAt } from '../../domain/oncall/on-call.ts';
import { nameOf } from '../../domain/people.ts';
import { severities } from '../../domain/severity.ts';
import type { MessageClient } from '../../workflows/messages-client.ts';
import { vote } from '../approvals/vote.ts';
import { type Principal, scopeOf } from '../auth/principal.ts';
import { withoutUndefined } from '../endpoint.ts';
import { ConflictError, InvalidRequestError, NotFoundError } from '../errors.ts';
import { commandIncident, seenIncident } from '../incidents/commanded.ts';
import { runRunbook } from '../runbooks/run.ts';
import { readChatIncident } from './incident-facts.ts';

export interface AnswerDeps {
  db: Pick<Database, 'read' | 'write'>;
  messages: MessageClient;
  publicUrl: string;
  /** Epoch milliseconds. */
  clock(): number;
}

/** What somebody gets to read, and what they did: `acted` names what it was done to, for the audit log. */
export interface Answered {
  message: SlackMessage;
  acted?: { what: string; subject: string };
}

/** Incidents in one answer: about what fits a screen. */
const shownIncidents = 20;

/**
 * Does what was asked, in the person's name, as the API would. Throws what the API throws: its errors say what is wrong
 * and the remedy.
 */
export async function answerCommand(
  deps: AnswerDeps,
  principal: Principal,
  command: Exclude<ChatCommand, { name: 'link' }>,
  slashCommand: string,
): Promise<Answered> {
  switch (command.name) {
    case 'help':
      return { message: helpAnswer(slashCommand) };
    case 'incidents':
      return { message: await listAnswer(deps, principal, command) };
    case 'alert':
      return { message: await showAnswer(deps, principal, command.number) };
    case 'ack':
      return await acknowledge(deps, principal, command);
    case 'resolve':
      return await resolve(deps, principal, command);
    case 'run':
      return await run(deps, principal, command);
    case 'approve':
    case 'reject':
      return await decide(deps, principal, command);
    case 'oncall':
      return { message: await whoIsOnCall(deps, principal, command.schedule) };
  }
}

async function listAnswer(
  { db, publicUrl }: AnswerDeps,
  principal: Principal,
  asked: Extract<ChatCommand, { name: 'incidents' }>,
): Promise<SlackMessage> {
  const { rows, total, people } = await db.read(scopeOf(principal), async (tx) => {
    const team = asked.team === null ? null : await findTeam(tx, asked.team.toLowerCase());
    if (team === undefined) throw new NotFoundError(`team '${asked.team}'`);
    const filter: IncidentFilter = {
      active: true,
      ...(asked.severity.length > 0 ? { severity: asked.severity } : {}),
      ...(asked.mine ? { person: principal.email } : {}),
      ...(team ? { teamId: team.id } : {}),
    };
    const found: IncidentSummary[] = [];
    // the worst first, the newest of each
    for (const severity of severities.filter((each) => filter.severity?.includes(each) ?? true)) {
      if (found.length >= shownIncidents) break;
      const limit = shownIncidents - found.length;
      found.push(...(await listIncidents(tx, { ...filter, severity: [severity], limit })).items);
    }
    return { rows: found, total: await countIncidents(tx, filter, 999), people: await listPeople(tx) };
  });
  const words = [
    ...asked.severity,
    ...(asked.mine ? ['mine'] : []),
    ...(asked.team === null ? [] : [`team ${asked.team}`]),
  ];
  const named = rows.map((row) => ({
    ...row,
    acknowledgedBy: row.acknowledgedBy === null ? null : nameOf(people, row.acknowledgedBy),
  }));
  return incidentListAnswer(named, { total, asked: words.join(', '), publicUrl });
}

/** Throws NotFoundError. */
export async function showAnswer(
  { db, publicUrl, clock }: Pick<AnswerDeps, 'db' | 'publicUrl' | 'clock'>,
  principal: Principal,
  number: number,
): Promise<SlackMessage> {
  const incident = await db.read(scopeOf(principal), (tx) => readChatIncident(tx, number, clock()));
  if (!incident) throw new NotFoundError(`incident ${number}`);
  return incidentAnswer(incident, publicUrl);
}

/** `asOf`, `opening`: what the person saw; absent: how it is now. Throws ConflictError for what somebody has already. */
export async function acknowledge(
  deps: AnswerDeps,
  principal: Principal,
  given: { number: number; note: string | null; asOf?: number; opening?: number },
): Promise<Answered> {
  const { number, note, opening } = given;
  await commandIncident(
    deps.db,
    principal,
    number,
    (to, by) =>
      deps.messages.acknowledge(to.orgId, to.number, {
        ...by,
        ...withoutUndefined({ opening }),
        ...(note === null ? {} : { note }),
      }),
    given.asOf,
  );
  return {
    message: incidentDone(deps, number, `Incident #${number} is yours: the escalation has stopped.`),
    acted: { what: 'acknowledged', subject: `incident:${number}` },
  };
}

/** `falsePositive`: it was none. */
export async function resolve(
  deps: AnswerDeps,
  principal: Principal,
  given: {
    number: number;
    note: string | null;
    falsePositive?: boolean;
    asOf?: number;
    opening?: number;
  },
): Promise<Answered> {
  const { number, note, opening, falsePositive = false } = given;
  await commandIncident(
    deps.db,
    principal,
    number,
    (to, by) =>
      deps.messages.resolve(to.orgId, to.number, {
        ...by,
        ...withoutUndefined({ opening }),
        ...(note === null ? {} : { note }),
        ...(falsePositive ? { falsePositive } : {}),
      }),
    given.asOf,
  );
  const what = falsePositive ? 'is closed as a false positive' : 'is resolved';
  return {
    message: incidentDone(deps, number, `Incident #${number} ${what}.`),
    acted: { what: falsePositive ? 'false_positive' : 'resolved', subject: `incident:${number}` },
  };
}

function incidentDone({ publicUrl }: AnswerDeps, number: number, text: string): SlackMessage {
  return doneAnswer(text, `${publicUrl}/incidents/${number}`, `Open #${number}`);
}

/** Throws ExecutionRefusedError; InvalidRequestError for a secret, which must not stand in chat. */
export async function run(
  deps: AnswerDeps,
  principal: Principal,
  asked: { runbook: string; number: number | null; inputs: Record<string, string> },
): Promise<Answered> {
  const { runbook: name, number, inputs } = asked;
  const runbook = await deps.db.read(scopeOf(principal), (tx) => getRunbook(tx, name));
  if (!runbook || runbook.removedAt) throw new NotFoundError(`runbook '${name}'`);
  const secret = Object.keys(inputs).find((input) => runbook.definition.inputs[input]?.secret);
  if (secret !== undefined) {
    throw new InvalidRequestError(
      [
        {
          field: secret,
          message: `is secret: run it on the page ${deps.publicUrl}/runbooks/${name}, so that the value does not stand in chat`,
        },
      ],
      422,
    );
  }
  const { id, target, started } = await runRunbook(deps, principal, name, {
    inputs,
    ...withoutUndefined({ incident: number ?? undefined }),
  });
  const when = started ? 'is on its way' : 'is written down and starts when Temporal answers again';
  return {
    message: doneAnswer(`${name} on ${target} ${when}.`, `${deps.publicUrl}/executions/${id}`, 'Follow it'),
    acted: { what: `run ${name}`, subject: `execution:${id}` },
  };
}

async function decide(
  deps: AnswerDeps,
  principal: Principal,
  asked: Extract<ChatCommand, { name: 'approve' | 'reject' }>,
): Promise<Answered> {
  const approvalId = await pendingApproval(deps, principal, asked.subject);
  return await decideOn(deps, principal, asked.name, approvalId, asked.reason);
}

/** Throws as `vote` does. */
export async function decideOn(
  deps: AnswerDeps,
  principal: Principal,
  decision: 'approve' | 'reject',
  approvalId: string,
  reason: string | null,
): Promise<Answered> {
  await vote(deps, decision, principal, approvalId, reason ?? undefined);
  const text = decision === 'approve' ? 'Your approval counts.' : 'Rejected: it does not run.';
  return {
    message: doneAnswer(text, `${deps.publicUrl}/approvals/${approvalId}`, 'Open the approval'),
    acted: { what: decision === 'approve' ? 'approved' : 'rejected', subject: `approval:${approvalId}` },
  };
}

/** The one that waits. Throws NotFoundError; ConflictError where none waits, or several do. */
async function pendingApproval(
  { db }: AnswerDeps,
  principal: Principal,
  subject: ApprovalSubject,
): Promise<string> {
  const incident = 'number' in subject ? await seenIncident(db, principal, subject.number) : undefined;
  const found = await db.read(scopeOf(principal), (tx) =>
    'executionId' in subject
      ? approvalsOfExecution(tx, subject.executionId)
      : approvalsOfIncident(tx, incident?.id ?? ''),
  );
  const pending = found.filter(({ status }) => status === 'pending');
  const [first, second] = pending;
  const of = 'number' in subject ? `incident ${subject.number}` : `execution ${subject.executionId}`;
  if (!first) throw new ConflictError(`nothing of ${of} waits for approval`);
  if (second) {
    const each = pending.map(({ runbook, executionId }) => `${runbook}: ${executionId}`).join(', ');
    throw new ConflictError(`several runbooks of ${of} wait: name the execution (${each})`);
  }
  return first.id;
}

async function whoIsOnCall(
  { db, publicUrl, clock }: AnswerDeps,
  principal: Principal,
  schedule: string | null,
): Promise<SlackMessage> {
  const at = clock();
  const { schedules, people } = await db.read(scopeOf(principal), (tx) =>
    readDirectory(tx, schedule === null ? 'all' : [{ type: 'schedule', name: schedule }], { at }),
  );
  if (schedule !== null && schedules.size === 0) throw new NotFoundError(`on-call schedule '${schedule}'`);
  const onCall = [...schedules].map(
    ([name, facts]): ChatOnCall => ({
      schedule: name,
      entries: onCallAt(facts, at).map((shift) => ({
        person: people.get(shift.person.toLowerCase())?.name || shift.person,
        rotation: shift.rotation,
        until: new Date(shift.to),
        override: shift.override !== null,
        shadow: shift.shadow,
      })),
    }),
  );
  return onCallAnswer(onCall, publicUrl);
}
