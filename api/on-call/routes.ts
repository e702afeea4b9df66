import type { Database } from '../../db/database.ts';
import { listOnCallSchedules, readScheduleFacts } from '../../db/oncall.ts';
import { standingAt } from '../../domain/oncall/standing.ts';
import { scopeOf } from '../auth/principal.ts';
import { type Endpoint, iso, personEndpoint } from '../endpoint.ts';
import { presentShift } from '../on-call-schedules/presenter.ts';
import { onCallQuery, onCallShown } from './schema.ts';

/** Overrides are read so far ahead, as the next who is on call may be. */
const aheadMs = 400 * 86_400_000;

export function onCallEndpoints({ db }: { db: Pick<Database, 'read'> }): Endpoint[] {
  return [
    personEndpoint({
      method: 'get',
      path: '/api/v1/on-call',
      tag: 'On call',
      summary: 'Who is on call by each schedule, until when, and who is next',
      access: 'viewer',
      query: onCallQuery,
      status: 200,
      response: onCallShown,
      handle: async ({ principal, query }) => {
        const at = query.at === undefined ? Date.now() : Date.parse(query.at);
        const { schedules, facts } = await db.read(scopeOf(principal), async (tx) => ({
          schedules: await listOnCallSchedules(tx),
          facts: await readScheduleFacts(tx, 'all', { from: at, to: at + aheadMs }),
        }));
        const teams = new Map(schedules.map(({ name, definition }) => [name, definition.team]));
        return {
          at: iso(new Date(at)),
          items: facts.map((one) => {
            const { shifts, until, next } = standingAt(one, at);
            return {
              schedule: one.name,
              team: teams.get(one.name) ?? null,
              shifts: shifts.map(presentShift),
              until: until === null ? null : iso(new Date(until)),
              next: next && { from: iso(new Date(next.from)), people: next.people },
            };
          }),
        };
      },
    }),
  ];
}
