import { type Request, type Response, Router } from 'express';
import { listPeople } from '../../db/identity.ts';
import { getOnCallSchedule, readScheduleFacts } from '../../db/oncall.ts';
import { createOverride, endOverride } from '../../db/oncall-overrides.ts';
import { InUseError, UnknownReferenceError } from '../../db/policies.ts';
import type { ScheduleFacts } from '../../domain/oncall/schedule.ts';
import { standingAt } from '../../domain/oncall/standing.ts';
import type { WebDeps } from '../deps.ts';
import { formStatus, type Problems } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { uuidOf } from '../layout/uuid.ts';
import { assertVisitorRole, visitorOf } from '../visitor.ts';
import { aheadMs, schedulePath } from './list-view.ts';
import {
  type OverrideValues,
  overrideFormView,
  personName,
  postedOverride,
  readOverride,
} from './override-form.ts';
import { readerZone } from './reader-zone.ts';
import { inputText, momentText } from './times.ts';

const path = '/on-call/:name/overrides';
const longestMs = 366 * 24 * 3_600_000;

/** Somebody takes a time over, or gives it back. */
export function overrideRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get(`${path}/new`, async (request, response) => {
    const { scope, userId, email } = visitorOf(request);
    const { name, definition } = await operated(request);
    const now = pages.now();
    const { facts, zone } = await deps.db.read(scope, async (tx) => ({
      facts: (await readScheduleFacts(tx, [name], { from: now, to: now + aheadMs }))[0],
      zone: await readerZone(tx, userId, definition.timeZone),
    }));
    const asked = (field: string) => {
      const value = request.query[field];
      return typeof value === 'string' ? value : '';
    };
    const [from, to] = spanOf(asked('from'), asked('to'), facts, now);
    const values: OverrideValues = {
      person: email,
      insteadOf: asked('insteadOf'),
      startsAt: asked('startsAt') || inputText(zone, from),
      endsAt: asked('endsAt') || inputText(zone, to),
      zone: asked('zone') || zone,
      reason: '',
    };
    await form(request, response, name, values, {});
  });

  router.post(`${path}/new`, async (request, response) => {
    const { name } = await operated(request);
    const { scope, orgId, email: actor } = visitorOf(request);
    const values = postedOverride(request.body);
    const now = pages.now();
    const read = readOverride(values, now);
    if ('problems' in read) {
      await form(request, response, name, values, read.problems);
      return;
    }
    try {
      const { override } = read;
      const people = await deps.db.write(scope, async (tx) => {
        await createOverride(tx, { orgId, schedule: name, override, actor, now: new Date(now) });
        return await listPeople(tx);
      });
      const until = momentText(values.zone, override.endsAt.getTime());
      const who = personName(people)(override.person);
      setFlash(response, 'good', `${who} is on call for ${name} until ${until}.`);
      response.redirect(303, schedulePath(name));
    } catch (error) {
      const known = error instanceof UnknownReferenceError || error instanceof InUseError;
      if (!known) throw error;
      const field = error instanceof UnknownReferenceError ? error.field : 'startsAt';
      await form(request, response, name, values, { [field]: error.message });
      return;
    }
  });

  router.post(`${path}/:id/delete`, async (request, response) => {
    const { name } = await operated(request);
    const { scope, orgId, email: actor } = visitorOf(request);
    const id = uuidOf(request.params.id, 'override');
    const done = await deps.db.write(scope, (tx) =>
      endOverride(tx, { orgId, schedule: name, id, actor, now: new Date(pages.now()) }),
    );
    const text = done ? 'Taken back: the rotations answer again.' : 'It was over already.';
    setFlash(response, done ? 'good' : 'plain', text);
    response.redirect(303, schedulePath(name));
  });

  /** Throws ForbiddenError for whoever may not act on what its team owns. */
  async function operated(request: Request) {
    const name = String(request.params.name);
    const schedule = await deps.db.read(visitorOf(request).scope, (tx) => getOnCallSchedule(tx, name));
    if (!schedule) throw new NotFoundError(`There is no schedule ${name}.`);
    assertVisitorRole(request, 'operator', schedule.teamId);
    return schedule;
  }

  async function form(
    request: Request,
    response: Response,
    name: string,
    values: OverrideValues,
    problems: Problems,
  ): Promise<void> {
    const { everybody, schedule } = await deps.db.read(visitorOf(request).scope, async (tx) => ({
      everybody: await listPeople(tx),
      schedule: await getOnCallSchedule(tx, name),
    }));
    const participants = new Set(
      (schedule?.definition.rotations ?? []).flatMap((rotation) =>
        rotation.participants.flat().map((email) => email.toLowerCase()),
      ),
    );
    await pages.show(request, response, {
      template: 'on-call/override-form',
      view: {
        form: overrideFormView(values, problems, {
          schedule: name,
          page: schedulePath(name),
          publicUrl: deps.publicUrl,
          people: everybody,
          participants: [...participants],
        }),
      },
      title: `Take over ${name}`,
      section: 'on-call',
      narrow: true,
      status: formStatus(problems),
    });
  }

  return router;
}

/** What the address names (epoch milliseconds), from now on; else from now until the next handoff. */
function spanOf(
  from: string,
  to: string,
  facts: ScheduleFacts | undefined,
  now: number,
): [from: number, to: number] {
  const [begins, ends] = [Number(from), Number(to)];
  // further off than a year is no gap that a page led here from
  if (begins > 0 && ends > begins && ends < now + longestMs) return [Math.max(now, begins), ends];
  const until = facts && standingAt(facts, now).until;
  return [now, until ?? now + 12 * 3_600_000];
}
