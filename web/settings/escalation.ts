import { type Request, type Response, Router } from 'express';
import {
  deleteEscalationPolicy,
  getEscalationPolicy,
  InUseError,
  listEscalationPolicies,
  putEscalationPolicy,
  UnknownReferenceError,
} from '../../db/policies.ts';
import type { WebDeps } from '../deps.ts';
import type { Problems } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { requireRole, visitorOf } from '../visitor.ts';
import {
  type EscalationValues,
  escalationFormView,
  escalationValues,
  fieldOfPath,
  postedEscalation,
  readEscalation,
  targetText,
} from './escalation-form.ts';
import { matchText } from './matching.ts';

const base = '/settings/escalation-policies';

export function escalationRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get(base, async (request, response) => {
    const policies = await deps.db.read(visitorOf(request).scope, listEscalationPolicies);
    await pages.show(request, response, {
      template: 'settings/escalation-list',
      view: {
        policies: policies.map(({ name, definition }) => ({
          name,
          href: `${base}/${encodeURIComponent(name)}`,
          match: name === 'default' ? 'what no other matches' : matchText(definition.match),
          levels: definition.levels.map((level, index) => ({
            after: `Level ${index + 1}: ${/^0/.test(level.after) ? 'at once' : `after ${level.after}`}`,
            targets: level.targets.map(targetText).join(', '),
          })),
          repeats:
            definition.repeats > 0
              ? `Then again, ${definition.repeats} more ${definition.repeats === 1 ? 'time' : 'times'}${definition.repeatAfter ? `, each ${definition.repeatAfter} after the last level` : ''}.`
              : '',
        })),
      },
      title: 'Escalation policies',
      section: 'settings',
      narrow: true,
    });
  });

  router.get(`${base}/new`, requireRole('admin'), async (request, response) => {
    const values: EscalationValues = {
      name: '',
      severity: '',
      service: '',
      alert: '',
      levels: [
        { after: '0s', targets: visitorOf(request).email },
        { after: '15m', targets: '' },
      ],
      repeats: '0',
      repeatAfter: '',
    };
    await form(request, response, values, {}, false);
  });

  router.get(`${base}/:name`, requireRole('admin'), async (request, response) => {
    const name = String(request.params.name);
    const policy = await deps.db.read(visitorOf(request).scope, (tx) => getEscalationPolicy(tx, name));
    if (!policy) throw new NotFoundError(`There is no escalation policy ${name}.`);
    await form(request, response, escalationValues(name, policy.definition), {}, true);
  });

  router.post(`${base}/new`, requireRole('admin'), async (request, response) => {
    await save(request, response, postedEscalation(request.body), false);
  });

  router.post(`${base}/:name`, requireRole('admin'), async (request, response) => {
    const values = { ...postedEscalation(request.body), name: String(request.params.name) };
    await save(request, response, values, true);
  });

  router.post(`${base}/:name/delete`, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email } = visitorOf(request);
    const name = String(request.params.name);
    try {
      await deps.db.write(scope, (tx) => deleteEscalationPolicy(tx, { orgId, name, actor: email }));
      setFlash(response, 'good', `The policy ${name} is deleted.`);
    } catch (error) {
      if (!(error instanceof InUseError)) throw error;
      setFlash(response, 'bad', `Not deleted: ${error.message}`);
    }
    response.redirect(303, base);
  });

  async function save(request: Request, response: Response, values: EscalationValues, existing: boolean) {
    const { scope, orgId, email } = visitorOf(request);
    const read = readEscalation(values);
    if ('problems' in read) {
      await form(request, response, values, read.problems, existing);
      return;
    }
    const { definition } = read;
    const problems = await deps.db.write(scope, async (tx): Promise<Problems | undefined> => {
      if (!existing && (await getEscalationPolicy(tx, values.name)))
        return { name: 'There is one of this name.' };
      try {
        await putEscalationPolicy(tx, { orgId, name: values.name, definition, actor: email });
        return undefined;
      } catch (error) {
        if (!(error instanceof UnknownReferenceError)) throw error;
        return { [fieldOfPath(error.field.split('.'))]: error.message };
      }
    });
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
    await pages.show(request, response, {
      template: 'settings/escalation-form',
      view: { form: escalationFormView(values, problems, existing) },
      title: existing ? `Escalation policy ${values.name}` : 'New escalation policy',
      section: 'settings',
      narrow: true,
      status: Object.keys(problems).length > 0 ? 422 : 200,
    });
  }

  return router;
}
