import { type Request, Router } from 'express';
import { signedInPerson } from '../../api/auth/authenticate.ts';
import { mayOn, voterOf } from '../../api/auth/principal.ts';
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
import { linkView, problemView } from './view.ts';

/** Links from mails. GET shows and changes nothing, so that a mail scanner may open them; POST acts, once. */
export function linkRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get('/l/:token', async (request, response) => {
    const grant = await verifyLink(deps.db, request.params.token);
    const view =
      'problem' in grant
        ? problemView(grant.problem)
        : linkView(grant, await find(grant), pages.now(), await refusalOfStranger(request, grant));
    response.set('Referrer-Policy', 'no-referrer').set('X-Robots-Tag', 'noindex');
    pages.alone(request, response, {
      template: 'links/show',
      view,
      title: view.incident?.title ?? view.approval?.runbook ?? 'Link',
      wide: true,
      status: view.problem ? 410 : 200,
    });
  });

  router.post('/l/:token', async (request, response) => {
    const grant = await verifyLink(deps.db, request.params.token);
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
    const reason = posted(request.body, 'reason').slice(0, 500);
    const outcome = stranger ?? (await perform(request.params.token, grant, reason));
    const view = outcome ? linkView(grant, await find(grant), pages.now(), outcome) : problemView('used');
    const status = stranger ? 403 : 200;
    pages.alone(request, response, { template: 'links/show', view, title: 'Done', wide: true, status });
  });

  /** A user's link acts in that user's name: who is signed in as somebody else has been passed it on. */
  async function refusalOfStranger(request: Request, grant: LinkGrant) {
    const secureCookies = deps.publicUrl.startsWith('https:');
    const visitor = await signedInPerson({ db: deps.db, secureCookies }, request);
    const person = grant.person.toLowerCase();
    if (!visitor || visitor.orgId !== grant.orgId || visitor.email === person) return null;
    const people = await deps.db.read({ orgId: grant.orgId }, (tx) => listPeople(tx));
    if (!people.some(({ email }) => email === person)) return null;
    const text = `This link was sent to ${person}, and you are signed in as ${visitor.email}. Decide in your own name on the pages of Holdfast.`;
    return { tone: 'bad', icon: 'failed', text } as const;
  }

  /**
   * Null when another click was first. A refusal leaves the link good. The link is spent after the act and not
   * around it, so that many clicks hold no connections to the database while Temporal answers: until it is spent,
   * the same click again is the same message to the workflow, which counts once.
   */
  async function perform(token: string, grant: LinkGrant, reason: string) {
    try {
      await send(grant, reason);
      const spent = await deps.db.write({ orgId: grant.orgId }, (tx) => useLink(tx, grant));
      return spent ? ({ tone: 'good', icon: 'done', text: doneTexts[grant.action] } as const) : null;
    } catch (error) {
      // the click that was first may have brought it all to its end
      if ('problem' in (await verifyLink(deps.db, token))) return null;
      return { tone: 'bad', icon: 'failed', text: refusalText(error) } as const;
    }
  }

  /**
   * An address that a policy names was asked on purpose. Where it is a user's, the user may do by mail what the
   * user may do on the pages. Throws RefusedError.
   */
  async function actorOf(grant: LinkGrant): Promise<Actor> {
    const { people, incident, approval } = await find(grant);
    const person = people.find((each) => each.email === grant.person.toLowerCase());
    if (!person) return { name: grant.person, via: 'mail' };
    const decides = grant.action === 'approve' || grant.action === 'reject';
    const teamId = (decides ? approval?.teamId : incident?.teamId) ?? null;
    if (!mayOn({ ...person, orgId: grant.orgId }, 'operator', teamId)) {
      throw new RefusedError(`${person.email} may see this, and not act on it: that takes the role Operator`);
    }
    return voterOf({ ...person, orgId: grant.orgId }, teamId, 'mail');
  }

  async function send(grant: LinkGrant, reason: string): Promise<void> {
    const actor = await actorOf(grant);
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
      const id = executionId ?? (await find(grant)).approval?.executionId;
      if (id === undefined) return;
      await deps.messages[grant.action](grant.orgId, id, {
        actor,
        ...(approvalId === undefined ? {} : { approvalId }),
        ...(reason ? { reason } : {}),
      });
    }
  }

  async function find(grant: LinkGrant) {
    const { orgId, subject } = grant;
    return await deps.db.read({ orgId }, async (tx) => {
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
  }

  return router;
}

/** As it votes: an address that is no user's has no role. */
function readerOf(grant: LinkGrant, people: readonly Person[], teamId: string | null) {
  const person = people.find(({ email }) => email === grant.person.toLowerCase());
  return person ? voterOf({ ...person, orgId: grant.orgId }, teamId, 'mail') : { name: grant.person };
}

const doneTexts: Record<LinkGrant['action'], string> = {
  acknowledge: 'Acknowledged: it is yours, and the escalation has stopped.',
  approve: 'Your approval counts.',
  reject: 'Rejected: it does not run.',
  view: 'Nothing to do.',
};
