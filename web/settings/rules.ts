import { type Request, type Response, Router } from 'express';
import { createNotificationRulePreview } from '../../db/notification-rule-preview.ts';
import {
  deleteNotificationRule,
  getNotificationRule,
  listNotificationRules,
  putNotificationRule,
} from '../../db/notification-rules.ts';
import { UnknownReferenceError } from '../../db/policies.ts';
import { NotTriedError } from '../../db/preview-thread.ts';
import { targetName } from '../../domain/escalation/pages.ts';
import { conditionsText } from '../../domain/notification-rules/conditions-text.ts';
import { triggerWords } from '../../domain/notification-rules/trigger-words.ts';
import type { WebDeps } from '../deps.ts';
import { formStatus, type Problems, posted } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { saveNamed } from '../named-configuration.ts';
import { readerZone } from '../on-call/reader-zone.ts';
import { requireRole, visitorOf, whenLeft } from '../visitor.ts';
import { readTargetChoices } from './escalation-targets.ts';
import {
  editRule,
  fieldOfPath,
  newRule,
  postedRule,
  previewView,
  type RuleValues,
  readRule,
  ruleFormView,
  rulesPath,
  ruleValues,
} from './rule-form.ts';

/** Rules of notification: who hears of what. */
export function ruleRoutes(deps: WebDeps, pages: Pages): Router {
  const { db } = deps;
  const router = Router();
  const preview = createNotificationRulePreview(db);

  router.get(rulesPath, async (request, response) => {
    const rules = await db.read(visitorOf(request).scope, listNotificationRules);
    await pages.show(request, response, {
      template: 'settings/rule-list',
      view: {
        rules: rules.map(({ name, definition }) => ({
          name,
          href: `${rulesPath}/${encodeURIComponent(name)}`,
          order: definition.order,
          enabled: definition.enabled,
          triggers: definition.triggers.map((trigger) => triggerWords[trigger]).join(', or '),
          conditions: conditionsText(definition.when),
          targets: definition.targets.map(targetName).join(', '),
        })),
      },
      title: 'Rules',
      section: 'settings',
      narrow: true,
    });
  });

  router.get(`${rulesPath}/new`, requireRole('admin'), async (request, response) => {
    await form(request, response, { values: newRule(await zoneOf(request)), existing: false });
  });

  router.get(`${rulesPath}/:name`, requireRole('admin'), async (request, response) => {
    const name = String(request.params.name);
    const rule = await db.read(visitorOf(request).scope, (tx) => getNotificationRule(tx, name));
    if (!rule) throw new NotFoundError(`There is no rule ${name}.`);
    const values = ruleValues(name, rule.definition, await zoneOf(request));
    await form(request, response, { values, existing: true });
  });

  for (const existing of [false, true]) {
    const path = existing ? `${rulesPath}/:name` : `${rulesPath}/new`;
    const valuesOf = (request: Request): RuleValues => {
      const values = postedRule(request.body);
      if (!existing) return values;
      return { ...values, texts: { ...values.texts, name: String(request.params.name) } };
    };

    router.post(path, requireRole('admin'), async (request, response) => {
      const values = valuesOf(request);
      const edit = posted(request.body, 'edit');
      if (edit !== '') await form(request, response, { values: editRule(values, edit), existing });
      else await save(request, response, values, existing);
    });

    router.post(`${path}/try`, requireRole('admin'), async (request, response) => {
      await tryOut(request, response, valuesOf(request), existing);
    });
  }

  router.post(`${rulesPath}/:name/delete`, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const name = String(request.params.name);
    await db.write(scope, (tx) => deleteNotificationRule(tx, { orgId, name, actor }));
    setFlash(response, 'good', `The rule ${name} is deleted.`);
    response.redirect(303, rulesPath);
  });

  /** For the times of a rule that has none yet. */
  async function zoneOf(request: Request): Promise<string> {
    const { scope, userId } = visitorOf(request);
    return await db.read(scope, (tx) => readerZone(tx, userId, deps.timeZone));
  }

  async function save(request: Request, response: Response, values: RuleValues, existing: boolean) {
    const { scope, orgId, email: actor } = visitorOf(request);
    const { name } = values.texts;
    const problems = await saveNamed(
      { db, scope },
      {
        read: readRule(values),
        existing,
        find: (tx) => getNotificationRule(tx, name),
        put: (tx, definition) => putNotificationRule(tx, { orgId, name, definition, actor }),
        fieldOf: (path) => fieldOfPath(path.split('.')),
      },
    );
    if (problems) {
      await form(request, response, { values, existing, problems });
      return;
    }
    setFlash(response, 'good', `The rule ${name} is saved. What happens from now on goes by it.`);
    response.redirect(303, rulesPath);
  }

  async function tryOut(request: Request, response: Response, values: RuleValues, existing: boolean) {
    const { name } = values.texts;
    // a rule can be tried before it has a name
    const named = name === '' ? { ...values, texts: { ...values.texts, name: 'preview' } } : values;
    const read = readRule(named);
    if ('problems' in read) {
      await form(request, response, { values, existing, problems: read.problems });
      return;
    }
    try {
      const rule = { name: named.texts.name, rule: read.definition };
      const found = await preview(visitorOf(request).scope, rule, whenLeft(request));
      await form(request, response, { values, existing, tried: previewView(found) });
    } catch (error) {
      if (error instanceof NotTriedError) {
        await form(request, response, { values, existing, notTried: error });
        return;
      }
      await form(request, response, { values, existing, problems: referenceProblem(error) });
    }
  }

  async function form(
    request: Request,
    response: Response,
    given: {
      values: RuleValues;
      existing: boolean;
      problems?: Problems;
      tried?: ReturnType<typeof previewView>;
      notTried?: NotTriedError;
    },
  ): Promise<void> {
    const { values, existing, problems = {}, tried = null, notTried } = given;
    const { choices } = await db.read(visitorOf(request).scope, (tx) => readTargetChoices(tx, pages.now()));
    await pages.show(request, response, {
      template: 'settings/rule-form',
      view: {
        form: ruleFormView(values, problems, { existing, choices }),
        tried,
        notTried: notTried?.message ?? null,
      },
      title: existing ? `Rule ${values.texts.name}` : 'New rule',
      section: 'settings',
      narrow: true,
      status: formStatus(problems, notTried),
    });
  }

  return router;
}

/** Throws whatever is no unknown name. */
function referenceProblem(error: unknown): Problems {
  if (!(error instanceof UnknownReferenceError)) throw error;
  return { [fieldOfPath(error.field.split('.'))]: error.message };
}
