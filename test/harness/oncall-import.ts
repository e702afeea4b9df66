import { shiftsBetween } from '../../domain/oncall/on-call.ts';
import type { OnCallSchedule } from '../../domain/oncall/schedule.ts';
import { type ImportSource, planImport, type Standing } from '../../domain/oncall-import/plan.ts';

const now = Date.parse('2026-06-01T00:00Z');
const nothing: Standing = { schedules: new Map(), policies: new Map(), people: new Set() };

/** On 1 June 2026. */
export const plan = (source: ImportSource, value: unknown, standing = nothing) =>
  planImport(source, value, standing, now);

/** Who is on call by a schedule, such as 'ana 06-01T08:00/06-02T08:00'. */
export function onCall(definition: OnCallSchedule | undefined, from: string, to: string): string[] {
  if (!definition) throw new Error('there is no schedule');
  const facts = { name: 'any', definition, overrides: [], calendarShifts: [] };
  const text = (at: number) => new Date(at).toISOString().slice(5, 16);
  return shiftsBetween(facts, Date.parse(from), Date.parse(to)).map(
    (shift) => `${shift.person.split('@')[0]} ${text(shift.from)}/${text(shift.to)}`,
  );
}
