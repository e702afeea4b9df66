import { sql } from 'kysely';
import { contactRules } from '../domain/contact-rules.ts';
import type { Directory } from '../domain/escalation/resolve.ts';
import { onCallSchedule } from '../domain/oncall/schedule.ts';
import type { EscalationTarget } from '../domain/policies.ts';
import type { Tx } from './database.ts';

/** Overrides and shifts of a calendar are read from so long before until so long after the moment. */
const aroundMs = 60 * 24 * 3_600_000;

/**
 * What says whom targets reach at `at` (epoch milliseconds): the schedules that they name, as they are around that
 * moment, everybody who can be reached, and the names of the channels. 'all' reads every schedule. `to`: the end of
 * the time that is asked about, where it is more than a moment. What this version cannot read must not keep others
 * from being paged: such a schedule is left out, and such a person is told by mail.
 */
export async function readDirectory(
  tx: Tx,
  targets: readonly EscalationTarget[] | 'all',
  { at, to = at }: { at: number; to?: number },
): Promise<Directory> {
  const names =
    targets === 'all'
      ? null
      : [...new Set(targets.flatMap((target) => (target.type === 'schedule' ? [target.name] : [])))];
  return {
    schedules: names?.length === 0 ? new Map() : await schedulesOf(tx, names, { at, to }),
    people: await peopleOf(tx),
    channels: new Set(
      (await tx.selectFrom('notification_channels').select('name').execute()).map(({ name }) => name),
    ),
  };
}

/** Of the organization's owners and admins who can sign in, by address. */
export async function listOwnerAddresses(tx: Tx): Promise<string[]> {
  const rows = await tx
    .selectFrom('users as u')
    .innerJoin('memberships as m', 'm.user_id', 'u.id')
    .select('u.email')
    .distinct()
    .where('m.team_id', 'is', null)
    .where('m.role', 'in', ['owner', 'admin'])
    .where('u.disabled_at', 'is', null)
    .orderBy('u.email')
    .execute();
  return rows.map(({ email }) => email);
}

interface Span {
  from: number;
  to: number;
}

async function schedulesOf(
  tx: Tx,
  names: string[] | null,
  { at, to }: { at: number; to: number },
): Promise<Directory['schedules']> {
  const { rows } = await sql<{
    name: string;
    definition: unknown;
    overrides: ({ id: string; person: string; insteadOf: string | null } & Span)[];
    calendarShifts: ({ rotation: string; person: string } & Span)[];
  }>`
    select s.name, s.definition,
      coalesce((
        select jsonb_agg(jsonb_build_object('id', o.id, 'person', o.person, 'insteadOf', o.instead_of,
          'from', (extract(epoch from o.starts_at) * 1000)::bigint, 'to', (extract(epoch from o.ends_at) * 1000)::bigint)
          order by o.created_at, o.id)
        from on_call_overrides o
        where o.org_id = s.org_id and o.schedule = s.name and o.ends_at > ${new Date(at - aroundMs)}
          and o.starts_at < ${new Date(to + aroundMs)}), '[]') as overrides,
      coalesce((
        select jsonb_agg(jsonb_build_object('rotation', c.rotation, 'person', c.person,
          'from', (extract(epoch from c.starts_at) * 1000)::bigint, 'to', (extract(epoch from c.ends_at) * 1000)::bigint)
          order by c.starts_at, c.person)
        from on_call_calendar_shifts c
        where c.org_id = s.org_id and c.schedule = s.name and c.ends_at > ${new Date(at - aroundMs)}
          and c.starts_at < ${new Date(to + aroundMs)}), '[]') as "calendarShifts"
    from on_call_schedules s
    where ${names === null ? sql`true` : sql`s.name = any(${names})`}
    order by s.name`.execute(tx);
  return new Map(
    rows.flatMap(({ definition, ...row }) => {
      const read = onCallSchedule.safeParse(definition);
      return read.success ? [[row.name, { ...row, definition: read.data }] as const] : [];
    }),
  );
}

async function peopleOf(tx: Tx): Promise<Directory['people']> {
  const rows = await tx
    .selectFrom('users')
    .select(['email', 'name', 'contact_rules as contactRules'])
    .where('disabled_at', 'is', null)
    .execute();
  return new Map(
    rows.map((row) => [
      row.email.toLowerCase(),
      { name: row.name, contactRules: contactRules.safeParse(row.contactRules).data ?? [] },
    ]),
  );
}
