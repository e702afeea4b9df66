import { type Kysely, sql } from 'kysely';

/** A maintenance window may come back every week, as a silence may. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    -- domain/weekly-window.ts; null: all the while between start and end
    alter table maintenance_windows add column weekly jsonb;
  `.execute(db);
}
