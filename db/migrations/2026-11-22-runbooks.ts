import { type Kysely, sql } from 'kysely';

/** Runbooks that may act on production: layouts, approvals in mid-run, safety, Git sources, runners. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table executions
      -- domain/runbook/layout.ts: what it runs, fixed when it was asked for
      add column layout jsonb,
      add column environment text,
      -- the execution that this one goes on from, and the step that it begins with
      add column retry_of uuid references executions,
      add column retry_from integer,
      -- when the limits let it act: what actions per hour are counted by
      add column admitted_at timestamptz,
      -- the next running timer, and what happens at its end
      add column next_at timestamptz,
      add column next_what text;
    update executions e set layout = jsonb_build_object(
      'scopes', jsonb_build_array(jsonb_build_object(
        'runbook', e.runbook, 'version', e.runbook_version, 'values', e.inputs, 'secretReferences', '{}'::jsonb,
        'secretInputs', coalesce((
          select jsonb_agg(i.key) from jsonb_each(v.definition->'inputs') i
          where coalesce((i.value->>'secret')::boolean, false)), '[]'),
        'allowedHosts', v.definition->'execution'->'allowedHosts')),
      'steps', (
        select jsonb_agg(jsonb_build_object('scope', 0, 'name', s.value->>'name', 'part', 'step',
          'definition', s.value || '{"conditions": []}') order by s.ordinality)
        from jsonb_array_elements(v.definition->'steps') with ordinality s))
    from runbook_versions v
    where v.org_id = e.org_id and v.name = e.runbook and v.version = e.runbook_version;
    update executions set admitted_at = started_at;
    create index executions_admitted on executions (org_id, admitted_at) where admitted_at is not null;
    create index executions_target on executions (org_id, runbook, target, finished_at desc);
    create index executions_on_target on executions (org_id, target, created_at desc);
    create index executions_status on executions (org_id, status, created_at desc);
    create index executions_retry on executions (retry_of) where retry_of is not null;

    alter table execution_steps
      add column part text not null default 'step' check (part in ('step', 'verify')),
      add column runner text,
      -- a crash left open how an attempt of it ended
      add column outcome_unknown boolean not null default false,
      -- of a failed undo: what a person decided, who and why
      add column rollback_decision text check (rollback_decision in ('retry', 'skip')),
      add column rollback_decided_by text,
      add column rollback_decision_reason text;
    alter table execution_steps drop constraint execution_steps_rollback_status_check;
    alter table execution_steps add constraint execution_steps_rollback_status_check
      -- waiting: it failed and waits for a person; skipped: a person left it undone
      check (rollback_status in ('registered', 'running', 'succeeded', 'failed', 'waiting', 'skipped'));

    alter table approvals
      -- null: before the first step
      add column step_index integer,
      add column message text not null default '',
      add column role text not null default 'operator' check (role in ('viewer', 'operator', 'admin', 'owner')),
      add column teams text[] not null default '{}',
      add column not_requester boolean not null default false,
      add column on_timeout text not null default 'expire' check (on_timeout in ('expire', 'escalate')),
      -- levels of the escalation policy that were asked so far
      add column level integer not null default 1;

    -- who waits for a target, in this order
    create table target_queue (
      org_id uuid not null references organizations,
      target text not null,
      execution_id uuid not null references executions on delete cascade,
      queued_at timestamptz not null default clock_timestamp(),
      primary key (execution_id, target)
    );
    create index target_queue_order on target_queue (org_id, target, queued_at, execution_id);

    -- domain/safety/rules.ts; name: slug of the team, name of the runbook, glob over targets; '' for the organization
    create table safety_rules (
      org_id uuid not null references organizations,
      scope text not null check (scope in ('organization', 'team', 'runbook', 'target')),
      name text not null,
      definition jsonb not null,
      updated_at timestamptz not null default now(),
      updated_by text not null,
      primary key (org_id, scope, name)
    );

    -- the kill switch: in force while it is not lifted; team_id null: all automation of the organization
    create table automation_stops (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      team_id uuid references teams,
      stopped_at timestamptz not null default now(),
      stopped_by text not null,
      reason text not null,
      lifted_at timestamptz,
      lifted_by text,
      -- executions that were running then and go on because a person said so
      goes_on uuid[] not null default '{}'
    );
    create unique index automation_stops_in_force on automation_stops (org_id, team_id) nulls not distinct
      where lifted_at is null;
    create index automation_stops_list on automation_stops (org_id, stopped_at desc);

    -- a person has looked at why a runbook failed again and again on a target, and lets it run again
    create table circuit_resets (
      org_id uuid not null references organizations,
      runbook text not null,
      target text not null,
      reset_at timestamptz not null default now(),
      reset_by text not null,
      reason text not null,
      primary key (org_id, runbook, target)
    );

    -- automation keeps its hands off what 'target' (a glob over targets) matches
    create table maintenance_windows (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      team_id uuid references teams,
      target text not null,
      starts_at timestamptz not null,
      ends_at timestamptz not null check (ends_at > starts_at),
      reason text not null,
      created_at timestamptz not null default now(),
      created_by text not null
    );
    create index maintenance_windows_ends on maintenance_windows (org_id, ends_at);

    create table runners (
      org_id uuid not null references organizations,
      queue text not null,
      -- host and process id, for people
      instance text not null,
      version text not null,
      started_at timestamptz not null,
      last_seen_at timestamptz not null default now(),
      primary key (org_id, queue, instance)
    );
    create table runner_tokens (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      queue text not null,
      name text not null,
      token_hash bytea not null unique,
      created_at timestamptz not null default now(),
      created_by text not null,
      last_used_at timestamptz,
      revoked_at timestamptz
    );
    create index runner_tokens_list on runner_tokens (org_id, queue);

    create table git_sources (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      team_id uuid references teams,
      -- '': its runbooks carry their own names; otherwise they are called 'environment:name'
      environment text not null default '',
      url text not null,
      branch text not null,
      path text not null default '',
      -- a secret reference: a password or token for https, a private key for ssh
      credential text,
      webhook_secret text not null,
      interval_ms bigint not null,
      -- of the newest import that was taken over
      imported_commit text,
      imported_at timestamptz,
      -- of the newest look at the branch
      checked_commit text,
      checked_at timestamptz,
      -- why the newest look failed
      error text,
      created_at timestamptz not null default now(),
      created_by text not null,
      removed_at timestamptz
    );
    create unique index git_sources_environment on git_sources (org_id, environment) where removed_at is null;
    create table git_imports (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      source_id uuid not null references git_sources on delete cascade,
      commit text not null,
      author text not null,
      author_email text not null,
      committed_at timestamptz not null,
      subject text not null,
      status text not null check (status in ('imported', 'refused')),
      -- [{file, line, col, message}] of a refused one
      problems jsonb not null default '[]',
      -- {added, changed, removed}: names of runbooks
      changes jsonb not null default '{}',
      at timestamptz not null default now(),
      unique (source_id, commit)
    );
    create index git_imports_list on git_imports (source_id, at desc);

    alter table runbooks
      add column environment text not null default '',
      -- null: from the folder
      add column source_id uuid references git_sources,
      -- the newest good version; version, source and definition are those in force
      add column latest_version integer,
      add column pinned_at timestamptz,
      add column pinned_by text;
    update runbooks set latest_version = version;
    alter table runbooks alter column latest_version set not null;
    alter table runbook_versions
      add column commit text,
      add column author text,
      add column committed_at timestamptz;

    create function pg_temp.in_new_words(definition jsonb) returns jsonb language sql as $$
      select definition || jsonb_build_object(
        'verify', '[]'::jsonb,
        'execution', (definition->'execution') - 'approvalsNeeded' - 'approvalTimeoutMs' || jsonb_build_object(
          'environments', '[]'::jsonb,
          'approval', jsonb_build_object('needed', definition->'execution'->'approvalsNeeded', 'role', 'operator',
            'teams', '[]'::jsonb, 'notRequester', false,
            'timeoutMs', definition->'execution'->'approvalTimeoutMs', 'onTimeout', 'expire')),
        'inputs', coalesce((
          select jsonb_object_agg(i.key, i.value || '{"type": "text"}') from jsonb_each(definition->'inputs') i), '{}'),
        'steps', (
          select jsonb_agg(s.value || '{"conditions": []}' order by s.ordinality)
          from jsonb_array_elements(definition->'steps') with ordinality s))
    $$;
    update runbooks set definition = pg_temp.in_new_words(definition);
    update runbook_versions set definition = pg_temp.in_new_words(definition);
  `.execute(db);

  await sql`
    do $$
    declare
      t text;
    begin
      foreach t in array array['target_queue', 'safety_rules', 'automation_stops', 'circuit_resets',
        'maintenance_windows', 'runners', 'runner_tokens', 'git_sources', 'git_imports'] loop
        execute format('alter table %I enable row level security', t);
        execute format('grant select, insert, update, delete on %I to holdfast_app', t);
        execute format(
          'create policy organization on %I using (org_id = nullif(current_setting(''app.org_id'', true), '''')::uuid)', t);
      end loop;
      foreach t in array array['automation_stops', 'maintenance_windows', 'git_sources'] loop
        execute format(
          'create policy team on %I as restrictive using (
             team_id is null
             or coalesce(nullif(current_setting(''app.team_ids'', true), ''''), ''*'') = ''*''
             or team_id::text = any (string_to_array(current_setting(''app.team_ids'', true), '','')))', t);
      end loop;
    end $$;

    create function find_runner_token(hash bytea)
      returns table (org_id uuid, token_id uuid, queue text)
      language sql stable security definer set search_path = public, pg_temp as $$
      select t.org_id, t.id, t.queue from runner_tokens t where t.token_hash = hash and t.revoked_at is null
    $$;

    -- for a webhook, whose address names the source
    create function find_git_source(source uuid)
      returns table (org_id uuid, branch text, webhook_secret text)
      language sql stable security definer set search_path = public, pg_temp as $$
      select s.org_id, s.branch, s.webhook_secret from git_sources s where s.id = source and s.removed_at is null
    $$;

    revoke execute on function find_runner_token, find_git_source from public;
    grant execute on function find_runner_token, find_git_source to holdfast_app;
  `.execute(db);
}
