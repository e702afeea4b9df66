import { contactRules } from '../domain/contact-rules.ts';
import type { Directory } from '../domain/escalation/resolve.ts';
import { onCallSchedule } from '../domain/oncall/schedule.ts';
import type { EscalationTarget } from '../domain/policies.ts';
import type { Tx } from './database.ts';
import { readStoredSchedules } from './oncall.ts';

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
      ? 'all'
      : [...new Set(targets.flatMap((target) => (target.type === 'schedule' ? [target.name] : [])))];
  return {
    schedules: await schedulesOf(tx, names, { from: at, to }),
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

async function schedulesOf(
  tx: Tx,
  names: string[] | 'all',
  span: { from: number; to: number },
): Promise<Directory['schedules']> {
  const stored = await readStoredSchedules(tx, names, span);
  return new Map(
    stored.flatMap(({ definition, ...row }) => {
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
