import { type Kysely, sql } from 'kysely';

/**
 * The right person, once: who is on call and how they are reached, rules of notification, silences, limits of
 * destinations, chat, calendars of SLAs, SLOs, and why each message was sent.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    -- in the addresses to which vendors send what people did there
    alter table notification_channels
      add column id uuid not null default gen_random_uuid() unique,
      -- when something was last sent or asked there, and what it said, or why it failed
      add column checked_at timestamptz,
      add column health text,
      add column error text;

    alter table users
      -- IANA name; null: the organization's
      add column time_zone text,
      -- how to reach the person, first match wins; empty: a mail at once
      add column contact_rules jsonb not null default '[]';

    -- who somebody is to a vendor
    create table user_identities (
      org_id uuid not null references organizations,
      user_id uuid not null references users on delete cascade,
      provider text not null check (provider in ('slack', 'teams', 'pagerduty')),
      external_id text not null,
      -- for people: how they are called there
      name text not null default '',
      linked_at timestamptz not null default now(),
      primary key (org_id, provider, external_id)
    );
    create index user_identities_user on user_identities (user_id);

    -- what a person at a vendor is given, for a person signed in here to say 'that is me'; works once
    create table identity_link_codes (
      org_id uuid not null references organizations,
      code_hash bytea not null,
      provider text not null check (provider in ('slack', 'teams', 'pagerduty')),
      external_id text not null,
      name text not null default '',
      expires_at timestamptz not null,
      primary key (org_id, code_hash)
    );
    create index identity_link_codes_expiry on identity_link_codes (expires_at);

    create table on_call_schedules (
      org_id uuid not null references organizations,
      name text not null,
      team_id uuid references teams,
      definition jsonb not null,
      updated_at timestamptz not null default now(),
      primary key (org_id, name)
    );
    create table on_call_overrides (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      schedule text not null,
      -- who takes over; mail address
      person text not null,
      -- whose shifts are taken over; null: everybody's
      instead_of text,
      starts_at timestamptz not null,
      ends_at timestamptz not null,
      reason text not null default '',
      created_by text not null,
      created_at timestamptz not null default now(),
      check (ends_at > starts_at),
      foreign key (org_id, schedule) references on_call_schedules (org_id, name) on delete cascade
    );
    create index on_call_overrides_schedule on on_call_overrides (org_id, schedule, ends_at);
    -- shifts read from a calendar outside, replaced by each reading
    create table on_call_calendar_shifts (
      org_id uuid not null references organizations,
      schedule text not null,
      rotation text not null,
      person text not null,
      starts_at timestamptz not null,
      ends_at timestamptz not null,
      primary key (org_id, schedule, rotation, person, starts_at),
      foreign key (org_id, schedule) references on_call_schedules (org_id, name) on delete cascade
    );
    create index on_call_calendar_shifts_schedule on on_call_calendar_shifts (org_id, schedule, ends_at);
    -- how reading the calendar of a rotation went
    create table on_call_calendars (
      org_id uuid not null references organizations,
      schedule text not null,
      rotation text not null,
      url text not null,
      checked_at timestamptz not null default now(),
      -- of the newest reading that gave the shifts; they stay where a later one fails
      read_at timestamptz,
      -- why the newest reading failed; null when it did not
      error text,
      shifts integer not null default 0,
      -- what events name that is nobody here
      unmatched text[] not null default '{}',
      primary key (org_id, schedule, rotation),
      foreign key (org_id, schedule) references on_call_schedules (org_id, name) on delete cascade
    );
    -- links to calendars, for programs that cannot sign in: of a schedule, or of one person's shifts
    create table calendar_feeds (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      token_hash bytea not null unique,
      schedule text,
      user_id uuid references users on delete cascade,
      created_by text not null,
      created_at timestamptz not null default now(),
      revoked_at timestamptz,
      foreign key (org_id, schedule) references on_call_schedules (org_id, name) on delete cascade
    );
    create index calendar_feeds_list on calendar_feeds (org_id, created_at desc);

    create table notification_rules (
      org_id uuid not null references organizations,
      name text not null,
      team_id uuid references teams,
      position integer not null,
      definition jsonb not null,
      updated_at timestamptz not null default now(),
      primary key (org_id, name)
    );
    create table silences (
      org_id uuid not null references organizations,
      id uuid primary key default gen_random_uuid(),
      team_id uuid references teams,
      definition jsonb not null,
      starts_at timestamptz not null,
      -- the end is required: what is forgotten does not stay silent for ever
      ends_at timestamptz not null,
      -- when it begins to be silent, or does again by its weekly hours: then open incidents are told; null: never again
      begins_at timestamptz,
      created_by text not null,
      created_at timestamptz not null default now(),
      check (ends_at > starts_at)
    );
    create index silences_ends on silences (org_id, ends_at);
    create index silences_begin on silences (begins_at) where begins_at is not null;

    -- team_id null: of the organization
    create table sla_calendars (
      org_id uuid not null references organizations,
      name text not null,
      team_id uuid references teams,
      definition jsonb not null,
      updated_at timestamptz not null default now(),
      primary key (org_id, name)
    );
    alter table sla_clocks
      -- when it does not run: [[from, to], …] in epoch milliseconds
      add column pauses jsonb not null default '[]',
      add column breach_reason text,
      add column breach_note text,
      add column breach_explained_by text,
      add column breach_explained_at timestamptz;

    create table slos (
      org_id uuid not null references organizations,
      name text not null,
      team_id uuid references teams,
      definition jsonb not null,
      updated_at timestamptz not null default now(),
      primary key (org_id, name)
    );
    -- as last measured
    create table slo_states (
      org_id uuid not null references organizations,
      slo text not null,
      at timestamptz not null,
      state jsonb not null,
      primary key (org_id, slo),
      foreign key (org_id, slo) references slos (org_id, name) on delete cascade
    );
    -- the error budget's course, one point an hour
    create table slo_points (
      org_id uuid not null references organizations,
      slo text not null,
      at timestamptz not null,
      budget_left double precision not null,
      burn_rate double precision not null,
      primary key (org_id, slo, at),
      foreign key (org_id, slo) references slos (org_id, name) on delete cascade
    );

    alter table integrations
      drop constraint integrations_kind_check,
      -- slo: alerts that Holdfast makes itself, of objectives
      add constraint integrations_kind_check check (kind in ('alertmanager', 'slo'));

    alter table incidents
      -- 1, and one more with each reopening
      add column opening integer not null default 1,
      -- stays when the incident is reopened or the acknowledgement taken back; null, too, in rows from before it was kept
      add column first_acknowledged_at timestamptz,
      -- nobody is paged until then, because a silence catches its alerts
      add column silenced_until timestamptz;
    create index incidents_first_acknowledged on incidents
      (org_id, (case when first_acknowledged_at is null then acknowledged_at else first_acknowledged_at end));

    alter table notifications
      -- what caused it: event, rule, level, schedule entry
      add column cause jsonb not null default '{}',
      -- whom it was to reach, by mail address; null: a channel
      add column person text,
      -- from the moment at which it was due to the moment at which it was handed over
      add column latency_ms integer,
      -- the message that says it with others, where there were too many
      add column consolidated_into bigint references notifications;
    create index notifications_person on notifications (org_id, person, id desc) where person is not null;
    create index notifications_consolidated on notifications (consolidated_into) where consolidated_into is not null;
    create index notifications_list on notifications (org_id, status, id desc);
    create index notifications_type on notifications (org_id, type, id desc);
    create index notifications_destination on notifications (org_id, destination, id desc);

    -- how many messages about one pattern of alerts went to one destination in an hour; beyond the limit one message
    -- counts on
    create table notification_limits (
      org_id uuid not null references organizations,
      destination text not null,
      pattern text not null,
      hour_began timestamptz not null,
      sent integer not null default 0,
      held integer not null default 0,
      -- of the one message that counts on
      consolidated bigint references notifications on delete set null,
      primary key (org_id, destination, pattern)
    );
    create index notification_limits_began on notification_limits (hour_began);

    -- each destination has its own pace: one that asks for patience, or is slow, delays no other
    create table destinations (
      org_id uuid not null references organizations,
      destination text not null,
      -- when the next message may go, by its rate
      free_at timestamptz not null default now(),
      -- it asked for patience until then
      blocked_until timestamptz,
      reason text,
      primary key (org_id, destination)
    );

    -- where the vendor has the message about something, so that it is updated in place
    create table channel_messages (
      org_id uuid not null references organizations,
      -- the notification channel, or the person to whom it was sent
      destination text not null,
      -- such as 'incident:<id>' or 'execution:<id>'
      subject text not null,
      reference jsonb not null,
      updated_at timestamptz not null default now(),
      primary key (org_id, destination, subject)
    );
    create index channel_messages_subject on channel_messages (org_id, subject);
    create index channel_messages_updated on channel_messages (updated_at);

    -- what people asked Holdfast in chat, and what it answered
    create table chat_messages (
      org_id uuid not null references organizations,
      id bigint generated always as identity primary key,
      provider text not null,
      -- of the vendor's request: one that is delivered again is done once
      delivery text not null,
      conversation text not null,
      user_id uuid references users on delete set null,
      person text not null,
      command text not null,
      answer text not null,
      at timestamptz not null default now()
    );
    create unique index chat_messages_delivery on chat_messages (org_id, provider, delivery);
    create index chat_messages_list on chat_messages (org_id, id desc);
    create index chat_messages_at on chat_messages (at);
    create index chat_messages_user on chat_messages (org_id, user_id, id desc);

    alter table reports
      add column team_id uuid references teams on delete cascade,
      -- what it covers: 'week' or 'month'
      add column span text not null default 'week' check (span in ('week', 'month'));
  `.execute(db);

  await sql`
    do $$
    declare t text;
    begin
      foreach t in array array['user_identities', 'identity_link_codes', 'on_call_schedules', 'on_call_overrides', 'on_call_calendar_shifts', 'on_call_calendars',
        'calendar_feeds', 'notification_rules', 'silences', 'sla_calendars', 'slos', 'slo_states', 'slo_points',
        'notification_limits', 'destinations', 'channel_messages', 'chat_messages'] loop
        execute format('alter table %I enable row level security', t);
        execute format('grant select, insert, update, delete on %I to holdfast_app', t);
        execute format(
          'create policy organization on %I using (org_id = nullif(current_setting(''app.org_id'', true), '''')::uuid)', t);
      end loop;
      foreach t in array array['on_call_schedules', 'notification_rules', 'silences', 'sla_calendars', 'slos',
        'reports'] loop
        execute format(
          'create policy team on %I as restrictive using (
             team_id is null
             or coalesce(nullif(current_setting(''app.team_ids'', true), ''''), ''*'') = ''*''
             or team_id::text = any (string_to_array(current_setting(''app.team_ids'', true), '','')))', t);
      end loop;
    end $$;

    -- for what a vendor sends, whose address names the channel
    create function find_notification_channel(channel uuid)
      returns table (org_id uuid, name text, definition jsonb)
      language sql stable security definer set search_path = public, pg_temp as $$
      select c.org_id, c.name, c.definition from notification_channels c where c.id = channel
    $$;

    create function find_calendar_feed(hash bytea)
      returns table (org_id uuid, schedule text, user_id uuid)
      language sql stable security definer set search_path = public, pg_temp as $$
      select f.org_id, f.schedule, f.user_id from calendar_feeds f where f.token_hash = hash and f.revoked_at is null
    $$;

    create function forget_old_chat(before timestamptz, batch integer)
      returns bigint
      language sql volatile security definer set search_path = public, pg_temp as $$
      with gone as (
        delete from chat_messages c using (
          select id from chat_messages where at < before order by at limit batch) old
          where c.id = old.id returning 1)
      select count(*) from gone
    $$;

    -- where messages are, what they were counted by and the pace of their destinations
    create function forget_old_deliveries(before timestamptz, batch integer)
      returns bigint
      language sql volatile security definer set search_path = public, pg_temp as $$
      with gone as (
        delete from channel_messages c using (
          select org_id, destination, subject from channel_messages where updated_at < before
          order by updated_at limit batch) old
          where (c.org_id, c.destination, c.subject) = (old.org_id, old.destination, old.subject) returning 1),
      limits as (delete from notification_limits where hour_began < before),
      idle as (delete from destinations where free_at < before and coalesce(blocked_until, before) <= before)
      select count(*) from gone
    $$;

    -- silences that begin now, of all organizations
    create function beginning_silences(batch integer)
      returns table (org_id uuid, id uuid)
      language sql stable security definer set search_path = public, pg_temp as $$
      select s.org_id, s.id from silences s where s.begins_at <= now() order by s.begins_at limit batch
    $$;

    do $$
    declare f text;
    begin
      foreach f in array array['find_notification_channel(uuid)', 'find_calendar_feed(bytea)',
        'beginning_silences(integer)',
        'forget_old_chat(timestamptz, integer)', 'forget_old_deliveries(timestamptz, integer)'] loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to holdfast_app', f);
      end loop;
    end $$;
  `.execute(db);
}
