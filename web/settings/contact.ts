import { type Request, type Response, Router } from 'express';
import { getContactSettings, putContactSettings } from '../../db/contact-rules.ts';
import { listNotificationChannels, UnknownReferenceError } from '../../db/policies.ts';
import { readReportSettings } from '../../db/report-audience.ts';
import { methodsOf } from '../../domain/contact-method.ts';
import type { WebDeps } from '../deps.ts';
import type { Problems } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { act, NotFoundError, type Pages } from '../layout/pages.ts';
import { visitorOf } from '../visitor.ts';
import {
  type ContactValues,
  contactFieldOf,
  contactFormView,
  contactValues,
  postedContact,
  readContact,
  withRows,
} from './contact-form.ts';

const base = '/settings/account';

/** How a person wants to be reached: the editor of their own contact rules, and a test of them. */
export function contactRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get(`${base}/contact`, async (request, response) => {
    const { rules, timeZone } = await settingsOf(request);
    await form(request, response, contactValues(rules, timeZone), {});
  });

  router.post(`${base}/contact`, async (request, response) => {
    const { scope, orgId, userId, email } = visitorOf(request);
    const values = postedContact(request.body);
    const edited = withRows(values, String(request.body?.do ?? ''));
    if (edited) {
      await form(request, response, edited, {});
      return;
    }
    const read = readContact(values);
    const problems = 'problems' in read ? read.problems : await save(read);
    if (problems) {
      await form(request, response, values, problems);
      return;
    }
    setFlash(response, 'good', 'Saved. The next page reaches you like this.');
    response.redirect(303, base);

    async function save(settings: Exclude<typeof read, { problems: Problems }>): Promise<Problems | null> {
      try {
        await deps.db.write(scope, (tx) =>
          putContactSettings(tx, { orgId, userId, ...settings, actor: email }),
        );
        return null;
      } catch (error) {
        if (!(error instanceof UnknownReferenceError)) throw error;
        return { [contactFieldOf(error.field.split('.'))]: error.message };
      }
    }
  });

  router.post(`${base}/contact/test`, async (request, response) => {
    const { orgId, email } = visitorOf(request);
    const methods = methodsOf((await settingsOf(request)).rules);
    await act(response, base, async () => {
      await deps.messages.testContact(orgId, { email, methods, requestedBy: email });
      const ways = methods.length === 1 ? 'one way' : `${methods.length} ways`;
      return `A test is on its way to you by ${ways}. Reload in a moment to see how each went.`;
    });
  });

  async function settingsOf(request: Request) {
    const { scope, userId } = visitorOf(request);
    const settings = await deps.db.read(scope, (tx) => getContactSettings(tx, userId));
    if (!settings) throw new NotFoundError('Your account is gone.');
    return settings;
  }

  async function form(
    request: Request,
    response: Response,
    values: ContactValues,
    problems: Problems,
  ): Promise<void> {
    const { scope, email } = visitorOf(request);
    const { channels, organizationZone } = await deps.db.read(scope, async (tx) => ({
      channels: await listNotificationChannels(tx),
      organizationZone: (await readReportSettings(tx)).timeZone ?? "Holdfast's own",
    }));
    await pages.show(request, response, {
      template: 'settings/contact-form',
      view: { form: contactFormView(values, problems, { email, channels, organizationZone }) },
      title: 'How you are reached',
      section: 'settings',
      narrow: true,
      status: Object.keys(problems).length > 0 ? 422 : 200,
    });
  }

  return router;
}
