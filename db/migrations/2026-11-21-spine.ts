import { type Kysely, sql } from 'kysely';

/**
 * Every table carries `org_id` and is under row-level security; what a team owns carries `team_id`.
 * The tables belong to the migrating user; the application works as `holdfast_app`, which owns nothing and
 * cannot bypass the policies. What must happen before the organization is known (a key, a session, a signed
 * link, the sweeper's claims) goes through the SECURITY DEFINER functions at the end, which return the least.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table organizations (
      org_id uuid primary key default gen_random_uuid(),
      slug text not null unique,
      name text not null,
      created_at timestamptz not null default now(),
      next_incident_number integer not null default 1
    );

    create table teams (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      slug text not null,
      name text not null,
      -- label name -> glob; an incident whose alert matches all of them belongs to the team
      match jsonb not null default '{}',
      created_at timestamptz not null default now(),
      unique (org_id, slug)
    );

    create table users (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      email text not null,
      name text not null,
      password_hash text,
      created_at timestamptz not null default now(),
      disabled_at timestamptz,
      unique (org_id, email)
    );

    -- team_id null: the role in the whole organization
    create table memberships (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      user_id uuid not null references users on delete cascade,
      team_id uuid references teams on delete cascade,
      role text not null check (role in ('viewer', 'operator', 'admin', 'owner')),
      unique nulls not distinct (user_id, team_id)
    );

    create table sessions (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      user_id uuid not null references users on delete cascade,
      token_hash bytea not null unique,
      csrf_token text not null,
      user_agent text not null default '',
      created_at timestamptz not null default now(),
      last_seen_at timestamptz not null default now(),
      expires_at timestamptz not null
    );

    create table api_tokens (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      user_id uuid not null references users on delete cascade,
      name text not null,
      token_hash bytea not null unique,
      created_at timestamptz not null default now(),
      last_used_at timestamptz,
      revoked_at timestamptz
    );

    create table sign_in_links (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      user_id uuid not null references users on delete cascade,
      token_hash bytea not null unique,
      created_at timestamptz not null default now(),
      expires_at timestamptz not null,
      used_at timestamptz
    );

    -- the keys that sign links in mails; the newest that is not retired signs, all that are not retired verify
    create table signing_keys (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      secret bytea not null,
      created_at timestamptz not null default now(),
      retired_at timestamptz
    );

    create table used_links (
      org_id uuid not null references organizations,
      nonce text not null,
      used_at timestamptz not null default now(),
      primary key (org_id, nonce)
    );

    create table integrations (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      team_id uuid references teams,
      kind text not null check (kind in ('alertmanager')),
      name text not null,
      key_hash bytea not null unique,
      -- how often the sender repeats a firing alert: staleness counts from it
      resend_interval_ms bigint not null default 14400000,
      alertmanager_url text,
      created_at timestamptz not null default now(),
      last_seen_at timestamptz,
      revoked_at timestamptz,
      resolves_ignored bigint not null default 0,
      unique (org_id, name)
    );

    create table settings (
      org_id uuid not null references organizations,
      key text not null,
      value jsonb not null,
      updated_at timestamptz not null default now(),
      primary key (org_id, key)
    );

    create table incidents (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      team_id uuid references teams,
      number integer not null,
      title text not null,
      status text not null default 'created'
        check (status in ('created', 'investigating', 'root_cause_found', 'mitigated', 'resolved', 'false_positive')),
      severity text not null check (severity in ('critical', 'high', 'warning', 'low', 'info')),
      severity_rank smallint not null,
      service text,
      labels jsonb not null default '{}',
      opened_at timestamptz not null default now(),
      last_alert_at timestamptz not null default now(),
      acknowledged_at timestamptz,
      acknowledged_by text,
      assigned_to text,
      snoozed_until timestamptz,
      resolved_at timestamptz,
      resolved_by text,
      closed_at timestamptz,
      alert_count integer not null default 0,
      firing_count integer not null default 0,
      truncated_count integer not null default 0,
      -- the change feed that the incident's workflow reads: seq is minted under this row's lock
      feed_seq bigint not null default 0,
      feed_unread boolean not null default false,
      feed_read_at timestamptz,
      -- who owes the signal that the feed is unread, and since when: the sweeper sends it in their stead;
      -- null: nobody, for it was read just before, and the sweeper signals once for all that comes meanwhile
      feed_owed_by bigint,
      feed_owed_since timestamptz,
      -- what the workflow has said of itself: the projection of its event number recorded_seq
      recorded_seq bigint not null default 0,
      escalation_policy text,
      deadlines jsonb not null default '[]',
      unique (org_id, number)
    );
    create index incidents_open on incidents (org_id, opened_at desc) where closed_at is null;
    create index incidents_list on incidents (org_id, number desc);
    create index incidents_active on incidents (org_id, number desc) where resolved_at is null;
    create index incidents_status on incidents (org_id, status, number desc);
    create index incidents_severity on incidents (org_id, severity, number desc);
    create index incidents_service on incidents (org_id, service, number desc);
    create index incidents_opened on incidents (org_id, opened_at);
    create index incidents_acknowledged on incidents (org_id, acknowledged_at) where acknowledged_at is not null;
    create index incidents_resolved on incidents (org_id, resolved_at) where resolved_at is not null;
    create index incidents_owed on incidents (feed_owed_since) where feed_unread;

    -- the words that an incident is found by, kept by the trigger incident_words: an index on plain words
    -- serves a search under row-level security, where ILIKE, trigrams and full text are kept from theirs
    -- because their operators are not leakproof
    create table incident_words (
      org_id uuid not null references organizations,
      word text collate "C" not null,
      number integer not null,
      primary key (org_id, word, number),
      foreign key (org_id, number) references incidents (org_id, number) on delete cascade
    );
    create index incident_words_incident on incident_words (org_id, number, word);

    -- what new alerts are matched against, while the incident can be joined: 'service=checkout', 'fingerprint=…'
    create table incident_keys (
      org_id uuid not null references organizations,
      key text not null,
      incident_id uuid not null references incidents on delete cascade,
      primary key (org_id, key, incident_id)
    );
    create index incident_keys_incident on incident_keys (incident_id);

    -- one row is one episode: from the first firing to its resolve
    create table alerts (
      org_id uuid not null references organizations,
      id bigint generated always as identity primary key,
      team_id uuid references teams,
      integration_id uuid not null references integrations,
      fingerprint text not null,
      status text not null check (status in ('firing', 'stale', 'resolved')),
      name text not null,
      severity text not null check (severity in ('critical', 'high', 'warning', 'low', 'info')),
      severity_rank smallint not null,
      service text,
      labels jsonb not null,
      annotations jsonb not null,
      generator_url text,
      -- the sender's clock: shown, never a key and never the base of a deadline
      starts_at timestamptz not null,
      ends_at timestamptz,
      -- the database's clock
      received_at timestamptz not null default now(),
      last_seen_at timestamptz not null default now(),
      resolved_at timestamptz,
      occurrences integer not null default 1,
      truncated integer not null default 0,
      version bigint not null default 1,
      dispatched_version bigint not null default 0,
      claimed_until timestamptz,
      incident_id uuid references incidents,
      correlation_reason text
    );
    create unique index alerts_open_episode on alerts (org_id, integration_id, fingerprint) where status <> 'resolved';
    create index alerts_closed_episode on alerts (org_id, integration_id, fingerprint, id desc) where status = 'resolved';
    create index alerts_due on alerts (severity_rank, id) where version > dispatched_version;
    create index alerts_incident on alerts (incident_id, id);
    create index alerts_received on alerts (org_id, received_at);

    create table incident_feed (
      org_id uuid not null references organizations,
      incident_id uuid not null references incidents on delete cascade,
      seq bigint not null,
      kind text not null check (kind in ('joined', 'resolved', 'stale', 'firing', 'updated')),
      alert_id bigint not null,
      alert_version bigint not null,
      at timestamptz not null default now(),
      primary key (incident_id, seq),
      unique (incident_id, alert_id, alert_version, kind)
    );

    create table timeline (
      org_id uuid not null references organizations,
      id bigint generated always as identity primary key,
      incident_id uuid not null references incidents on delete cascade,
      at timestamptz not null default now(),
      kind text not null,
      actor text not null,
      summary text not null,
      data jsonb not null default '{}',
      dedup_key text not null,
      unique (incident_id, dedup_key)
    );
    create index timeline_incident on timeline (incident_id, at, id);

    create table incident_logs (
      org_id uuid not null references organizations,
      incident_id uuid primary key references incidents on delete cascade,
      source text not null,
      query jsonb not null,
      link text,
      total integer not null,
      patterns jsonb not null,
      stack_traces jsonb not null,
      lines jsonb not null,
      error text,
      fetched_at timestamptz not null default now()
    );

    create table sla_clocks (
      org_id uuid not null references organizations,
      incident_id uuid not null references incidents on delete cascade,
      kind text not null check (kind in ('acknowledge', 'resolve')),
      policy text not null,
      started_at timestamptz not null,
      at_risk_at timestamptz not null,
      due_at timestamptz not null,
      state text not null check (state in ('running', 'at_risk', 'met', 'breached', 'paused')),
      ended_at timestamptz,
      primary key (incident_id, kind)
    );
    -- reports count a clock in the period in which it was decided: breached at due_at, met at ended_at
    create index sla_clocks_due on sla_clocks (org_id, due_at) where state = 'breached';
    create index sla_clocks_met on sla_clocks (org_id, ended_at) where state = 'met';

    create table runbooks (
      org_id uuid not null references organizations,
      name text not null,
      team_id uuid references teams,
      version integer not null,
      file text not null,
      source text not null,
      definition jsonb not null,
      loaded_at timestamptz not null default now(),
      removed_at timestamptz,
      primary key (org_id, name)
    );
    create table runbook_versions (
      org_id uuid not null references organizations,
      name text not null,
      version integer not null,
      source text not null,
      definition jsonb not null,
      loaded_at timestamptz not null default now(),
      primary key (org_id, name, version)
    );
    -- files that could not be read: the last good version stays in runbooks
    create table runbook_problems (
      org_id uuid not null references organizations,
      file text not null,
      line integer not null,
      col integer not null,
      message text not null,
      found_at timestamptz not null default now(),
      primary key (org_id, file, line, col, message)
    );

    create table executions (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      team_id uuid references teams,
      runbook text not null,
      runbook_version integer not null,
      incident_id uuid references incidents,
      requested_by text not null,
      mode text not null check (mode in ('manual', 'semi_auto', 'auto')),
      target text not null,
      inputs jsonb not null,
      status text not null
        check (status in ('waiting', 'running', 'succeeded', 'failed', 'rolled_back', 'rollback_failed', 'cancelled')),
      status_reason text,
      created_at timestamptz not null default now(),
      started_at timestamptz,
      finished_at timestamptz,
      workflow_id text not null,
      recorded_seq bigint not null default 0
    );
    create index executions_list on executions (org_id, created_at desc);
    create index executions_runbook on executions (org_id, runbook, created_at desc);
    create index executions_incident on executions (incident_id, created_at);
    create index executions_running on executions (org_id) where finished_at is null;

    create table execution_steps (
      org_id uuid not null references organizations,
      execution_id uuid not null references executions on delete cascade,
      index integer not null,
      name text not null,
      type text not null,
      -- what will be or was done, in words, with secrets masked
      description text not null,
      status text not null check (status in ('pending', 'running', 'succeeded', 'failed', 'skipped', 'cancelled')),
      attempts integer not null default 0,
      started_at timestamptz,
      finished_at timestamptz,
      output text not null default '',
      error text,
      rollback_description text,
      rollback_status text
        check (rollback_status in ('registered', 'running', 'succeeded', 'failed')),
      rollback_attempts integer not null default 0,
      rollback_started_at timestamptz,
      rollback_finished_at timestamptz,
      rollback_output text not null default '',
      rollback_error text,
      primary key (execution_id, index)
    );

    -- one remediation per target at a time
    create table target_locks (
      org_id uuid not null references organizations,
      target text not null,
      execution_id uuid not null references executions on delete cascade,
      acquired_at timestamptz not null default now(),
      primary key (org_id, target)
    );

    create table approvals (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      team_id uuid references teams,
      execution_id uuid not null references executions on delete cascade,
      incident_id uuid references incidents,
      runbook text not null,
      requested_by text not null,
      requested_at timestamptz not null,
      expires_at timestamptz not null,
      required integer not null default 1,
      status text not null check (status in ('pending', 'approved', 'rejected', 'expired', 'withdrawn')),
      decided_at timestamptz,
      reason text,
      workflow_id text not null
    );
    create index approvals_list on approvals (org_id, requested_at desc);
    create index approvals_status on approvals (org_id, status, requested_at desc);
    create index approvals_execution on approvals (execution_id);
    create index approvals_incident on approvals (incident_id);
    create table approval_votes (
      org_id uuid not null references organizations,
      approval_id uuid not null references approvals on delete cascade,
      person text not null,
      decision text not null check (decision in ('approve', 'reject')),
      via text not null,
      reason text,
      at timestamptz not null,
      primary key (approval_id, person)
    );

    create table escalation_policies (
      org_id uuid not null references organizations,
      name text not null,
      team_id uuid references teams,
      definition jsonb not null,
      updated_at timestamptz not null default now(),
      primary key (org_id, name)
    );
    create table sla_policies (
      org_id uuid not null references organizations,
      name text not null,
      team_id uuid references teams,
      position integer not null,
      definition jsonb not null,
      updated_at timestamptz not null default now(),
      primary key (org_id, name)
    );
    create table notification_channels (
      org_id uuid not null references organizations,
      name text not null,
      team_id uuid references teams,
      definition jsonb not null,
      updated_at timestamptz not null default now(),
      primary key (org_id, name)
    );

    -- the ledger: an effect outside is 'started' here before it begins, under a key minted once
    create table side_effects (
      org_id uuid not null references organizations,
      key text not null,
      kind text not null,
      status text not null check (status in ('started', 'succeeded', 'failed')),
      attempts integer not null default 1,
      started_at timestamptz not null default now(),
      finished_at timestamptz,
      detail jsonb not null default '{}',
      primary key (org_id, key)
    );

    -- steps whose outcome nobody has written down: their processes are ended before anything else runs
    create index side_effects_open_steps on side_effects (org_id, (detail->>'executionId'))
      where kind = 'step' and status = 'started';

    create table notifications (
      org_id uuid not null references organizations,
      id bigint generated always as identity primary key,
      key text not null,
      type text not null,
      incident_id uuid references incidents on delete cascade,
      execution_id uuid references executions on delete cascade,
      channel text not null,
      destination text not null,
      subject text not null,
      -- skipped: by then there was nothing to say, and the error column says why
      status text not null check (status in ('started', 'sent', 'failed', 'skipped')),
      attempts integer not null default 1,
      error text,
      created_at timestamptz not null default now(),
      finished_at timestamptz,
      unique (org_id, key)
    );
    create index notifications_incident on notifications (incident_id, id);
    create index notifications_created on notifications (org_id, created_at);

    create table logs (
      org_id uuid not null references organizations,
      id bigint generated always as identity primary key,
      at timestamptz not null,
      service text not null,
      host text,
      level text not null,
      message text not null,
      labels jsonb not null default '{}'
    );
    create index logs_service on logs (org_id, service, at);
    create index logs_host on logs (org_id, host, at);
    create index logs_at on logs (at);

    create table audit_log (
      org_id uuid not null references organizations,
      id bigint generated always as identity primary key,
      at timestamptz not null default now(),
      actor text not null,
      action text not null,
      subject text not null,
      data jsonb not null default '{}'
    );
    create index audit_log_list on audit_log (org_id, id desc);

    create table reports (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      -- minted by the workflow that asks for it: building it again finds the row that stands
      key text not null default gen_random_uuid()::text,
      kind text not null check (kind in ('sla', 'capacity')),
      period_start timestamptz not null,
      period_end timestamptz not null,
      subject text not null,
      html text not null,
      text text not null,
      data jsonb not null,
      recipients text[] not null,
      requested_by text not null,
      created_at timestamptz not null default now(),
      sent_at timestamptz,
      unique (org_id, key)
    );
    create index reports_list on reports (org_id, created_at desc, id desc);
  `.execute(db);

  await sql`
    do $$
    begin
      -- a user who may not create roles can be given one that somebody else made
      if not exists (select from pg_roles where rolname = 'holdfast_app') then
        create role holdfast_app nologin noinherit nobypassrls;
      end if;
    exception when duplicate_object or unique_violation then null;
    end $$;

    do $$
    declare
      t text;
      owned boolean;
    begin
      begin
        execute format('grant holdfast_app to %I', current_user);
      exception when insufficient_privilege then
        if not pg_has_role(current_user, 'holdfast_app', 'member') then
          raise;
        end if;
      end;
      for t in select tablename from pg_tables where schemaname = 'public' and tablename not like 'kysely_%' loop
        execute format('alter table %I enable row level security', t);
        execute format('grant select, insert, update, delete on %I to holdfast_app', t);
        execute format(
          'create policy organization on %I using (org_id = nullif(current_setting(''app.org_id'', true), '''')::uuid)', t);
        select exists (
          select 1 from information_schema.columns
          where table_schema = 'public' and table_name = t and column_name = 'team_id') into owned;
        if owned then
          -- app.team_ids: '*' or unset for the whole organization, else the member's teams, comma-separated
          execute format(
            'create policy team on %I as restrictive using (
               team_id is null
               or coalesce(nullif(current_setting(''app.team_ids'', true), ''''), ''*'') = ''*''
               or team_id::text = any (string_to_array(current_setting(''app.team_ids'', true), '','')))', t);
        end if;
      end loop;
      grant usage on schema public to holdfast_app;
    end $$;

    -- history that people rely on is appended, never rewritten
    revoke update, delete on audit_log from holdfast_app;
    revoke insert, update, delete on organizations from holdfast_app;
    grant update (next_incident_number) on organizations to holdfast_app;
  `.execute(db);

  await sql`
    create function find_ingest_key(hash bytea)
      returns table (org_id uuid, integration_id uuid)
      language sql stable security definer set search_path = public, pg_temp as $$
      select i.org_id, i.id from integrations i where i.key_hash = hash and i.revoked_at is null
    $$;

    create function find_session(hash bytea)
      returns table (org_id uuid, session_id uuid, user_id uuid, csrf_token text)
      language sql stable security definer set search_path = public, pg_temp as $$
      select s.org_id, s.id, s.user_id, s.csrf_token
      from sessions s join users u on u.id = s.user_id
      where s.token_hash = hash and s.expires_at > now() and u.disabled_at is null
    $$;

    create function find_api_token(hash bytea)
      returns table (org_id uuid, token_id uuid, user_id uuid)
      language sql stable security definer set search_path = public, pg_temp as $$
      select t.org_id, t.id, t.user_id
      from api_tokens t join users u on u.id = t.user_id
      where t.token_hash = hash and t.revoked_at is null and u.disabled_at is null
    $$;

    -- by mail address for a password sign-in; the hash is compared in the application
    create function find_sign_in(address text)
      returns table (org_id uuid, user_id uuid, password_hash text)
      language sql stable security definer set search_path = public, pg_temp as $$
      select u.org_id, u.id, u.password_hash from users u
      where u.email = lower(address) and u.password_hash is not null and u.disabled_at is null
    $$;

    create function find_sign_in_link(hash bytea)
      returns table (org_id uuid, link_id uuid, user_id uuid)
      language sql stable security definer set search_path = public, pg_temp as $$
      select l.org_id, l.id, l.user_id from sign_in_links l
      where l.token_hash = hash and l.used_at is null and l.expires_at > now()
    $$;

    create function find_signing_key(key_id uuid)
      returns table (org_id uuid, secret bytea)
      language sql stable security definer set search_path = public, pg_temp as $$
      select k.org_id, k.secret from signing_keys k where k.id = key_id and k.retired_at is null
    $$;

    -- the first start makes the first organization; a name that is taken is left as it is
    create function create_organization(org_slug text, org_name text)
      returns table (org_id uuid, created boolean)
      language plpgsql volatile security definer set search_path = public, pg_temp as $$
      #variable_conflict use_column
      begin
        perform pg_advisory_xact_lock(hashtext('create_organization'), hashtext(org_slug));
        insert into organizations (slug, name) values (org_slug, org_name) on conflict (slug) do nothing;
        return query select o.org_id, o.xmin = pg_current_xact_id()::xid from organizations o where o.slug = org_slug;
      end
    $$;

    -- 'HighCpuUsage on checkout' -> highcpuusage, high, cpu, usage, on, checkout
    create function split_words(phrase text)
      returns setof text
      language sql immutable as $$
      select distinct left(w, 64) from unnest(
        regexp_split_to_array(lower(phrase), '[^[:alnum:]]+')
        || regexp_split_to_array(
             lower(regexp_replace(phrase, '([[:lower:][:digit:]])([[:upper:]])', '\\1 \\2', 'g')), '[^[:alnum:]]+')
      ) as w where w <> '' limit 64
    $$;

    create function keep_incident_words()
      returns trigger
      language plpgsql as $$
      begin
        if tg_op = 'UPDATE' then
          if new.title = old.title and new.service is not distinct from old.service then
            return null;
          end if;
          delete from incident_words where org_id = new.org_id and number = new.number;
        end if;
        insert into incident_words (org_id, word, number)
        select distinct new.org_id, w, new.number
        from (select split_words(new.title || ' ' || coalesce(new.service, '')) as w union select new.number::text) s;
        return null;
      end
    $$;
    create trigger incident_words after insert or update of title, service on incidents
      for each row execute function keep_incident_words();

    create function list_organizations()
      returns table (org_id uuid, slug text, name text)
      language sql stable security definer set search_path = public, pg_temp as $$
      select o.org_id, o.slug, o.name from organizations o order by o.created_at
    $$;

    -- the sweeper's claim: worst severity first, then oldest; a claim lapses by itself
    create function claim_due_alerts(batch integer, lease interval)
      returns table (org_id uuid, id bigint, version bigint, dispatched_version bigint, severity_rank smallint)
      language sql volatile security definer set search_path = public, pg_temp as $$
      with due as (
        select a.id from alerts a
        where a.version > a.dispatched_version and (a.claimed_until is null or a.claimed_until < now())
        order by a.severity_rank, a.id
        limit batch
        for update skip locked
      )
      update alerts a set claimed_until = now() + lease
      from due where a.id = due.id
      returning a.org_id, a.id, a.version, a.dispatched_version, a.severity_rank
    $$;

    -- a change that landed meanwhile stays due; rows are taken in the order in which the intake takes them
    create function mark_dispatched(ids bigint[], versions bigint[])
      returns void
      language sql volatile security definer set search_path = public, pg_temp as $$
      with dispatched as materialized (
        select a.id, x.version
        from unnest(ids, versions) as x(id, version) join alerts a on a.id = x.id
        order by a.org_id, a.integration_id, a.fingerprint
        for no key update of a
      )
      update alerts a
      set dispatched_version = greatest(a.dispatched_version, d.version), claimed_until = null
      from dispatched d where a.id = d.id
    $$;

    create function claim_unread_feeds(older_than interval, batch integer)
      returns table (org_id uuid, incident_id uuid, number integer)
      language sql volatile security definer set search_path = public, pg_temp as $$
      with owed as (
        select i.id from incidents i
        where i.feed_unread
          and i.feed_owed_since < now() - case when i.feed_owed_by is null then interval '1 second' else older_than end
        order by i.feed_owed_since
        limit batch
        for update skip locked
      )
      update incidents i set feed_owed_since = now(), feed_owed_by = coalesce(i.feed_owed_by, 0)
      from owed where i.id = owed.id
      returning i.org_id, i.id, i.number
    $$;

    create function dispatch_gauges()
      returns table (due bigint, oldest_seconds double precision, unread_feeds bigint)
      language sql stable security definer set search_path = public, pg_temp as $$
      select count(*), coalesce(extract(epoch from now() - min(a.last_seen_at)), 0)::double precision,
        (select count(*) from incidents i where i.feed_unread)
      from alerts a where a.version > a.dispatched_version
    $$;

    -- what says that it runs, for the reconciler to compare with Temporal: one kind, page by page in order of ids
    create function running_rows(wanted text, after_id text, batch integer)
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
      ) r
      where r.id > after_id
      order by r.id
      limit batch
    $$;

    create function forget_old_logs(before timestamptz, batch integer)
      returns bigint
      language sql volatile security definer set search_path = public, pg_temp as $$
      with old as (select id from logs where at < before order by at limit batch),
      gone as (delete from logs l using old where l.id = old.id returning 1)
      select count(*) from gone
    $$;

    do $$
    declare f text;
    begin
      foreach f in array array[
        'find_ingest_key(bytea)', 'find_session(bytea)', 'find_api_token(bytea)', 'find_sign_in(text)',
        'find_sign_in_link(bytea)', 'find_signing_key(uuid)', 'list_organizations()',
        'create_organization(text, text)',
        'claim_due_alerts(integer, interval)', 'mark_dispatched(bigint[], bigint[])',
        'claim_unread_feeds(interval, integer)', 'dispatch_gauges()', 'running_rows(text, text, integer)',
        'forget_old_logs(timestamptz, integer)'
      ] loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to holdfast_app', f);
      end loop;
    end $$;
  `.execute(db);
}
