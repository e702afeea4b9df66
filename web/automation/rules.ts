import { type Request, type Response, Router } from 'express';
import { UnknownReferenceError } from '../../db/policies.ts';
import { deleteSafetyRules, getSafetyRules, putSafetyRules } from '../../db/safety.ts';
import { type SafetyScope, safetyScopes, scopeText } from '../../domain/safety/rules.ts';
import type { WebDeps } from '../deps.ts';
import { formStatus, type Problems, posted } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { requireRole, visitorOf } from '../visitor.ts';
import {
  emptyRules,
  postedRules,
  type RulesValues,
  readRules,
  rulesFormView,
  rulesValues,
} from './rules-form.ts';

const base = '/automation/rules';

interface Which {
  scope: SafetyScope;
  name: string;
}

export function ruleRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get(`${base}/new`, requireRole('admin'), async (request, response) => {
    await form(request, response, emptyRules('target', ''), {}, { existing: false, stored: false });
  });

  router.get(`${base}/edit`, requireRole('admin'), async (request, response) => {
    const which = whichOf(request.query);
    const stored = await deps.db.read(visitorOf(request).scope, (tx) => getSafetyRules(tx, which));
    // the organization always has rules: its defaults
    if (!stored && which.scope !== 'organization') throw noSuchRules(which);
    const values = stored ? rulesValues(stored) : emptyRules('organization', '');
    await form(request, response, values, {}, { existing: true, stored: stored !== undefined });
  });

  router.post(`${base}/new`, requireRole('admin'), async (request, response) => {
    await save(request, response, false);
  });

  router.post(`${base}/edit`, requireRole('admin'), async (request, response) => {
    await save(request, response, true);
  });

  router.post(`${base}/delete`, requireRole('admin'), async (request, response) => {
    const { scope: visible, orgId, email: actor } = visitorOf(request);
    const which = whichOf(request.body);
    await deps.db.write(visible, (tx) => deleteSafetyRules(tx, { orgId, ...which, actor }));
    setFlash(response, 'good', `The safety rules of ${scopeText(which.scope, which.name)} are deleted.`);
    response.redirect(303, '/automation');
  });

  async function save(request: Request, response: Response, existing: boolean): Promise<void> {
    const { scope: visible, orgId, email: actor } = visitorOf(request);
    const values = postedRules(request.body);
    const read = readRules(values);
    const again = (problems: Problems) =>
      form(request, response, values, problems, { existing, stored: existing });
    if ('problems' in read) {
      await again(read.problems);
      return;
    }
    try {
      const saved = await deps.db.write(visible, async (tx) => {
        if (!existing && (await getSafetyRules(tx, read))) return false;
        await putSafetyRules(tx, { orgId, ...read, actor });
        return true;
      });
      if (!saved) {
        await again({ name: 'There are rules of these already: change them on the page before.' });
        return;
      }
    } catch (error) {
      if (!(error instanceof UnknownReferenceError)) throw error;
      await again({ [error.field]: `${error.message}.` });
      return;
    }
    setFlash(response, 'good', `The safety rules of ${scopeText(read.scope, read.name)} hold from now on.`);
    response.redirect(303, '/automation');
  }

  async function form(
    request: Request,
    response: Response,
    values: RulesValues,
    problems: Problems,
    given: { existing: boolean; stored: boolean },
  ): Promise<void> {
    await pages.show(request, response, {
      template: 'automation/rules-form',
      view: { form: rulesFormView(values, problems, given) },
      title: 'Safety rules',
      section: 'automation',
      narrow: true,
      status: formStatus(problems),
    });
  }

  return router;
}

function whichOf(given: unknown): Which {
  const asked = posted(given, 'scope');
  const scope = safetyScopes.find((known) => known === asked);
  if (!scope) throw new NotFoundError('There are no such safety rules: the address is not complete.');
  return { scope, name: scope === 'organization' ? '' : posted(given, 'name') };
}

function noSuchRules({ scope, name }: Which): NotFoundError {
  return new NotFoundError(`There are no safety rules of ${scopeText(scope, name)}.`);
}
