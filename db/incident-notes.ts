import type { WrittenNote } from '../domain/pagerduty.ts';
import type { Tx } from './database.ts';

/** A note that a person wrote on an incident, by the number of its event; undefined: not recorded, or no note. */
export async function findIncidentNote(
  tx: Tx,
  { seq, ...of }: { seq: number } & ({ incidentId: string } | { number: number }),
): Promise<WrittenNote | undefined> {
  const notes = tx
    .selectFrom('timeline as l')
    .innerJoin('incidents as i', 'i.id', 'l.incident_id')
    .select(['i.number as incident', 'l.actor as writer', 'l.summary as text'])
    .where('l.dedup_key', '=', `incident:${seq}`)
    .where('l.kind', '=', 'note');
  const found = await ('number' in of
    ? notes.where('i.number', '=', of.number)
    : notes.where('i.id', '=', of.incidentId)
  ).executeTakeFirst();
  return found && { ...found, seq };
}
