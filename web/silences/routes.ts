import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import { mayOn } from '../../api/auth/principal.ts';
import { askWhoMayEnd, assertMayKeepQuiet } from '../../api/auth/silence.ts';
import { mayOperateFor } from '../../api/auth/team-or-everybody.ts';
import type { Tx } from '../../db/database.ts';
import { listMaintenanceWindows } from '../../db/maintenance-windows.ts';
import { UnknownReferenceError } from '../../db/policies.ts';
import { NotTriedError } from '../../db/preview-thread.ts';
import { createSilencePreview } from '../../db/silence-preview.ts';
import { createSilence, endSilence, getSilence, listCaught, listSilences } from '../../db/silences.ts';
import { findTeam, listTeams } from '../../db/teams.ts';
import { windowRow } from '../automation/view.ts';
import type { WebDeps } from '../deps.ts';
import { formStatus, type Problems } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { uuidOf } from '../layout/uuid.ts';
import { readerZone } from '../on-call/reader-zone.ts';
import { assertVisitorRole, requireRole, visitorOf, whenLeft } from '../visitor.ts';
import {
  newSilence,
  postedSilence,
  previewView,
  readSilence,
  type SilenceValues,
  silenceFormView,
  silencesPath,
} from './form.ts';
import { silenceRow } from './view.ts';

/** Alerts that nobody is told of for a while, beside the times in which automation keeps its hands off. */
export function silenceRoutes(deps: WebDeps, pages: Pages): Router {
  const { db } = deps;
  const router = Router();
  const preview = createSilencePreview(db);

  router.get(silencesPath, async (request, response) => {
    const { scope, principal } = visitorOf(request);
    const now = new Date(pages.now());
    const found = await db.read(scope, async (tx) => {
      const silences = await listSilences(tx, { now });
      return {
        silences,
        caught: await listCaught(tx, silences, now),
        over: await listSilences(tx, { now, over: true }),
        windows: await listMaintenanceWindows(tx, now),
      };
    });
    await pages.show(request, response, {
      template: 'silences/list',
      view: {
        silences: found.silences.map((each) => ({
          ...silenceRow(each, found.caught.get(each.id), now.getTime()),
          mayEnd: mayOperateFor(principal, each.team?.id ?? null),
        })),
        over: found.over.slice(0, 20).map((each) => silenceRow(each, undefined, now.getTime())),
        windows: found.windows.map((window) =>
          windowRow(window, mayOperateFor(principal, window.team?.id ?? null), now.getTime()),
        ),
      },
      title: 'Silences and maintenance',
      section: 'notifications',
    });
  });

  router.get(`${silencesPath}/new`, requireRole('operator'), async (request, response) => {
    const { scope, userId } = visitorOf(request);
    const timeZone = await db.read(scope, (tx) => readerZone(tx, userId, deps.timeZone));
    await form(request, response, { values: newSilence(request.query, pages.now(), timeZone) });
  });

  router.post(`${silencesPath}/new`, requireRole('operator'), async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const values = postedSilence(request.body);
    const read = readSilence(values, pages.now());
    if ('problems' in read) {
      await form(request, response, { values, problems: read.problems });
      return;
    }
    const { silence } = read;
    const problems = await db.write(scope, async (tx): Promise<Problems | undefined> => {
      const refused = await problemOfTeam(tx, request, silence.team);
      if (refused) return refused;
      try {
        await createSilence(tx, { orgId, id: randomUUID(), silence, actor, now: new Date(pages.now()) });
        return undefined;
      } catch (error) {
        if (!(error instanceof UnknownReferenceError)) throw error;
        return { [error.field]: error.message };
      }
    });
    if (problems) {
      await form(request, response, { values, problems });
      return;
    }
    setFlash(
      response,
      'good',
      'The silence is made. Alerts go on arriving; nobody is told of what it catches.',
    );
    response.redirect(303, silencesPath);
  });

  router.post(`${silencesPath}/new/try`, requireRole('operator'), async (request, response) => {
    const values = postedSilence(request.body);
    const { reason } = values.texts;
    // what it would catch can be seen before the reason is written
    const read = readSilence({ ...values, texts: { ...values.texts, reason: reason || '-' } }, pages.now());
    if ('problems' in read) {
      await form(request, response, { values, problems: read.problems });
      return;
    }
    const { scope } = visitorOf(request);
    const refused = await db.read(scope, (tx) => problemOfTeam(tx, request, read.silence.team));
    if (refused) {
      await form(request, response, { values, problems: refused });
      return;
    }
    try {
      const found = await preview(scope, read.silence, whenLeft(request));
      await form(request, response, { values, tried: previewView(found) });
    } catch (error) {
      if (error instanceof NotTriedError) await form(request, response, { values, notTried: error });
      else if (error instanceof UnknownReferenceError) {
        await form(request, response, { values, problems: { [error.field]: error.message } });
      } else throw error;
    }
  });

  router.post(`${silencesPath}/:id/end`, async (request, response) => {
    const { principal, scope, orgId, email: actor } = visitorOf(request);
    const id = uuidOf(request.params.id, 'silence');
    const ended = await db.write(scope, async (tx) => {
      const stored = await getSilence(tx, id);
      if (!stored) throw new NotFoundError('There is no such silence, or it belongs to another team.');
      assertMayKeepQuiet(principal, stored.team?.id ?? null, askWhoMayEnd);
      return await endSilence(tx, { orgId, id, actor, now: new Date(pages.now()) });
    });
    if (ended) setFlash(response, 'good', 'The silence is over: whoever is due is told within seconds.');
    else setFlash(response, 'plain', 'The silence was over already.');
    response.redirect(303, silencesPath);
  });

  /** Throws ForbiddenError for a team that is not the visitor's; one that there is not is refused where it is looked up. */
  async function problemOfTeam(tx: Tx, request: Request, slug: string | null): Promise<Problems | undefined> {
    if (slug !== null) {
      assertVisitorRole(request, 'operator', (await findTeam(tx, slug))?.id ?? null);
      return undefined;
    }
    const { principal } = visitorOf(request);
    return mayOperateFor(principal, null) ? undefined : { team: 'Choose one of your teams.' };
  }

  async function form(
    request: Request,
    response: Response,
    given: {
      values: SilenceValues;
      problems?: Problems;
      tried?: ReturnType<typeof previewView>;
      notTried?: NotTriedError;
    },
  ): Promise<void> {
    const { values, problems = {}, tried = null, notTried } = given;
    const { scope, principal } = visitorOf(request);
    const teams = (await db.read(scope, listTeams)).filter(({ id }) => mayOn(principal, 'operator', id));
    const everybody = mayOperateFor(principal, null);
    await pages.show(request, response, {
      template: 'silences/form',
      view: {
        form: silenceFormView(values, problems, { teams, everybody }),
        tried,
        notTried: notTried?.message ?? null,
      },
      title: 'New silence',
      section: 'notifications',
      narrow: true,
      status: formStatus(problems, notTried),
    });
  }

  return router;
}
