import { type Request, Router } from 'express';
import { assertSameSite, signedInPerson } from '../../api/auth/authenticate.ts';
import { mayOn, type Principal, scopeOf, voterOf } from '../../api/auth/principal.ts';
import { getApproval } from '../../db/approvals.ts';
import { getExecution } from '../../db/executions-read.ts';
import { listPeople, type Person } from '../../db/identity.ts';
import { getIncidentHead } from '../../db/incident-detail.ts';
import { listIncidentNotifications } from '../../db/notifications-read.ts';
import { type LinkGrant, useLink, verifyLink } from '../../db/signed-links.ts';
import type { Actor } from '../../workflows/messages.ts';
import { RefusedError } from '../../workflows/messages-client.ts';
import type { WebDeps } from '../deps.ts';
import { posted } from '../layout/fields.ts';
import { type Pages, refusalText } from '../layout/pages.ts';
import { closeAsFalsePositive, needsOperator, runByLink, runbooksToChoose } from './incident-acts.ts';
import { type LinkOutcome, linkView, problemView, takesRole } from './view.ts';

/** Links from mails and cards. GET shows and changes nothing, so that a scanner may open them; POST acts, once. */
export function linkRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get('/l/:token', async (request, response) => {
    const { token } = request.params;
    const grant = await verifyLink(deps.db, token);
    const view =
      'problem' in grant
        ? problemView(grant.problem)
        : linkView(grant, await find(request, grant), pages.now(), await refusalOfStranger(request, grant));
    response.set('Referrer-Policy', 'no-referrer').set('X-Robots-Tag', 'noindex');
    pages.alone(request, response, {
      template: 'links/show',
      view: { ...view, signInHref: `/sign-in?${new URLSearchParams({ back: `/l/${token}` })}` },
      title: view.incident?.title ?? view.approval?.runbook ?? 'Link',
      wide: true,
      status: view.problem ? 410 : 200,
    });
  });

  router.post('/l/:token', async (request, response) => {
    const { token } = request.params;
    const grant = await verifyLink(deps.db, token);
    if ('problem' in grant) {
      pages.alone(request, response, {
        template: 'links/show',
        view: problemView(grant.problem),
        title: 'Link',
        wide: true,
        status: 410,
      });
      return;
    }
    const stranger = await refusalOfStranger(request, grant);
    const outcome = stranger ?? (await perform(request, token, grant));
    const view = outcome
      ? linkView(grant, await find(request, grant), pages.now(), outcome)
      : problemView('used');
    const status = stranger ? 403 : 200;
    pages.alone(request, response, { template: 'links/show', view, title: 'Done', wide: true, status });
  });

  /** A user's link acts in that user's name: who is signed in as somebody else has been passed it on. */
  async function refusalOfStranger(request: Request, grant: LinkGrant): Promise<LinkOutcome | null> {
    const visitor = await visitorOf(request, grant);
    const person = grant.person.toLowerCase();
    if (!visitor || visitor.email === person) return null;
    const people = await deps.db.read({ orgId: grant.orgId }, (tx) => listPeople(tx));
    if (!people.some(({ email }) => email === person)) return null;
    const text = `This link was sent to ${person}, and you are signed in as ${visitor.email}. Decide in your own name on the pages of Holdfast.`;
    return refusal(text);
  }

  async function visitorOf(request: Request, { orgId }: LinkGrant): Promise<Principal | undefined> {
    const secureCookies = deps.publicUrl.startsWith('https:');
    const visitor = await signedInPerson({ db: deps.db, secureCookies }, request);
    return visitor?.orgId === orgId ? visitor : undefined;
  }

  /** With whose role a link acts that takes one: its reader's, or, where many read it, that of whoever is signed in. */
  async function actingOn(
    request: Request,
    grant: LinkGrant,
    people: readonly Person[],
  ): Promise<Principal | undefined> {
    if (!takesRole(grant)) return undefined;
    const person = people.find(({ email }) => email === grant.person.toLowerCase());
    return person ? { ...person, orgId: grant.orgId } : await visitorOf(request, grant);
  }

  /**
   * Null when another click was first. A refusal leaves the link good. The link is spent after the act and not
   * around it, so that many clicks hold no connections to the database while Temporal answers: until it is spent,
   * the same click again is the same message to the workflow, which counts once.
   */
  async function perform(request: Request, token: string, grant: LinkGrant): Promise<LinkOutcome | null> {
    const reason = posted(request.body, 'reason').slice(0, 500);
    try {
      if (grant.action === 'run') return await run(request, grant);
      if (grant.action === 'false_positive') {
        await closeAsFalsePositive(deps, grant, await actorWithRole(request, grant), reason);
      } else {
        await send(request, grant, reason);
      }
      const spent = await deps.db.write({ orgId: grant.orgId }, (tx) => useLink(tx, grant));
      return spent ? { tone: 'good', icon: 'done', text: doneTexts[grant.action] } : null;
    } catch (error) {
      // the click that was first may have brought it all to its end
      if ('problem' in (await verifyLink(deps.db, token))) return null;
      return refusal(refusalText(error));
    }
  }

  async function run(request: Request, grant: LinkGrant): Promise<LinkOutcome | null> {
    const runbook = posted(request.body, 'runbook');
    const ran = await runByLink(deps, grant, await actorWithRole(request, grant), runbook);
    if (ran.status === 'used') return null;
    if (ran.status === 'incomplete') {
      const href = `/runbooks/${encodeURIComponent(runbook)}?incident=${grant.subject.incidentNumber}`;
      return { ...refusal(`Not run: ${ran.problems.join('; ')}.`), href, hrefText: `Fill in ${runbook}` };
    }
    const text = ran.started
      ? `${runbook} is on its way.`
      : `${runbook} is written down, and starts by itself when Temporal answers again.`;
    const href = `/executions/${ran.id}`;
    return { tone: 'good', icon: 'done', text, href, hrefText: 'Watch it run' };
  }

  /** Throws RefusedError; ForeignRequestError where a session acts for a page of another site. */
  async function actorWithRole(request: Request, grant: LinkGrant): Promise<Principal> {
    const people = await deps.db.read({ orgId: grant.orgId }, (tx) => listPeople(tx));
    const actor = await actingOn(request, grant, people);
    if (!actor) throw new RefusedError('many read this card. Sign in, and open it again: it acts as you');
    if (actor.session) assertSameSite(request);
    return actor;
  }

  /**
   * An address that a policy names was asked on purpose. Where it is a user's, the user may do by mail what the
   * user may do on the pages. Throws RefusedError.
   */
  async function actorOf(request: Request, grant: LinkGrant): Promise<Actor> {
    const { people, incident, approval } = await find(request, grant);
    const person = people.find((each) => each.email === grant.person.toLowerCase());
    if (!person) return { name: grant.person, via: 'mail' };
    const decides = grant.action === 'approve' || grant.action === 'reject';
    const teamId = (decides ? approval?.teamId : incident?.teamId) ?? null;
    if (!mayOn({ ...person, orgId: grant.orgId }, 'operator', teamId)) {
      throw new RefusedError(needsOperator(person.email));
    }
    return voterOf({ ...person, orgId: grant.orgId }, teamId, 'mail');
  }

  async function send(request: Request, grant: LinkGrant, reason: string): Promise<void> {
    const actor = await actorOf(request, grant);
    const { incidentNumber, opening, asOf, executionId, approvalId } = grant.subject;
    if (grant.action === 'acknowledge' && incidentNumber !== undefined) {
      const incident = await deps.db.read({ orgId: grant.orgId }, (tx) =>
        getIncidentHead(tx, incidentNumber),
      );
      await deps.messages.acknowledge(grant.orgId, incidentNumber, {
        actor: { name: actor.name, via: actor.via },
        asOf: asOf ?? incident?.recordedSeq ?? 0,
        ...(opening === undefined ? {} : { opening }),
      });
    } else if (grant.action === 'approve' || grant.action === 'reject') {
      const id = executionId ?? (await find(request, grant)).approval?.executionId;
      if (id === undefined) return;
      await deps.messages[grant.action](grant.orgId, id, {
        actor,
        ...(approvalId === undefined ? {} : { approvalId }),
        ...(reason ? { reason } : {}),
      });
    }
  }

  async function find(request: Request, grant: LinkGrant) {
    const { orgId, subject } = grant;
    const found = await deps.db.read({ orgId }, async (tx) => {
      const people = await listPeople(tx);
      const approval = subject.approvalId ? await getApproval(tx, subject.approvalId) : undefined;
      const executionId = subject.executionId ?? approval?.executionId;
      const execution = executionId ? await getExecution(tx, executionId) : undefined;
      const number = subject.incidentNumber ?? approval?.incident?.number;
      const incident = number === undefined ? undefined : await getIncidentHead(tx, number);
      return {
        approval: approval ?? execution?.approvals[0],
        execution,
        incident,
        notifications: incident
          ? (await listIncidentNotifications(tx, { incidentId: incident.id, limit: 50 })).items
          : [],
        people,
        reader: readerOf(grant, people, approval?.teamId ?? null),
      };
    });
    const acting = await actingOn(request, grant, found.people);
    const { incident } = found;
    const runbooks =
      grant.action === 'run' && acting && incident
        ? await deps.db.read(scopeOf(acting), (tx) => runbooksToChoose(tx, acting, incident.id))
        : [];
    return { ...found, acting, runbooks };
  }

  return router;
}

/** As it votes: an address that is no user's has no role. */
function readerOf(grant: LinkGrant, people: readonly Person[], teamId: string | null) {
  const person = people.find(({ email }) => email === grant.person.toLowerCase());
  return person ? voterOf({ ...person, orgId: grant.orgId }, teamId, 'mail') : { name: grant.person };
}

const refusal = (text: string): LinkOutcome => ({ tone: 'bad', icon: 'failed', text });

const doneTexts: Record<Exclude<LinkGrant['action'], 'run'>, string> = {
  acknowledge: 'Acknowledged: it is yours, and the escalation has stopped.',
  approve: 'Your approval counts.',
  reject: 'Rejected: it does not run.',
  false_positive: 'Closed as a false positive.',
  view: 'Nothing to do.',
};
