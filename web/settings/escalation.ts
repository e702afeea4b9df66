import { type Request, type Response, Router } from 'express';
import { readDirectory } from '../../db/directory.ts';
import {
  deleteEscalationPolicy,
  getEscalationPolicy,
  listEscalationPolicies,
  putEscalationPolicy,
} from '../../db/policies.ts';
import type { WebDeps } from '../deps.ts';
import { formStatus, type Problems, posted } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { deleteNamed, saveNamed } from '../named-configuration.ts';
import { requireRole, visitorOf } from '../visitor.ts';
import {
  escalationPath as base,
  type EscalationValues,
  editEscalation,
  escalationFormView,
  escalationValues,
  fieldOfPath,
  newEscalation,
  postedEscalation,
  readEscalation,
  withoutEmptyRows,
} from './escalation-form.ts';
import { readTargetChoices } from './escalation-targets.ts';
import { policySentence, reachProblems } from './escalation-words.ts';
import { matchText } from './matching.ts';

export function escalationRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get(base, async (request, response) => {
    const now = pages.now();
    const { policies, directory } = await deps.db.read(visitorOf(request).scope, async (tx) => ({
      policies: await listEscalationPolicies(tx),
      directory: await readDirectory(tx, 'all', { at: now }),
    }));
    await pages.show(request, response, {
      template: 'settings/escalation-list',
      view: {
        policies: policies.map(({ name, definition }) => ({
          name,
          href: `${base}/${encodeURIComponent(name)}`,
          match: name === 'default' ? 'what no other matches' : matchText(definition.match),
          sentence: policySentence(definition),
          reach: reachProblems(directory, definition, now),
        })),
      },
      title: 'Escalation policies',
      section: 'settings',
      narrow: true,
    });
  });

  router.get(`${base}/new`, requireRole('admin'), async (request, response) => {
    const values = newEscalation({ type: 'user', email: visitorOf(request).email });
    await form(request, response, values, {}, false);
  });

  router.get(`${base}/:name`, requireRole('admin'), async (request, response) => {
    const name = String(request.params.name);
    const policy = await deps.db.read(visitorOf(request).scope, (tx) => getEscalationPolicy(tx, name));
    if (!policy) throw new NotFoundError(`There is no escalation policy ${name}.`);
    await form(request, response, escalationValues(name, policy.definition), {}, true);
  });

  router.post(`${base}/new`, requireRole('admin'), async (request, response) => {
    await take(request, response, postedEscalation(request.body), false);
  });

  router.post(`${base}/:name`, requireRole('admin'), async (request, response) => {
    const values = { ...postedEscalation(request.body), name: String(request.params.name) };
    await take(request, response, values, true);
  });

  router.post(`${base}/:name/delete`, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email } = visitorOf(request);
    const name = String(request.params.name);
    await deleteNamed(response, {
      remove: () => deps.db.write(scope, (tx) => deleteEscalationPolicy(tx, { orgId, name, actor: email })),
      done: `The policy ${name} is deleted.`,
    });
    response.redirect(303, base);
  });

  async function take(request: Request, response: Response, values: EscalationValues, existing: boolean) {
    const edit = posted(request.body, 'edit');
    if (edit !== '') await form(request, response, editEscalation(values, edit), {}, existing);
    else await save(request, response, withoutEmptyRows(values), existing);
  }

  async function save(request: Request, response: Response, values: EscalationValues, existing: boolean) {
    const { scope, orgId, email } = visitorOf(request);
    const problems = await saveNamed(
      { db: deps.db, scope },
      {
        read: readEscalation(values),
        existing,
        find: (tx) => getEscalationPolicy(tx, values.name),
        put: (tx, definition) =>
          putEscalationPolicy(tx, { orgId, name: values.name, definition, actor: email }),
        fieldOf: (path) => fieldOfPath(path.split('.')),
      },
    );
    if (problems) {
      await form(request, response, values, problems, existing);
      return;
    }
    setFlash(response, 'good', `The policy ${values.name} is saved. New incidents go by it.`);
    response.redirect(303, base);
  }

  async function form(
    request: Request,
    response: Response,
    values: EscalationValues,
    problems: Problems,
    existing: boolean,
  ): Promise<void> {
    const now = pages.now();
    const { choices, directory } = await deps.db.read(visitorOf(request).scope, (tx) =>
      readTargetChoices(tx, now),
    );
    const read = readEscalation(withoutEmptyRows(values));
    const policy = 'definition' in read ? read.definition : null;
    await pages.show(request, response, {
      template: 'settings/escalation-form',
      view: {
        form: escalationFormView(values, problems, existing, choices),
        sentence: policy && policySentence(policy),
        reach: policy ? reachProblems(directory, policy, now) : [],
      },
      title: existing ? `Escalation policy ${values.name}` : 'New escalation policy',
      section: 'settings',
      narrow: true,
      status: formStatus(problems),
    });
  }

  return router;
}
