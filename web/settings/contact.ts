import { type Request, type Response, Router } from 'express';
import { contactTests } from '../../api/auth/contact-tests.ts';
import { type ContactSettings, getContactSettings, putContactSettings } from '../../db/contact-rules.ts';
import { listNotificationChannels, UnknownReferenceError } from '../../db/policies.ts';
import { readReportSettings } from '../../db/report-audience.ts';
import { methodsOf } from '../../domain/contact-method.ts';
import type { WebDeps } from '../deps.ts';
import { formStatus, type Problems } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { act, NotFoundError, type Pages } from '../layout/pages.ts';
import { uuidOf } from '../layout/uuid.ts';
import { assertVisitorRole, visitorOf } from '../visitor.ts';
import {
  type ContactValues,
  contactFieldOf,
  contactFormView,
  contactValues,
  postedContact,
  readContact,
  withRows,
} from './contact-form.ts';

/** One's own, and an Admin's view of somebody else's. */
const paths = ['/settings/account/contact', '/settings/people/:id/contact'];

/** How people want to be reached: the editor of contact rules, and a test of them. */
export function contactRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get(paths, async (request, response) => {
    const settings = await settingsOf(request);
    await form(request, response, settings, contactValues(settings.rules, settings.timeZone), {});
  });

  router.post(paths, async (request, response) => {
    const settings = await settingsOf(request);
    const values = postedContact(request.body);
    const edited = withRows(values, String(request.body?.do ?? ''));
    if (edited) {
      await form(request, response, settings, edited, {});
      return;
    }
    const read = readContact(values);
    const problems = 'problems' in read ? read.problems : await save(request, settings.userId, read);
    if (problems) {
      await form(request, response, settings, values, problems);
      return;
    }
    const { own, back } = placeOf(request, settings);
    setFlash(response, 'good', `Saved. The next page reaches ${own ? 'you' : settings.email} like this.`);
    response.redirect(303, back);
  });

  router.post(
    paths.map((path) => `${path}/test`),
    async (request, response) => {
      const { orgId, userId, email: requestedBy } = visitorOf(request);
      const settings = await settingsOf(request);
      contactTests.take([userId], Date.now());
      const { own, action, back } = placeOf(request, settings);
      const methods = methodsOf(settings.rules);
      await act(response, own ? back : action, async () => {
        await deps.messages.testContact(orgId, { email: settings.email, methods, requestedBy });
        const ways = methods.length === 1 ? 'one way' : `${methods.length} ways`;
        return own
          ? `A test is on its way to you by ${ways}. Reload in a moment to see how each went.`
          : `A test is on its way to ${settings.email} by ${ways}.`;
      });
    },
  );

  /** Whose rules the address names. Throws ForbiddenError where they are somebody else's and the visitor no Admin. */
  async function settingsOf(request: Request): Promise<ContactSettings> {
    const { scope, userId: visitorId } = visitorOf(request);
    const userId = request.params.id === undefined ? visitorId : uuidOf(request.params.id, 'person');
    if (userId !== visitorId) assertVisitorRole(request, 'admin', null);
    const settings = await deps.db.read(scope, (tx) => getContactSettings(tx, userId));
    if (!settings || settings.disabledAt) throw new NotFoundError('There is no such person.');
    return settings;
  }

  async function save(
    request: Request,
    userId: string,
    settings: Pick<ContactSettings, 'rules' | 'timeZone'>,
  ): Promise<Problems | null> {
    const { scope, orgId, email: actor } = visitorOf(request);
    try {
      await deps.db.write(scope, (tx) => putContactSettings(tx, { orgId, userId, ...settings, actor }));
      return null;
    } catch (error) {
      if (!(error instanceof UnknownReferenceError)) throw error;
      return { [contactFieldOf(error.field.split('.'))]: error.message };
    }
  }

  async function form(
    request: Request,
    response: Response,
    settings: ContactSettings,
    values: ContactValues,
    problems: Problems,
  ): Promise<void> {
    const { channels, organizationZone } = await deps.db.read(visitorOf(request).scope, async (tx) => ({
      channels: await listNotificationChannels(tx),
      organizationZone: (await readReportSettings(tx)).timeZone ?? deps.timeZone,
    }));
    const { email } = settings;
    const place = placeOf(request, settings);
    await pages.show(request, response, {
      template: 'settings/contact-form',
      view: { form: contactFormView(values, problems, { email, channels, organizationZone }), place },
      title: place.heading,
      section: 'settings',
      narrow: true,
      status: formStatus(problems),
    });
  }

  return router;
}

function placeOf(request: Request, { userId, name, email }: ContactSettings) {
  const own = request.params.id === undefined;
  return {
    own,
    heading: own ? 'How you are reached' : `How ${name || email} is reached`,
    action: own ? '/settings/account/contact' : `/settings/people/${userId}/contact`,
    back: own ? '/settings/account' : '/settings/people',
    backTo: own ? 'Your account' : 'People',
  };
}
