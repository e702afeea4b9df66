import { type Request, type Response, Router } from 'express';
import { mayOn } from '../../api/auth/principal.ts';
import { applyImport, createImportPlanner } from '../../db/oncall-import.ts';
import { UnknownReferenceError } from '../../db/policies.ts';
import { NotTriedError } from '../../db/preview-thread.ts';
import { ImportFormatError } from '../../domain/oncall-import/imported.ts';
import { type ImportPlan, type ImportSource, importSources } from '../../domain/oncall-import/plan.ts';
import type { WebDeps } from '../deps.ts';
import { type Problems, posted } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import type { Pages } from '../layout/pages.ts';
import { requireRole, visitorOf, whenLeft } from '../visitor.ts';
import { type ImportValues, importView, sourceNames } from './import-view.ts';

const path = '/on-call/import';

interface State {
  problems?: string[];
  fields?: Problems;
  plan?: { plan: ImportPlan; hash: string };
}

/** Schedules and policies of another tool: looked at as a plan, then applied just as it was seen. */
export function importRoutes(deps: Pick<WebDeps, 'db'>, pages: Pages): Router {
  const router = Router();
  const planner = createImportPlanner(deps.db);

  const planOf = (request: Request, given: Export) =>
    planner(visitorOf(request).scope, { ...given, now: Date.now() }, whenLeft(request));

  router.get(path, requireRole('admin'), async (request, response) => {
    await show(request, response, { source: 'grafana-oncall', text: '' }, {});
  });

  router.post(path, requireRole('admin'), async (request, response) => {
    const values = { source: posted(request.body, 'source'), text: posted(request.body, 'text') };
    const given = parsed(values);
    if ('fields' in given) {
      await show(request, response, values, given);
      return;
    }
    try {
      if (posted(request.body, 'do') !== 'apply') {
        const plan = await planOf(request, given);
        await show(request, response, values, { plan });
        return;
      }
      const applied = await apply(request, given);
      if (applied) {
        setFlash(
          response,
          'good',
          `Taken over from ${sourceNames[given.source]}. Look at each schedule once.`,
        );
        response.redirect(303, '/on-call');
        return;
      }
      const plan = await planOf(request, given);
      const problems = ['The plan would be another by now. Look at it again, then apply this one.'];
      await show(request, response, values, { plan, problems });
    } catch (error) {
      const problems = problemsOf(error);
      if (!problems) throw error;
      await show(request, response, values, { problems });
    }
  });

  /** False where the plan is another than the one that was seen; then nothing is changed. */
  async function apply(request: Request, given: Export): Promise<boolean> {
    const { scope, orgId, email: actor, principal } = visitorOf(request);
    const { plan, hash, stillHolds } = await planOf(request, given);
    return await deps.db.write(scope, async (tx) => {
      const strangers = plan.people.some(({ change }) => change === 'create');
      const mayAdd = mayOn(principal, 'owner', null) && posted(request.body, 'createPeople') === 'yes';
      if (hash !== posted(request.body, 'hash') || !(await stillHolds(tx))) return false;
      if (strangers && !mayAdd) {
        throw new ImportFormatError([
          'people: some are no users here yet, and nobody has ticked that they are added',
        ]);
      }
      await applyImport(tx, { orgId, plan, actor });
      return true;
    });
  }

  async function show(
    request: Request,
    response: Response,
    values: ImportValues,
    { problems = [], fields = {}, plan }: State,
  ): Promise<void> {
    const owner = mayOn(visitorOf(request).principal, 'owner', null);
    await pages.show(request, response, {
      template: 'on-call/import',
      view: { form: importView(values, { problems, fields, plan: plan ?? null, owner }) },
      title: 'Import schedules',
      section: 'on-call',
      status: problems.length > 0 || Object.keys(fields).length > 0 ? 422 : 200,
    });
  }

  return router;
}

interface Export {
  source: ImportSource;
  value: unknown;
}

function parsed({ source, text }: ImportValues): Export | { fields: Problems } {
  const known = importSources.find((each) => each === source);
  if (!known) return { fields: { source: 'Choose where it comes from.' } };
  if (text === '') return { fields: { text: 'Paste the export here.' } };
  try {
    return { source: known, value: JSON.parse(text) as unknown };
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 200) : '';
    return { fields: { text: `This is no JSON: ${why}` } };
  }
}

function problemsOf(error: unknown): string[] | undefined {
  if (error instanceof ImportFormatError) return error.problems;
  if (error instanceof NotTriedError) return [error.message];
  return error instanceof UnknownReferenceError ? [`${error.field}: ${error.message}`] : undefined;
}
