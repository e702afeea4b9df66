import { durationMs } from '../domain/duration.ts';
import { type SlaPolicy, slaPolicy } from '../domain/policies.ts';
import { type PolicySubject, selectSla } from '../domain/policy-match.ts';
import { addBusiness } from '../domain/sla/business-time.ts';
import { alwaysOpen, businessCalendar } from '../domain/sla/calendar.ts';
import type { SlaTimes } from '../domain/sla/clock.ts';
import type { Tx } from './database.ts';
import { type Change, type Named, named, put, remove } from './named-configuration.ts';
import { UnknownReferenceError } from './policies.ts';
import { getSlaCalendar, pausesOf } from './sla-calendars.ts';
import { teamIdOf } from './teams.ts';

const dayMs = 86_400_000;
/** Pauses are carried in an incident's workflow: as many as a year of nights and weekends has, and not more. */
const longestDays = 366;

/** In the order in which they are tried. */
export async function listSlaPolicies(tx: Tx): Promise<Named<SlaPolicy>[]> {
  const rows = await named(tx, 'sla_policies').orderBy('position').orderBy('name').execute();
  return rows.map((row) => ({ ...row, definition: slaPolicy.parse(row.definition) }));
}

export async function getSlaPolicy(tx: Tx, name: string): Promise<Named<SlaPolicy> | undefined> {
  const row = await named(tx, 'sla_policies').where('name', '=', name).executeTakeFirst();
  return row && { ...row, definition: slaPolicy.parse(row.definition) };
}

/**
 * Throws UnknownReferenceError for a calendar or team that does not exist, and where the calendar is open so little that
 * the time to resolve would take more than a year.
 */
export async function putSlaPolicy(tx: Tx, change: Change<SlaPolicy>): Promise<void> {
  await teamIdOf(tx, change.definition.match.team ?? null, 'match.team');
  await requireCalendar(tx, change.definition);
  await put(tx, 'sla_policies', change, { position: change.definition.order });
}

/** False when there was none. */
export async function deleteSlaPolicy(tx: Tx, change: Omit<Change<never>, 'definition'>): Promise<boolean> {
  return await remove(tx, 'sla_policies', change);
}

/** What the clocks of an incident that opened then (epoch milliseconds) go by; null: no policy is for it. */
export async function readSlaTimes(
  tx: Tx,
  subject: PolicySubject,
  openedAt: number,
): Promise<SlaTimes | null> {
  const selected = selectSla(await listSlaPolicies(tx), subject);
  if (!selected) return null;
  const { calendar: name, ...times } = selected;
  if (name === alwaysOpen) return times;
  const calendar = await getSlaCalendar(tx, name);
  // a calendar cannot be deleted while a policy names it
  if (!calendar)
    throw new Error(`there is no SLA calendar '${name}', which the policy ${times.policy} names`);
  const longestMs = Math.max(times.acknowledgeMs, times.resolveMs);
  return { ...times, pauses: pausesOf(calendar.definition, openedAt, longestMs) };
}

async function requireCalendar(tx: Tx, policy: SlaPolicy): Promise<void> {
  const { calendar: name } = policy;
  if (name === alwaysOpen) return;
  const calendar = await getSlaCalendar(tx, name);
  if (!calendar) {
    throw new UnknownReferenceError(
      'calendar',
      `there is no SLA calendar '${name}': put it at /api/v1/sla-calendars first, or name '${alwaysOpen}'`,
    );
  }
  for (const field of ['acknowledgeWithin', 'resolveWithin'] as const) {
    const now = Date.now();
    const due = addBusiness(businessCalendar(calendar.definition), now, durationMs(policy[field]));
    if (due === null || due > now + longestDays * dayMs) {
      throw new UnknownReferenceError(
        field,
        `${policy[field]} of the open time of '${name}' take more than a year: write less, or open it longer`,
      );
    }
  }
}
