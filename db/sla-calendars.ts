import { addBusiness, pausesAfter, type Stretch } from '../domain/sla/business-time.ts';
import { alwaysOpen, businessCalendar, type SlaCalendar, slaCalendar } from '../domain/sla/calendar.ts';
import type { Tx } from './database.ts';
import { type Change, type Named, named, put, remove } from './named-configuration.ts';
import { InUseError, UnknownReferenceError } from './policies.ts';

/** What was open enough when a policy named it may since have been closed by holidays: then it pauses so long. */
const hardlyOpenMs = 366 * 86_400_000;

/** By name; '24x7' is not among them. */
export async function listSlaCalendars(tx: Tx): Promise<Named<SlaCalendar>[]> {
  const rows = await named(tx, 'sla_calendars').orderBy('name').execute();
  return rows.map((row) => ({ ...row, definition: slaCalendar.parse(row.definition) }));
}

export async function getSlaCalendar(tx: Tx, name: string): Promise<Named<SlaCalendar> | undefined> {
  const row = await named(tx, 'sla_calendars').where('name', '=', name).executeTakeFirst();
  return row && { ...row, definition: slaCalendar.parse(row.definition) };
}

/** Throws UnknownReferenceError for the name '24x7', which stands for a calendar that is always open. */
export async function putSlaCalendar(tx: Tx, change: Change<SlaCalendar>): Promise<void> {
  if (change.name === alwaysOpen) {
    throw new UnknownReferenceError(
      'name',
      `'${alwaysOpen}' is always open and cannot be changed: take another name`,
    );
  }
  await put(tx, 'sla_calendars', change, {});
}

/** False when there was none. Throws InUseError while an SLA policy names it. */
export async function deleteSlaCalendar(tx: Tx, change: Omit<Change<never>, 'definition'>): Promise<boolean> {
  const names = (await policiesByCalendar(tx)).get(change.name);
  if (names) {
    throw new InUseError(
      `the SLA policies ${names.join(', ')} go by this calendar: give them another one first`,
    );
  }
  return await remove(tx, 'sla_calendars', change);
}

/** Names of the SLA policies that go by each calendar. */
export async function policiesByCalendar(tx: Tx): Promise<Map<string, string[]>> {
  const rows = await named(tx, 'sla_policies').orderBy('position').orderBy('name').execute();
  const policies = new Map<string, string[]>();
  for (const { name, definition } of rows) {
    const calendar = definition.calendar;
    if (typeof calendar === 'string') policies.set(calendar, [...(policies.get(calendar) ?? []), name]);
  }
  return policies;
}

/** When clocks that began then do not run, until `ms` milliseconds of open time have passed. */
export function pausesOf(definition: SlaCalendar, from: number, ms: number): Stretch[] {
  const calendar = businessCalendar(definition);
  return pausesAfter(calendar, from, addBusiness(calendar, from, ms) ?? from + hardlyOpenMs);
}
