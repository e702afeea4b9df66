import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import { mayOn } from '../../api/auth/principal.ts';
import { recordManualChange, teamOfService } from '../../db/changes.ts';
import {
  type ChangeDetail,
  changeFrequency,
  changeNames,
  countChanges,
  getChange,
  listChanges,
} from '../../db/changes-read.ts';
import { readCorrelationContext } from '../../db/correlation-context.ts';
import { InvalidCursorError } from '../../db/cursor.ts';
import type { Tx } from '../../db/database.ts';
import { listPeople } from '../../db/identity.ts';
import { listRunbooks } from '../../db/runbooks.ts';
import { newChangeReport } from '../../domain/changes/new-change.ts';
import { changeWords } from '../../domain/changes/score.ts';
import { suggestRollback } from '../../domain/changes/suggest-rollback.ts';
import { visible } from '../../domain/runbook/shown-text.ts';
import type { WebDeps } from '../deps.ts';
import { formStatus, type Problems } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { assertVisitorRole, requireRole, visitorOf } from '../visitor.ts';
import { type ChangeValues, changeFormFields, emptyChange, postedChange, readChange } from './form.ts';
import {
  changeListView,
  filterOf,
  mostCounted,
  mostServices,
  pageSize,
  parseChangeQuery,
  servicesView,
  sinceOf,
} from './list-view.ts';
import { changePageView } from './show-view.ts';

const othersShown = 8;

/** What changed, how often, what came of it, and what would take it back. */
export function changeRoutes(deps: Pick<WebDeps, 'db'>, pages: Pages): Router {
  const { db } = deps;
  const router = Router();

  router.get('/changes', async (request, response) => {
    const query = parseChangeQuery(request.query);
    const filter = filterOf(query, pages.now());
    const found = await db
      .read(visitorOf(request).scope, async (tx) => {
        const { cursor } = query;
        const page = await listChanges(tx, {
          ...filter,
          limit: pageSize,
          ...(cursor === null ? {} : { cursor }),
        });
        return {
          page,
          counted: await countChanges(tx, filter, mostCounted),
          names: await changeNames(tx),
          people: await listPeople(tx),
          everAny: page.items.length > 0 || (await countChanges(tx, {}, 1)) > 0,
        };
      })
      .catch((error: unknown) => {
        throw error instanceof InvalidCursorError
          ? new NotFoundError('This page of changes is not there.')
          : error;
      });
    await pages.show(request, response, {
      template: 'changes/list',
      view: changeListView(query, found),
      title: query.risky ? 'Risky changes' : 'Changes',
      section: 'changes',
    });
  });

  router.get('/changes/services', async (request, response) => {
    const query = parseChangeQuery(request.query);
    const since = sinceOf(query.window, pages.now());
    const services = await db.read(visitorOf(request).scope, (tx) =>
      changeFrequency(tx, { since, limit: mostServices }),
    );
    await pages.show(request, response, {
      template: 'changes/services',
      view: servicesView(query, services),
      title: 'Changes by service',
      section: 'changes',
    });
  });

  router.get('/changes/new', requireRole('operator'), async (request, response) => {
    await form(request, response, emptyChange, {});
  });

  router.post('/changes/new', requireRole('operator'), async (request, response) => {
    const { orgId, email: actor } = visitorOf(request);
    const values = postedChange(request.body);
    const read = readChange(values, pages.now());
    if ('problems' in read) {
      await form(request, response, values, read.problems);
      return;
    }
    const report = newChangeReport(read.change, { externalId: randomUUID(), author: actor });
    // in the organization's scope: whose service it is stands there, and whose incidents it may concern
    const { id } = await db.write({ orgId }, async (tx) => {
      const context = await readCorrelationContext(tx);
      assertVisitorRole(request, 'operator', await teamOfService(tx, report.service, context));
      return await recordManualChange(tx, { orgId, report, actor, context });
    });
    setFlash(response, 'good', 'Written down. Open incidents that it may be behind look at it in a moment.');
    response.redirect(303, `/changes/${id}`);
  });

  router.get('/changes/:id', async (request, response) => {
    const { scope, principal } = visitorOf(request);
    const id = numberIn(request.params.id);
    const found = await db.read(scope, async (tx) => {
      const change = await getChange(tx, id);
      if (!change) throw new NotFoundError('There is no such change, or it belongs to another team.');
      const runbooks = (await listRunbooks(tx)).filter(({ removedAt }) => removedAt === null);
      return {
        change,
        rollbacks: suggestRollback(
          runbooks.map(({ definition }) => definition),
          change,
        ),
        others: await othersOf(tx, change),
        people: await listPeople(tx),
      };
    });
    const { change, ...more } = found;
    await pages.show(request, response, {
      template: 'changes/show',
      view: {
        path: `/changes/${id}`,
        ...changePageView(change, {
          ...more,
          mayJudge: ({ teamId }) => mayOn(principal, 'operator', teamId),
        }),
      },
      title: visible(changeWords(change)),
      section: 'changes',
      teamId: change.teamId,
    });
  });

  async function form(
    request: Request,
    response: Response,
    values: ChangeValues,
    problems: Problems,
  ): Promise<void> {
    await pages.show(request, response, {
      template: 'changes/form',
      view: { fields: changeFormFields(values, problems) },
      title: 'Write a change down',
      section: 'changes',
      narrow: true,
      status: formStatus(problems),
    });
  }

  return router;
}

/** The newest of the same service. */
async function othersOf(tx: Tx, { id, service }: ChangeDetail) {
  if (service === null) return [];
  const { items } = await listChanges(tx, { service, limit: othersShown + 1 });
  return items.filter((other) => other.id !== id).slice(0, othersShown);
}

function numberIn(text: unknown): number {
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) return Number(text);
  throw new NotFoundError('There is no such change: its address is a number.');
}
