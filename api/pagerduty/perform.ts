import type { Database } from '../../db/database.ts';
import { getPerson } from '../../db/identity.ts';
import { findIncidentNote } from '../../db/incident-notes.ts';
import {
  findPagerDutyIncident,
  findPagerDutyNote,
  keepPagerDutyNote,
  type PagerDutyIncident,
} from '../../db/pagerduty.ts';
import { findIdentity } from '../../db/user-identities.ts';
import { oneLine } from '../../domain/markup.ts';
import { incidentOfDedupKey, noteOfHoldfast, pagerDutySaid } from '../../domain/pagerduty.ts';
import type { Actor } from '../../workflows/messages.ts';
import { ClosedError, type MessageClient, RefusedError } from '../../workflows/messages-client.ts';
import { mayOn } from '../auth/principal.ts';
import type { PagerDutyEvent } from './schema.ts';

export interface PagerDutyDeps {
  db: Pick<Database, 'read' | 'write'>;
  messages: MessageClient;
}

export interface PagerDutyChannel {
  orgId: string;
  /** Of the notification channel. */
  name: string;
}

export interface Outcome {
  done: boolean;
  reason: string;
}

/** Of 5,000 characters that a note can have here, so that there is room to say that it was longer. */
const noteLimit = 4900;
const ignored = (reason: string): Outcome => ({ done: false, reason });
const states = {
  'incident.acknowledged': 'acknowledged',
  'incident.resolved': 'resolved',
} as const;

/**
 * Does here what somebody did at PagerDuty, in their name. An event that is delivered again is done once. Throws
 * TemporalUnavailableError and DatabaseUnavailableError, after which PagerDuty sends it again.
 */
export async function performPagerDutyEvent(
  deps: PagerDutyDeps,
  channel: PagerDutyChannel,
  event: PagerDutyEvent,
): Promise<Outcome> {
  const { orgId, name } = channel;
  const seen = { channel: name, subject: `event:${event.id}` };
  if (await deps.db.read({ orgId }, (tx) => findPagerDutyNote(tx, seen))) {
    return ignored('this event was delivered before');
  }
  const outcome = await perform(deps, channel, event);
  if (outcome.done) {
    await deps.db.write({ orgId }, (tx) => keepPagerDutyNote(tx, { orgId, ...seen, content: {} }));
  }
  return outcome;
}

async function perform(
  deps: PagerDutyDeps,
  channel: PagerDutyChannel,
  event: PagerDutyEvent,
): Promise<Outcome> {
  const { event_type, agent } = event;
  const incidentId = await incidentIdOf(deps, channel, event);
  if (event_type === 'incident.triggered' || incidentId === undefined) {
    return ignored(incidentId === undefined ? 'it is about no incident of Holdfast' : 'Holdfast knows that');
  }
  const { orgId } = channel;
  const incident = await deps.db.read({ orgId }, (tx) => findPagerDutyIncident(tx, incidentId));
  if (!incident) return ignored('it is about no incident of Holdfast');
  // what Holdfast's own events do there comes back in the name of the integration
  if (agent?.type !== 'user_reference') return ignored('no person did it');
  const person = await actorOf(deps, orgId, agent, incident.teamId);
  if ('refusal' in person) return ignored(person.refusal);
  try {
    return await send(deps, channel, event, incident, person.actor);
  } catch (error) {
    if (error instanceof RefusedError) return ignored(error.message);
    if (error instanceof ClosedError) return ignored(`incident ${incident.number} is closed`);
    throw error;
  }
}

