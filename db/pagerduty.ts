import type { Tx } from './database.ts';
import { findChannelMessage, keepChannelMessage } from './destinations.ts';

/** An incident of Holdfast that PagerDuty speaks of. */
export interface PagerDutyIncident {
  id: string;
  number: number;
  teamId: string | null;
  recordedSeq: number;
  opening: number;
}

export async function findPagerDutyIncident(tx: Tx, id: string): Promise<PagerDutyIncident | undefined> {
  return await tx
    .selectFrom('incidents')
    .select(['id', 'number', 'team_id as teamId', 'recorded_seq as recordedSeq', 'opening'])
    .where('id', '=', id)
    .executeTakeFirst();
}

// what is kept of PagerDuty stands beside the messages of the channel

const destinationOf = (channel: string): string => `channel:${channel}`;

/** Whether something of this name is kept already; the name of an event stays once it was done. */
export async function findPagerDutyNote(
  tx: Tx,
  { channel, subject }: { channel: string; subject: string },
): Promise<Record<string, unknown> | undefined> {
  const found = await findChannelMessage(tx, { destination: destinationOf(channel), subject });
  return found && { ...found };
}

export async function keepPagerDutyNote(
  tx: Tx,
  note: { orgId: string; channel: string; subject: string; content: object },
): Promise<void> {
  const { orgId, channel, subject, content } = note;
  await keepChannelMessage(tx, { orgId, destination: destinationOf(channel), subject, reference: content });
}

/** Somebody at PagerDuty and the user who they are here. */
export interface PagerDutyPerson {
  externalId: string;
  name: string;
  email: string;
  linkedAt: Date;
}

/** By mail address. */
export async function listPagerDutyPeople(tx: Tx): Promise<PagerDutyPerson[]> {
  return await tx
    .selectFrom('user_identities as i')
    .innerJoin('users as u', 'u.id', 'i.user_id')
    .select(['i.external_id as externalId', 'i.name', 'u.email', 'i.linked_at as linkedAt'])
    .where('i.provider', '=', 'pagerduty')
    .orderBy('u.email')
    .orderBy('i.external_id')
    .execute();
}
