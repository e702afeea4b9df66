import { type Kysely, sql } from 'kysely';

/** How late a breach was goes by the calendar that its clock went by, whatever has become of that since. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table sla_clocks
      -- of its policy when the clock began (domain/sla/calendar.ts); {}: always open; null: it began before that was kept
      add column calendar jsonb;
  `.execute(db);
}