async function send(
  deps: PagerDutyDeps,
  { orgId, name }: PagerDutyChannel,
  event: PagerDutyEvent,
  incident: PagerDutyIncident,
  actor: Actor,
): Promise<Outcome> {
  const { event_type, data } = event;
  const { number, recordedSeq: asOf, opening } = incident;
  if (event_type === 'incident.annotated') {
    const content = data.content?.trim();
    if (!content) return ignored('the note is empty');
    if (await isOfHoldfast(deps, orgId, content)) return ignored('Holdfast wrote it there');
    const isCut = data.trimmed === true || content.length > noteLimit;
    const text = `${content.slice(0, noteLimit)}${isCut ? ' … (there is more at PagerDuty)' : ''}`;
    // sent again while the first is on its way, it is the same note
    const key = `pagerduty:${data.id ?? event.id}`;
    await deps.messages.addNote(orgId, number, { actor, asOf, text, key });
    return { done: true, reason: `the note stands at incident ${number}` };
  }
  if (event_type !== 'incident.acknowledged' && event_type !== 'incident.resolved') {
    return ignored(`nothing to do for ${oneLine(event_type, 100)}`);
  }
  const state = states[event_type];
  // before it is done, so that the notice of it finds it
  await keepSaid(deps, { orgId, name }, incident, state);
  const message = { actor, asOf, opening };
  if (state === 'acknowledged') await deps.messages.acknowledge(orgId, number, message);
  else await deps.messages.resolve(orgId, number, message);
  return { done: true, reason: `incident ${number} is ${state}` };
}

/** PagerDuty says that the user did whose name notes of Holdfast's stand in. */
async function isOfHoldfast({ db }: PagerDutyDeps, orgId: string, content: string): Promise<boolean> {
  const claimed = noteOfHoldfast(content);
  if (!claimed) return false;
  const of = { number: claimed.incident, seq: claimed.seq };
  return (await db.read({ orgId }, (tx) => findIncidentNote(tx, of))) !== undefined;
}

async function keepSaid(
  { db }: PagerDutyDeps,
  { orgId, name: channel }: PagerDutyChannel,
  incident: PagerDutyIncident,
  state: 'acknowledged' | 'resolved',
): Promise<void> {
  const subject = pagerDutySaid(incident.id, incident.opening);
  await db.write({ orgId }, async (tx) => {
    const before = await findPagerDutyNote(tx, { channel, subject });
    await keepPagerDutyNote(tx, { orgId, channel, subject, content: { ...before, [state]: true } });
  });
}

/** A note names PagerDuty's own id of the incident alone: which one it is was said with an earlier event. */
async function incidentIdOf(
  { db }: PagerDutyDeps,
  { orgId, name: channel }: PagerDutyChannel,
  { data }: PagerDutyEvent,
): Promise<string | undefined> {
  const theirs = data.incident?.id ?? data.id;
  if (theirs === undefined) return undefined;
  const subject = `pagerduty:${theirs}`;
  const incidentId = data.incident_key ? incidentOfDedupKey(data.incident_key) : undefined;
  if (incidentId !== undefined) {
    await db.write({ orgId }, (tx) =>
      keepPagerDutyNote(tx, { orgId, channel, subject, content: { incidentId } }),
    );
    return incidentId;
  }
  if (data.incident === undefined) return undefined;
  const known = await db.read({ orgId }, (tx) => findPagerDutyNote(tx, { channel, subject }));
  return typeof known?.incidentId === 'string' ? known.incidentId : undefined;
}

/**
 * Who it is here. Somebody who is linked may do there what they may do here; whoever is not is believed, because the
 * channel was set up to have PagerDuty say who has an incident, and stands under the name that they have there.
 */
async function actorOf(
  { db }: PagerDutyDeps,
  orgId: string,
  agent: NonNullable<PagerDutyEvent['agent']>,
  teamId: string | null,
): Promise<{ actor: Actor } | { refusal: string }> {
  const person = await db.read({ orgId }, async (tx) => {
    const identity = await findIdentity(tx, { provider: 'pagerduty', externalId: agent.id });
    return identity && (await getPerson(tx, identity.userId));
  });
  if (!person) {
    return { actor: { name: `${oneLine(agent.summary ?? agent.id, 100)} (PagerDuty)`, via: 'pagerduty' } };
  }
  if (person.disabledAt) return { refusal: `${person.email} is disabled` };
  if (!mayOn({ ...person, orgId }, 'operator', teamId)) {
    return { refusal: `this needs the role operator; ${person.email} has less here` };
  }
  return { actor: { name: person.email, via: 'pagerduty' } };
}
