import { type Kysely, sql } from 'kysely';

/**
 * What one incident is made from and proved by: rules and memory of correlation, services and what they call, spans,
 * changes, causes, similar incidents, log sources and templates, links for people without an account.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    -- team_id null: for alerts of no team, and of teams without rules of their own
    create table correlation_rules (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      team_id uuid references teams on delete cascade,
      definition jsonb not null,
      updated_at timestamptz not null default now(),
      unique nulls not distinct (org_id, team_id)
    );
    insert into correlation_rules (org_id, definition) select org_id, value from settings where key = 'correlation';
    delete from settings where key = 'correlation';

    -- what people grouped and split by hand, for the next sightings of those alerts: alerts of one group belong into
    -- one incident, and never into one that holds an alert of a group in apart_from
    create table correlation_memory (
      org_id uuid not null references organizations,
      integration_id uuid not null references integrations,
      fingerprint text not null,
      group_id uuid not null,
      apart_from uuid[] not null default '{}',
      -- for people: what the alert was called, and in which incident it was decided
      name text not null,
      service text,
      incident_number integer not null,
      decided_by text not null,
      decided_at timestamptz not null default now(),
      -- when the alert was seen, as of the last time that retention asked: what is remembered of one that comes is kept
      seen_at timestamptz not null default now(),
      primary key (org_id, integration_id, fingerprint)
    );
    create index correlation_memory_seen on correlation_memory (seen_at);
    create index correlation_memory_group on correlation_memory (org_id, group_id);
    create index correlation_memory_list on correlation_memory (org_id, decided_at desc, integration_id, fingerprint);

    -- every move of alerts between incidents, by its key, so that it is done once
    create table regroupings (
      org_id uuid not null references organizations,
      key text not null,
      from_incident uuid not null references incidents on delete cascade,
      into_incident uuid not null references incidents on delete cascade,
      -- null: all of them, and the incident that they came from ended with it
      alert_ids bigint[],
      actor text not null,
      reason text,
      at timestamptz not null default now(),
      primary key (org_id, key)
    );
    create index regroupings_from on regroupings (from_incident);
    create index regroupings_into on regroupings (into_incident);

    -- the alert that called for it, which may be moved into another incident afterwards
    alter table executions add column alert_id bigint;
    create index executions_alert on executions (alert_id) where alert_id is not null;

    alter table incidents
      -- from where escalation counts: the last opening, moved by snoozes
      add column escalation_from timestamptz,
      -- the incident into which correlation wants this one to be merged; its workflow does it
      add column merge_wanted uuid references incidents,
      add column merge_reason text,
      -- the number of the incident into which it was merged
      add column merged_into integer,
      -- its feed is gone: what it said stands in the timeline
      add column feed_forgotten boolean not null default false,
      add column cause_service text,
      -- 0 to 1; a person's word is 1
      add column cause_confidence real,
      -- who confirmed or corrected it; null: Holdfast's own ranking
      add column cause_by text;
    create index incidents_feed_kept on incidents (closed_at) where closed_at is not null and not feed_forgotten;
    create index incidents_cause on incidents (org_id, cause_service, number desc) where cause_service is not null;

    -- when this incident's alerts first and last had the key
    alter table incident_keys
      add column first_at timestamptz not null default now(),
      add column last_at timestamptz not null default now();
    -- the keys of one kind that an incident has ('service=…'), among ten thousand others
    create index incident_keys_of on incident_keys (incident_id, key text_pattern_ops);
    drop index incident_keys_incident;

    -- fired and resolved so often in a short time that each change by itself says nothing
    alter table alerts add column flapping boolean not null default false;

    -- what its workflow has looked at: of what was dispatched and not seen yet only so much is under way at once, so
    -- that a critical alert that comes late never stands in a long line
    alter table alerts
      add column dispatched_at timestamptz,
      add column seen_version bigint not null default 0;
    update alerts set seen_version = dispatched_version;
    create index alerts_outstanding on alerts (dispatched_at) where dispatched_version > seen_version;
    create index alerts_flapping on alerts (incident_id) where flapping;

    -- left: moved into another incident
    alter table incident_feed drop constraint incident_feed_kind_check;
    alter table incident_feed add constraint incident_feed_kind_check
      check (kind in ('joined', 'resolved', 'stale', 'firing', 'updated', 'left'));

    create table services (
      org_id uuid not null references organizations,
      name text not null,
      team_id uuid references teams on delete set null,
      kind text not null default 'service'
        check (kind in ('service', 'database', 'cache', 'queue', 'external', 'infrastructure')),
      description text not null default '',
      -- by a person or by YAML; the others were seen in alerts or traces
      declared boolean not null default false,
      first_seen_at timestamptz not null default now(),
      last_seen_at timestamptz not null default now(),
      primary key (org_id, name)
    );
    create index services_owned on services (org_id, lower(name)) where team_id is not null;

    -- caller calls callee
    create table service_dependencies (
      org_id uuid not null references organizations,
      caller text not null,
      callee text not null,
      declared boolean not null default false,
      -- where it was last seen; null: declared only
      observed_in text check (observed_in in ('traces', 'labels')),
      calls bigint not null default 0,
      errors bigint not null default 0,
      first_seen_at timestamptz not null default now(),
      -- null: never seen, declared only
      last_seen_at timestamptz,
      primary key (org_id, caller, callee)
    );
    create index service_dependencies_callee on service_dependencies (org_id, callee);

    -- kept for minutes: from them edges are learned and first failures found
    create table spans (
      org_id uuid not null references organizations,
      trace_id text not null,
      span_id text not null,
      parent_span_id text,
      service text not null,
      -- the service that a client span calls, where it says so and reports no span itself
      peer text,
      -- 'external': a host, which may be a service that reports its own spans
      peer_kind text check (peer_kind in ('service', 'database', 'cache', 'queue', 'external', 'infrastructure')),
      name text not null,
      started_at timestamptz not null,
      ended_at timestamptz not null,
      failed boolean not null,
      message text,
      received_at timestamptz not null default now(),
      primary key (org_id, trace_id, span_id)
    );
    create index spans_failed on spans (org_id, service, started_at) where failed;
    create index spans_received on spans (received_at);

    create table change_sources (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      team_id uuid references teams,
      kind text not null check (kind in ('github', 'jenkins', 'argocd', 'generic')),
      name text not null,
      -- what the sender signs with, or sends
      secret text not null,
      -- for kind generic: where in the body what stands; for the others: names of repositories as services
      mapping jsonb not null default '{}',
      created_at timestamptz not null default now(),
      last_seen_at timestamptz,
      removed_at timestamptz
    );
    create unique index change_sources_name on change_sources (org_id, name) where removed_at is null;

    create table changes (
      org_id uuid not null references organizations,
      id bigint generated always as identity primary key,
      team_id uuid references teams,
      source text not null check (source in ('github', 'jenkins', 'argocd', 'generic', 'manual')),
      source_id uuid references change_sources,
      -- of the sender: what arrives twice, or goes on, is one change
      external_id text not null,
      type text not null check (type in ('deployment', 'config', 'code', 'feature_flag', 'infrastructure', 'other')),
      status text not null check (status in ('started', 'succeeded', 'failed', 'rolled_back')),
      service text,
      environment text,
      title text not null,
      version text,
      previous_version text,
      author text,
      url text,
      -- when it took effect, by the sender's clock where that is credible
      at timestamptz not null,
      received_at timestamptz not null default now(),
      data jsonb not null default '{}',
      unique nulls not distinct (org_id, source, source_id, external_id)
    );
    create index changes_list on changes (org_id, at desc, id desc);
    create index changes_service on changes (org_id, service, at desc, id desc);
    create index changes_received on changes (received_at);
    create index changes_risky on changes (org_id, at desc, id desc) where status in ('failed', 'rolled_back');

    -- the changes that may be behind an incident
    create table incident_changes (
      org_id uuid not null references organizations,
      incident_id uuid not null references incidents on delete cascade,
      change_id bigint not null references changes on delete cascade,
      -- 0 to 1
      score real not null,
      -- sentences
      reasons jsonb not null,
      verdict text check (verdict in ('confirmed', 'dismissed')),
      judged_by text,
      judged_at timestamptz,
      primary key (incident_id, change_id)
    );
    create index incident_changes_change on incident_changes (change_id);
    create index incident_changes_judged on incident_changes (org_id, judged_at) where verdict is not null;

    -- what was made of the evidence, replaced with each look at it
    create table incident_analyses (
      org_id uuid not null references organizations,
      incident_id uuid primary key references incidents on delete cascade,
      causes jsonb not null default '[]',
      similar_incidents jsonb not null default '[]',
      metrics jsonb not null default '[]',
      -- what could not be looked at, sentences
      notes jsonb not null default '[]',
      analysed_at timestamptz not null default now()
    );

    -- 'alert=HighLatency', 'service=checkout', 'pattern=…', 'cause=db': what similar incidents share
    create table incident_traits (
      org_id uuid not null references organizations,
      trait text not null,
      incident_id uuid not null references incidents on delete cascade,
      primary key (org_id, trait, incident_id)
    );
    create index incident_traits_incident on incident_traits (incident_id);

    alter table incident_logs
      -- what they say of each service, for its being the cause
      add column services jsonb not null default '[]',
      -- when a source that failed is asked again; null: none failed, or it is not asked again
      add column retry_at timestamptz;

    create table log_sources (
      org_id uuid not null references organizations,
      name text not null,
      team_id uuid references teams,
      definition jsonb not null,
      updated_at timestamptz not null default now(),
      -- when it was last asked, and what it then said of itself or why it failed
      checked_at timestamptz,
      health text,
      error text,
      primary key (org_id, name)
    );
    create table log_templates (
      org_id uuid not null references organizations,
      name text not null,
      team_id uuid references teams,
      definition jsonb not null,
      updated_at timestamptz not null default now(),
      primary key (org_id, name)
    );

    -- links to one incident for people without an account
    create table incident_shares (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      incident_id uuid not null references incidents on delete cascade,
      token_hash bytea not null unique,
      created_by text not null,
      created_at timestamptz not null default now(),
      expires_at timestamptz not null,
      revoked_at timestamptz,
      opened integer not null default 0,
      last_opened_at timestamptz
    );
    create index incident_shares_incident on incident_shares (incident_id, created_at desc);
  `.execute(db);

  await sql`
    do $$
    declare
      t text;
    begin
      foreach t in array array['correlation_rules', 'correlation_memory', 'regroupings', 'services',
        'service_dependencies', 'spans', 'change_sources', 'changes', 'incident_changes', 'incident_analyses',
        'incident_traits', 'log_sources', 'log_templates', 'incident_shares'] loop
        execute format('alter table %I enable row level security', t);
        execute format('grant select, insert, update, delete on %I to holdfast_app', t);
        execute format(
          'create policy organization on %I using (org_id = nullif(current_setting(''app.org_id'', true), '''')::uuid)', t);
      end loop;
      foreach t in array array['correlation_rules', 'services', 'change_sources', 'changes', 'log_sources',
        'log_templates'] loop
        execute format(
          'create policy team on %I as restrictive using (
             team_id is null
             or coalesce(nullif(current_setting(''app.team_ids'', true), ''''), ''*'') = ''*''
             or team_id::text = any (string_to_array(current_setting(''app.team_ids'', true), '','')))', t);
      end loop;
    end $$;

    -- for a webhook, whose address names the source
    create function find_change_source(source uuid)
      returns table (org_id uuid, team_id uuid, kind text, secret text, mapping jsonb)
      language sql stable security definer set search_path = public, pg_temp as $$
      select s.org_id, s.team_id, s.kind, s.secret, s.mapping from change_sources s
      where s.id = source and s.removed_at is null
    $$;

    create function find_incident_share(hash bytea)
      returns table (org_id uuid, share_id uuid, incident_id uuid, expires_at timestamptz)
      language sql stable security definer set search_path = public, pg_temp as $$
      select s.org_id, s.id, s.incident_id, s.expires_at from incident_shares s
      where s.token_hash = hash and s.revoked_at is null and s.expires_at > now()
    $$;

    create function forget_old_spans(before timestamptz, batch integer)
      returns bigint
      language sql volatile security definer set search_path = public, pg_temp as $$
      with old as (select s.org_id, s.trace_id, s.span_id from spans s where s.received_at < before
        order by s.received_at limit batch),
      gone as (delete from spans s using old o
        where s.org_id = o.org_id and s.trace_id = o.trace_id and s.span_id = o.span_id returning 1)
      select count(*) from gone
    $$;

    -- with what was made of them, save those that people judged: they belong to their incidents
    create function forget_old_changes(before timestamptz, batch integer)
      returns bigint
      language sql volatile security definer set search_path = public, pg_temp as $$
      with old as (select c.id from changes c where c.received_at < before
        and not exists (select from incident_changes ic where ic.change_id = c.id and ic.verdict is not null)
        order by c.received_at limit batch),
      gone as (delete from changes c using old o where c.id = o.id returning 1)
      select count(*) from gone
    $$;

    -- learned edges that nothing has shown for long; what people declared stays
    create function forget_old_dependencies(before timestamptz)
      returns bigint
      language sql volatile security definer set search_path = public, pg_temp as $$
      with gone as (delete from service_dependencies where not declared and last_seen_at < before returning 1)
      select count(*) from gone
    $$;

    -- services that nobody declared, that nothing has shown for long and that no dependency names
    create function forget_old_services(before timestamptz)
      returns bigint
      language sql volatile security definer set search_path = public, pg_temp as $$
      with gone as (delete from services s where not s.declared and s.last_seen_at < before
        and not exists (select from service_dependencies d where d.org_id = s.org_id and d.caller = s.name)
        and not exists (select from service_dependencies d where d.org_id = s.org_id and d.callee = s.name)
        returning 1)
      select count(*) from gone
    $$;

    -- the rows of the feeds of incidents that were closed before, up to a batch of them; answers how many rows and
    -- feeds are gone. An alert that still fires is asked for what its incident was told.
    create function forget_old_feeds(before timestamptz, batch integer)
      returns bigint
      language plpgsql volatile security definer set search_path = public, pg_temp as $$
      declare
        gone bigint := 0;
        rows_gone bigint;
        old record;
      begin
        for old in select i.id from incidents i where i.closed_at < before and not i.feed_forgotten
            and not exists (select from alerts a where a.incident_id = i.id and a.status <> 'resolved')
          order by i.closed_at limit batch for no key update skip locked
        loop
          delete from incident_feed f using (
            select seq from incident_feed where incident_id = old.id order by seq limit batch - gone) first
            where f.incident_id = old.id and f.seq = first.seq;
          get diagnostics rows_gone = row_count;
          gone := gone + rows_gone;
          exit when gone >= batch;
          update incidents set feed_forgotten = true where id = old.id;
          gone := gone + 1;
          exit when gone >= batch;
        end loop;
        return gone;
      end
    $$;

    -- what people decided on alerts that did not come since, with what others remember of groups that are gone;
    -- answers how many were looked at
    create function forget_old_memory(before timestamptz, batch integer)
      returns bigint
      language plpgsql volatile security definer set search_path = public, pg_temp as $$
      declare
        looked_at bigint := 0;
        last_seen timestamptz;
        old record;
      begin
        for old in select * from correlation_memory m where m.seen_at < before
          order by m.seen_at limit batch for update skip locked
        loop
          looked_at := looked_at + 1;
          last_seen := greatest(
            old.decided_at,
            (select now() from alerts a where a.org_id = old.org_id and a.integration_id = old.integration_id
              and a.fingerprint = old.fingerprint and a.status <> 'resolved'),
            (select a.last_seen_at from alerts a where a.org_id = old.org_id and a.integration_id = old.integration_id
              and a.fingerprint = old.fingerprint and a.status = 'resolved' order by a.id desc limit 1));
          if last_seen >= before then
            update correlation_memory m set seen_at = last_seen, apart_from = array(
                select g from unnest(m.apart_from) g
                where exists (select from correlation_memory o where o.org_id = m.org_id and o.group_id = g))
              where m.org_id = old.org_id and m.integration_id = old.integration_id and m.fingerprint = old.fingerprint;
          else
            delete from correlation_memory m
              where m.org_id = old.org_id and m.integration_id = old.integration_id and m.fingerprint = old.fingerprint;
            if not exists (select from correlation_memory o where o.org_id = old.org_id and o.group_id = old.group_id) then
              update correlation_memory m set apart_from = array_remove(m.apart_from, old.group_id)
                where m.org_id = old.org_id and m.group_id = any(old.apart_from) and old.group_id = any(m.apart_from);
            end if;
          end if;
        end loop;
        return looked_at;
      end
    $$;

    -- a change that landed meanwhile stays due; rows are taken in the order in which the intake takes them
    create or replace function mark_dispatched(ids bigint[], versions bigint[])
      returns void
      language sql volatile security definer set search_path = public, pg_temp as $$
      with dispatched as materialized (
        select a.id, x.version
        from unnest(ids, versions) as x(id, version) join alerts a on a.id = x.id
        order by a.org_id, a.integration_id, a.fingerprint
        for no key update of a
      )
      update alerts a
      set dispatched_version = greatest(a.dispatched_version, d.version), dispatched_at = now(), claimed_until = null
      from dispatched d where a.id = d.id
    $$;

    -- the worst first; a feed that nobody owes rests the longer the more alerts it has, see feedRest
    create or replace function claim_unread_feeds(older_than interval, batch integer)
      returns table (org_id uuid, incident_id uuid, number integer)
      language sql volatile security definer set search_path = public, pg_temp as $$
      with owed as (
        select i.id from incidents i
        where i.feed_unread
          and i.feed_owed_since < now() - case when i.feed_owed_by is null
            then least(interval '8 seconds', interval '1 second' * (1 + i.alert_count / 50)) else older_than end
        order by i.severity_rank, i.feed_owed_since
        limit batch
        for update skip locked
      )
      update incidents i set feed_owed_since = now(), feed_owed_by = coalesce(i.feed_owed_by, 0)
      from owed where i.id = owed.id
      returning i.org_id, i.id, i.number
    $$;

    -- counted up to a limit, the oldest first; what was not seen for so long is not waited for. Workers of an older
    -- version do not say what they have seen: an alert that has its incident was, whatever its workflow says of it, and
    -- what else changes of it is waited for a fifth as long.
    create function outstanding_alerts(most integer, patience interval, late_after interval)
      returns table (under_way integer, late integer)
      language sql stable security definer set search_path = public, pg_temp as $$
      select count(*)::integer, (count(*) filter (where dispatched_at < now() - late_after))::integer from (
        select a.dispatched_at from alerts a
        where a.dispatched_version > a.seen_version and a.dispatched_at > now() - patience
          and (a.incident_id is null or (a.seen_version > 0 or a.dispatched_version > 1)
            and a.dispatched_at > now() - patience / 5)
        order by a.dispatched_at limit most
      ) counted
    $$;

    revoke execute on function find_change_source, find_incident_share, forget_old_spans, forget_old_changes,
      forget_old_dependencies,
      forget_old_services, forget_old_feeds, forget_old_memory, outstanding_alerts from public;
    grant execute on function find_change_source, find_incident_share, forget_old_spans, forget_old_changes,
      forget_old_dependencies,
      forget_old_services, forget_old_feeds, forget_old_memory, outstanding_alerts to holdfast_app;
  `.execute(db);
}
