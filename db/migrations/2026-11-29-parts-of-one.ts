import { type Kysely, sql } from 'kysely';

/** A message that goes on from one that stands for many names it, and so is seen and explained as that one is. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table notifications
      -- the first message of those that stand for many together; null: the first itself, and what stands for itself
      add column part_of bigint references notifications;
    create index notifications_part_of on notifications (part_of) where part_of is not null;
    -- keys of later ones are those of the first with what they tell
    update notifications later set part_of = first.id
    from notifications first
    where later.type = 'notifications.consolidated' and first.type = later.type and first.org_id = later.org_id
      and later.key ~ ':[0-9]+:[0-9]+(:over)?$'
      and first.key = regexp_replace(later.key, ':[0-9]+:[0-9]+(:over)?$', '');
  `.execute(db);
}
