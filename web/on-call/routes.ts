import { type Request, type Response, Router } from 'express';
import { createCalendarFeed, listCalendarFeeds, revokeCalendarFeed } from '../../db/calendar-feeds.ts';
import type { Tx } from '../../db/database.ts';
import { readDirectory } from '../../db/directory.ts';
import { getOnCallSchedule, readScheduleHealth } from '../../db/oncall.ts';
import { listOverrides } from '../../db/oncall-overrides.ts';
import { listEscalationPolicies } from '../../db/policies.ts';
import { readReadinessFor } from '../../db/readiness.ts';
import type { Directory } from '../../domain/escalation/resolve.ts';
import type { ScheduleFacts } from '../../domain/oncall/schedule.ts';
import { roleAtLeast } from '../../domain/roles.ts';
import type { WebDeps } from '../deps.ts';
import { setFlash } from '../layout/flash.ts';
import { act, NotFoundError, type Pages } from '../layout/pages.ts';
import { uuidOf } from '../layout/uuid.ts';
import { assertVisitorRole, visitorOf } from '../visitor.ts';
import { calendarLinksView, calendarUrl } from './calendar-links.ts';
import { aheadMs, nameOf, onCallSentence, ownShifts, schedulePath, scheduleRows } from './list-view.ts';
import { readerZone } from './reader-zone.ts';
import { findingRow } from './readiness-view.ts';
import { readingRow } from './readings-view.ts';
import { scheduleView } from './show-view.ts';
import { momentText } from './times.ts';

const base = '/on-call';
const dayMs = 24 * 3_600_000;

/** Who is on call, schedule by schedule. */
export function onCallRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get(base, async (request, response) => {
    const now = pages.now();
    const { scope } = visitorOf(request);
    const directory = await deps.db.read(scope, (tx) =>
      readDirectory(tx, 'all', { at: now, to: now + aheadMs }),
    );
    const findings = await readReadinessFor(deps.db, scope, now);
    const schedules = scheduleRows(directory, now);
    await pages.show(request, response, {
      template: 'on-call/list',
      view: {
        schedules,
        own: ownShifts(directory.schedules, visitorOf(request).email, now),
        mayMake: visitorOf(request).principal.memberships.some(({ role }) => roleAtLeast(role, 'admin')),
        sentence: onCallSentence(schedules),
        readiness: findings.map(findingRow),
        critical: findings.some(({ severity }) => severity === 'critical'),
      },
      title: 'On-call',
      section: 'on-call',
    });
  });

  router.get(`${base}/:name`, async (request, response) => {
    await show(request, response, null);
  });

  router.post(`${base}/:name/calendar-feeds`, async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const schedule = await operated(request);
    const { token } = await deps.db.write(scope, (tx) =>
      createCalendarFeed(tx, { orgId, of: { schedule }, actor }),
    );
    await show(request, response, calendarUrl(deps.publicUrl, token));
  });

  router.post(`${base}/:name/calendar-feeds/:id/revoke`, async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const schedule = await operated(request);
    const id = uuidOf(request.params.id, 'link');
    const done = await deps.db.write(scope, (tx) =>
      revokeCalendarFeed(tx, { orgId, of: { schedule }, id, actor }),
    );
    setFlash(response, done ? 'good' : 'plain', done ? 'The link is revoked.' : 'It was revoked already.');
    response.redirect(303, schedulePath(schedule));
  });

  router.post(`${base}/:name/calendars/read`, async (request, response) => {
    const schedule = await operated(request);
    await act(response, schedulePath(schedule), async () => {
      await deps.calendarReadings.readNow(visitorOf(request).orgId);
      return 'The calendars are being read. Reload in a moment to see what came of it.';
    });
  });

  /** Its name. Throws ForbiddenError for whoever may not act on what its team owns. */
  async function operated(request: Request): Promise<string> {
    const name = String(request.params.name);
    const schedule = await deps.db.read(visitorOf(request).scope, (tx) => getOnCallSchedule(tx, name));
    if (!schedule) throw new NotFoundError(`There is no schedule ${name}.`);
    assertVisitorRole(request, 'operator', schedule.teamId);
    return name;
  }

  /** `newCalendar`: a link that was just made. */
  async function show(request: Request, response: Response, newCalendar: string | null): Promise<void> {
    const { scope, userId } = visitorOf(request);
    const name = String(request.params.name);
    const week = typeof request.query.week === 'string' ? request.query.week : '';
    const now = pages.now();
    const { facts, people, zone, policies, overrides, teamId, feeds, health } = await deps.db.read(
      scope,
      async (tx) => {
        const { facts, people } = await present(tx, name, spanOf(week, now));
        return {
          facts,
          people,
          zone: await readerZone(tx, userId, facts.definition.timeZone),
          policies: await usedBy(tx, name),
          feeds: await listCalendarFeeds(tx, { schedule: name }),
          health: await readScheduleHealth(tx, name),
          overrides: await listOverrides(tx, { schedule: name, now: new Date(now) }),
          teamId: (await getOnCallSchedule(tx, name))?.teamId ?? null,
        };
      },
    );
    const page = schedulePath(name);
    await pages.show(request, response, {
      template: 'on-call/show',
      view: {
        view: scheduleView({ facts, people, zone, now, week }),
        overrideHref: `${page}/overrides/new`,
        editHref: `${page}/edit`,
        policies,
        readings: (health?.calendars ?? []).map(readingRow),
        readHref: `${page}/calendars/read`,
        calendar: calendarLinksView(feeds, `${page}/calendar-feeds`, newCalendar),
        overrides: overrides.map((override) => ({
          who: nameOf(people, override.person),
          insteadOf: override.insteadOf === null ? 'everybody' : nameOf(people, override.insteadOf),
          from: momentText(zone, override.startsAt.getTime()),
          to: momentText(zone, override.endsAt.getTime()),
          reason: override.reason,
          removeHref: `${page}/overrides/${override.id}/delete`,
        })),
      },
      title: name,
      section: 'on-call',
      teamId,
      secret: newCalendar !== null,
    });
  }

  return router;
}

/** What is read for a page of two weeks: they, and the fortnight from now that its sentence speaks of. */
function spanOf(week: string, now: number): { at: number; to: number } {
  const named = /^\d{4}-\d{2}-\d{2}$/.test(week) ? Date.parse(`${week}T00:00Z`) : Number.NaN;
  const first = Number.isNaN(named) ? now - 7 * dayMs : named;
  return { at: Math.min(now, first), to: Math.max(now + aheadMs, first + 16 * dayMs) };
}

async function present(
  tx: Tx,
  name: string,
  span: { at: number; to: number },
): Promise<{ facts: ScheduleFacts; people: Directory['people'] }> {
  const { schedules, people } = await readDirectory(tx, [{ type: 'schedule', name }], {
    ...span,
    // overrides of long ahead are told by name as well
    everybody: true,
  });
  const facts = schedules.get(name);
  if (!facts) throw new NotFoundError(`There is no schedule ${name}.`);
  return { facts, people };
}

/** Escalation policies that name the schedule, and at which levels. */
async function usedBy(tx: Tx, name: string) {
  return (await listEscalationPolicies(tx)).flatMap((policy) => {
    const levels = policy.definition.levels.flatMap(({ targets }, index) =>
      targets.some((target) => target.type === 'schedule' && target.name === name) ? [index + 1] : [],
    );
    if (levels.length === 0) return [];
    return [
      {
        name: policy.name,
        href: `/settings/escalation-policies/${encodeURIComponent(policy.name)}`,
        levels: `level ${levels.join(', ')}`,
      },
    ];
  });
}
