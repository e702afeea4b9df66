import type { Database } from '../db/database.ts';
import { findUserIds } from '../db/handoffs.ts';
import { findKnownKeys } from '../db/notifications-read.ts';
import { readScheduleFacts } from '../db/oncall.ts';
import { type Admin, listAdmins, ofTeam, readReadiness, readScheduleTeams } from '../db/readiness.ts';
import { type Handoff, handoffsBetween } from '../domain/readiness/handoffs.ts';
import { handoffKey, readinessKey } from '../workflows/messages.ts';

export interface DutyActivityDeps {
  db: Pick<Database, 'read'>;
}

/** Of one person and one handoff. Times are ISO 8601. */
export interface HandoffNotice {
  key: string;
  email: string;
  schedule: string;
  at: string;
  direction: 'on' | 'off';
}

/** To one person who can mend what is wrong. */
export interface ReadinessNotice {
  key: string;
  email: string;
  /** Whose schedules it is about; null: all of the organization. */
  teamId: string | null;
}

export type DutyActivities = ReturnType<typeof createDutyActivities>;

export function createDutyActivities({ db }: DutyActivityDeps) {
  return {
    /** Who comes on call and who goes off in (from, to], epoch milliseconds; without those who were told already. */
    async findHandoffs(args: { orgId: string; from: number; to: number }): Promise<HandoffNotice[]> {
      const { orgId, from, to } = args;
      return await db.read({ orgId }, async (tx) => {
        const schedules = await readScheduleFacts(tx, 'all', { from, to });
        const handoffs = schedules.flatMap((facts) => handoffsBetween(facts, from, to));
        const ids = await findUserIds(tx, [...new Set(handoffs.flatMap(({ on, off }) => [...on, ...off]))]);
        const notices = handoffs.flatMap((handoff) => noticesOf(orgId, handoff, ids));
        const known = await findKnownKeys(
          tx,
          notices.map(({ key }) => key),
        );
        return notices.filter(({ key }) => !known.has(key));
      });
    },

    /**
     * Whom to tell of what could keep a page from reaching somebody: Admins of the organization of everything, those
     * of a team of its schedules. Nobody where there is nothing to mend. `day`: '2026-11-23', of the keys.
     */
    async planReadiness(args: { orgId: string; now: number; day: string }): Promise<ReadinessNotice[]> {
      const { orgId, now, day } = args;
      return await db.read({ orgId }, async (tx) => {
        const findings = await readReadiness(tx, { now, teamId: null });
        // what only wants tidying up waits for somebody who looks at the page
        const urgent = findings.filter(({ severity }) => severity !== 'info');
        if (urgent.length === 0) return [];
        const teams = await readScheduleTeams(tx);
        return receivers(await listAdmins(tx))
          .filter(({ teamId }) => teamId === null || ofTeam(urgent, teams, teamId).length > 0)
          .map(({ userId, email, teamId }) => ({
            key: readinessKey({ orgId, day, userId, teamId }),
            email,
            teamId,
          }));
      });
    },
  };
}

function noticesOf(orgId: string, { schedule, at, on, off }: Handoff, ids: Map<string, string>) {
  const moment = new Date(at).toISOString();
  return (['on', 'off'] as const).flatMap((direction) =>
    (direction === 'on' ? on : off).flatMap((email): HandoffNotice[] => {
      const userId = ids.get(email);
      // whoever is gone has nothing to hand over; the schedule's readiness names them
      if (userId === undefined) return [];
      const key = handoffKey({ orgId, schedule, at: moment, userId, direction });
      return [{ key, email, schedule, at: moment, direction }];
    }),
  );
}

/** Whoever hears of the whole organization does not hear of each of its teams once more. */
function receivers(admins: Admin[]): Admin[] {
  const everything = new Set(admins.flatMap(({ teamId, userId }) => (teamId === null ? [userId] : [])));
  return admins.filter(({ teamId, userId }) => teamId === null || !everything.has(userId));
}
