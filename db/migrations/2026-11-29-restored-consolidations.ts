import { type Kysely, sql } from 'kysely';

/** What tells many messages in one is begun again where Temporal has lost its workflow. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table notifications
      -- of the first message that says many in one: what its workflow is started with (db/notification-limits.ts)
      add column consolidation jsonb;
    create index notifications_counting on notifications (created_at) where consolidation is not null;
    create index notifications_resolving on notifications (id) where consolidation ? 'resolves';

    create or replace function running_rows(wanted text, after_id text, batch integer)
      returns table (org_id uuid, kind text, id text, workflow_id text, since timestamptz)
      language sql stable security definer set search_path = public, pg_temp as $$
      select r.* from (
        select i.org_id, 'incident', i.id::text as id, 'incident:' || i.org_id || ':' || i.number, i.opened_at
        from incidents i where wanted = 'incident' and i.closed_at is null
        union all
        select e.org_id, 'execution', e.id::text, e.workflow_id, e.created_at
        from executions e where wanted = 'execution' and e.finished_at is null
        union all
        select a.org_id, 'alert', a.id::text, 'alert:' || a.org_id || ':' || a.id, a.received_at
        from alerts a where wanted = 'alert' and a.status <> 'resolved' and a.dispatched_version > 0
        union all
        select n.org_id, 'consolidation', n.id::text, 'consolidation:' || n.org_id || ':' || n.id, n.created_at
        from (
          -- it begins within the hour that it counts for
          select counting.org_id, counting.id, counting.created_at from notifications counting
          where consolidation is not null and created_at > now() - interval '2 hours'
            and (consolidation ->> 'ends')::timestamptz > now()
          union
          -- people are paged until it has said that all of it is over
          select first.org_id, first.id, first.created_at from notifications first
          where consolidation ? 'resolves' and (
            select last.key not like '%:over' from notifications last
            where (last.id = first.id or last.part_of = first.id) and last.status = 'sent'
            order by last.id desc limit 1)
        ) n where wanted = 'consolidation'
      ) r
      where r.id > after_id
      order by r.id
      limit batch
    $$;
  `.execute(db);
}
