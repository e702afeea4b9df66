import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { mayOn } from '../../api/auth/principal.ts';
import { createSignInLink, createUser, getPerson, listPeople, setMembership } from '../../db/identity.ts';
import { identityProviders, listAllIdentities, unlinkIdentity } from '../../db/user-identities.ts';
import { roles } from '../../domain/roles.ts';
import { providerNames } from '../chat/view.ts';
import type { WebDeps } from '../deps.ts';
import { field, type Problems, posted } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { uuidOf } from '../layout/uuid.ts';
import { requireRole, visitorOf } from '../visitor.ts';

const linkLivesMs = 24 * 3_600_000;

export function peopleRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get('/settings/people', async (request, response) => {
    await show(request, response, {});
  });

  router.post('/settings/people', requireRole('owner'), async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const values = {
      name: posted(request.body, 'name'),
      email: posted(request.body, 'email').toLowerCase(),
      role: posted(request.body, 'role'),
    };
    const role = roles.find((known) => known === values.role);
    const problems: Problems = {
      ...(values.name === '' ? { name: 'Write their name.' } : {}),
      ...(z.email().safeParse(values.email).success ? {} : { email: 'Write a mail address.' }),
      ...(role ? {} : { role: 'Choose a role.' }),
    };
    if (!role || Object.keys(problems).length > 0) {
      await show(request, response, { values, problems });
      return;
    }
    const token = await deps.db.write(scope, async (tx) => {
      const taken = (await listPeople(tx)).some((person) => person.email === values.email);
      if (taken) return undefined;
      const userId = await createUser(tx, { orgId, email: values.email, name: values.name, actor });
      await setMembership(tx, { orgId, userId, teamId: null, role, actor });
      return await createSignInLink(tx, { orgId, userId, expiresAt: inADay(), actor });
    });
    if (token === undefined) {
      await show(request, response, { values, problems: { email: 'Somebody has this address already.' } });
      return;
    }
    await show(request, response, { link: linkOf(values.email, token) });
  });

  router.post('/settings/people/:id/sign-in-link', requireRole('owner'), async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const userId = uuidOf(request.params.id, 'person');
    const link = await deps.db.write(scope, async (tx) => {
      const person = await getPerson(tx, userId);
      if (!person || person.disabledAt) throw new NotFoundError('There is no such person.');
      return linkOf(person.email, await createSignInLink(tx, { orgId, userId, expiresAt: inADay(), actor }));
    });
    await show(request, response, { link });
  });

  router.post('/settings/people/:id/unlink', requireRole('owner'), async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const userId = uuidOf(request.params.id, 'person');
    const externalId = posted(request.body, 'externalId');
    const provider = identityProviders.find((known) => known === posted(request.body, 'provider'));
    const person = await deps.db.write(scope, async (tx) => {
      const found = await getPerson(tx, userId);
      if (!found || !provider) throw new NotFoundError('There is no such person, or no such vendor.');
      return (await unlinkIdentity(tx, { orgId, userId, provider, externalId, actor })) ? found : undefined;
    });
    if (person) {
      const who = person.name || person.email;
      setFlash(response, 'good', `Disconnected: nothing is done there in the name of ${who} any more.`);
    } else setFlash(response, 'plain', 'It was disconnected already.');
    response.redirect(303, '/settings/people');
  });

  const inADay = () => new Date(pages.now() + linkLivesMs);
  const linkOf = (email: string, token: string) => ({ email, url: `${deps.publicUrl}/sign-in/${token}` });

  async function show(
    request: Request,
    response: Response,
    given: { values?: Record<string, string>; problems?: Problems; link?: { email: string; url: string } },
  ): Promise<void> {
    const { scope, principal } = visitorOf(request);
    const { people, identities } = await deps.db.read(scope, async (tx) => ({
      people: await listPeople(tx),
      identities: mayOn(principal, 'owner', null) ? await listAllIdentities(tx) : [],
    }));
    await pages.show(request, response, {
      template: 'settings/people',
      view: {
        people: people.map((person) => ({
          userId: person.userId,
          name: person.name || person.email,
          email: person.email,
          disabled: person.disabledAt !== null,
          identities: identities
            .filter(({ userId }) => userId === person.userId)
            .map((identity) => ({
              ...identity,
              providerName: providerNames[identity.provider],
              called: identity.name || identity.externalId,
            })),
          roles:
            person.memberships
              .map(({ role, teamName }) => (teamName ? `${role} of ${teamName}` : role))
              .join(', ') || 'none',
        })),
        link: given.link ?? null,
        form: {
          name: field('name', 'Name', given),
          email: field('email', 'Mail address', { ...given, type: 'email' }),
          role: field('role', 'Role', {
            ...given,
            choices: roles.map((role) => ({
              value: role,
              label: role.charAt(0).toUpperCase() + role.slice(1),
            })),
          }),
        },
      },
      title: 'People',
      section: 'settings',
      narrow: true,
      status: given.problems ? 422 : 200,
      secret: given.link !== undefined,
    });
  }

  return router;
}
