import { type Kysely, sql } from 'kysely';

/** The count behind one message that stands for many: by its id, and for whoever forgets that message. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create index notification_limits_consolidated on notification_limits (consolidated)
      where consolidated is not null;
  `.execute(db);
}
