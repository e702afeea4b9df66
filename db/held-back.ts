import { sql } from 'kysely';
import { type HeldBack, heldBackOf, type SilenceLine } from '../domain/silences/held-back.ts';
import { longestSilenceMs } from '../domain/silences/silence.ts';
import type { Tx } from './database.ts';

/**
 * When silences really held back what rules tell, by the incident's number, of those that were silenced since `since` or
 * could still be then. It is read from their timelines, so what became of the silences themselves changes nothing of it.
 */
export async function listHeldBack(tx: Tx, since: Date): Promise<Map<number, HeldBack[]>> {
  const silencedSince = new Date(since.getTime() - longestSilenceMs);
  const { rows } = await sql<{ number: number; lines: SilenceLine[] }>`
    select i.number, jsonb_agg(jsonb_build_object('at', round(extract(epoch from l.at) * 1000), 'kind', l.kind,
      'fromTheStart', coalesce((l.data ->> 'fromTheStart')::boolean, false)) order by l.id) as lines
    from incidents i join timeline l on l.incident_id = i.id
    where i.id in (select incident_id from timeline where kind = 'silenced' and at > ${silencedSince})
      and l.kind in ('silenced', 'silence_ended', 'resolved', 'false_positive', 'merged')
    group by i.number`.execute(tx);
  return new Map(rows.map(({ number, lines }) => [number, heldBackOf(lines)]));
}
