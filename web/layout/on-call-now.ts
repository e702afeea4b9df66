import type { Database, Scope } from '../../db/database.ts';
import { readScheduleFacts } from '../../db/oncall.ts';
import { onCallAt } from '../../domain/oncall/on-call.ts';
import type { ScheduleFacts } from '../../domain/oncall/schedule.ts';

/** Who is on call, for the rail: a line each. */
export interface OnCallNow {
  lines: { who: string; schedules: string; nobody: boolean }[];
  more: number;
}

const linesShown = 4;
const keptMs = 20_000;
/** Organizations and sets of teams that are remembered at once. */
const mostKept = 500;

/**
 * Every page says who is on call, so the answer is kept for a few seconds: a page view asks the database for it at most
 * once, and mostly not at all.
 */
export function createOnCallNow(
  db: Pick<Database, 'read'>,
): (scope: Scope, now: number) => Promise<OnCallNow> {
  const kept = new Map<string, { until: number; answer: Promise<OnCallNow> }>();
  return async (scope, now) => {
    const key = JSON.stringify([scope.orgId, scope.teamIds]);
    const known = kept.get(key);
    if (known && known.until > now) return await known.answer;
    const answer = read(db, scope, now);
    kept.delete(key);
    kept.set(key, { until: now + keptMs, answer });
    for (const oldest of kept.keys()) {
      if (kept.size <= mostKept) break;
      kept.delete(oldest);
    }
    try {
      return await answer;
    } catch (error) {
      // an answer that failed is not given again
      kept.delete(key);
      throw error;
    }
  };
}

async function read(db: Pick<Database, 'read'>, scope: Scope, now: number): Promise<OnCallNow> {
  const { facts, names } = await db.read(scope, async (tx) => {
    const facts = await readScheduleFacts(tx, 'all', { from: now, to: now });
    const users = facts.length === 0 ? [] : await tx.selectFrom('users').select(['email', 'name']).execute();
    return { facts, names: new Map(users.map(({ email, name }) => [email.toLowerCase(), name])) };
  });
  const lines = linesOf(facts, names, now);
  return { lines: lines.slice(0, linesShown), more: Math.max(0, lines.length - linesShown) };
}

/** By person, with the schedules that they answer by; schedules without anybody first. */
export function linesOf(
  facts: readonly ScheduleFacts[],
  names: ReadonlyMap<string, string>,
  now: number,
): OnCallNow['lines'] {
  const empty: string[] = [];
  const byPerson = new Map<string, string[]>();
  for (const schedule of facts) {
    const people = new Set(onCallAt(schedule, now).flatMap(({ shadow, person }) => (shadow ? [] : [person])));
    if (people.size === 0) empty.push(schedule.name);
    for (const person of people) byPerson.set(person, [...(byPerson.get(person) ?? []), schedule.name]);
  }
  return [
    ...(empty.length > 0 ? [{ who: 'Nobody', schedules: empty.join(', '), nobody: true }] : []),
    ...[...byPerson].map(([person, schedules]) => ({
      who: names.get(person) ?? person,
      schedules: schedules.join(', '),
      nobody: false,
    })),
  ];
}
