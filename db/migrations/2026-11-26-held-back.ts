import { type Kysely, sql } from 'kysely';

/** What was held back is looked up: by silences, for the preview of a rule. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    -- few incidents are ever silenced
    create index timeline_silenced on timeline (org_id, at) where kind = 'silenced';
  `.execute(db);
}
