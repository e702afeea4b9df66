import { z } from 'zod';
import type { Database, Tx } from '../../db/database.ts';
import {
  changeGitSource,
  createGitSource,
  EnvironmentTakenError,
  findWebhookSource,
  type GitSourceStanding,
  getGitSource,
  listGitSources,
  listImports,
  removeGitSource,
  rotateWebhookSecret,
} from '../../db/git-sources.ts';
import type { GitSourceSettings } from '../../domain/runbook-import/git-source.ts';
import { TemporalUnavailableError } from '../../workflows/messages-client.ts';
import type { GitSchedules } from '../../workflows/messages-git.ts';
import { UnauthenticatedError } from '../auth/errors.ts';
import { type Principal, scopeOf } from '../auth/principal.ts';
import { type Endpoint, endpoint, pageOf, pageQuery, personEndpoint, presentPage } from '../endpoint.ts';
import { ConflictError, NotFoundError } from '../errors.ts';
import { receiveWebhook } from '../webhook.ts';
import { presentGitSource, presentImport, webhookUrlOf } from './presenter.ts';
import {
  gitImport,
  gitSource,
  gitSourceBody,
  gitSourceCreated,
  gitSourceParams,
  newGitSource,
  syncAsked,
  webhookAnswer,
  webhookSecretShown,
} from './schema.ts';
import { readWebhook, verifyWebhook } from './webhook.ts';

const tag = 'Git sources';
const base = '/api/v1/git-sources';
const noSource = { 404: 'No source of this id' };

export function gitSourceEndpoints(deps: {
  db: Pick<Database, 'read' | 'write' | 'unscoped'>;
  gitSchedules: GitSchedules;
  publicUrl: string;
}): Endpoint[] {
  const { db, gitSchedules, publicUrl } = deps;

  async function find(principal: Principal, id: string): Promise<GitSourceStanding> {
    const source = await db.read(scopeOf(principal), (tx) => getGitSource(tx, id));
    if (!source) throw new NotFoundError(`Git source ${id}`);
    return source;
  }

  /** The first look comes at once; where Temporal is just gone, with the schedule. */
  async function syncSoon(orgId: string, sourceId: string, intervalMs: number): Promise<void> {
    try {
      await gitSchedules.sync({ orgId, sourceId, intervalMs });
    } catch (error) {
      if (!(error instanceof TemporalUnavailableError)) throw error;
    }
  }

  return [
    personEndpoint({
      method: 'get',
      path: base,
      tag,
      summary: 'List the Git sources of runbooks, and how each stands',
      access: 'viewer',
      status: 200,
      response: z.object({ items: z.array(gitSource) }),
      handle: async ({ principal }) => {
        const sources = await db.read(scopeOf(principal), listGitSources);
        return { items: sources.map((source) => presentGitSource(source, publicUrl)) };
      },
    }),
    personEndpoint({
      method: 'post',
      path: base,
      tag,
      summary: 'Add a Git source; shows the secret of its webhook, this once',
      access: 'admin',
      body: newGitSource,
      status: 201,
      response: gitSourceCreated,
      errors: { 409: 'The environment has a source already' },
      handle: async ({ principal, body }) => {
        const { orgId, email: actor } = principal;
        const settings = settingsOf(body);
        const { environment } = body;
        const { id, webhookSecret } = await db.write(scopeOf(principal), async (tx) => {
          const made = await createGitSource(tx, { orgId, environment, settings, actor }).catch(refuseTaken);
          // without its schedule nobody would ever look at it
          await gitSchedules.keep({ orgId, sourceId: made.id, intervalMs: settings.intervalMs });
          return made;
        });
        await syncSoon(orgId, id, settings.intervalMs);
        return { ...presentGitSource(await find(principal, id), publicUrl), webhookSecret };
      },
    }),
    personEndpoint({
      method: 'get',
      path: `${base}/{id}`,
      tag,
      summary: 'One Git source, and how it stands',
      access: 'viewer',
      params: gitSourceParams,
      status: 200,
      response: gitSource,
      errors: noSource,
      handle: async ({ principal, params }) => presentGitSource(await find(principal, params.id), publicUrl),
    }),
    personEndpoint({
      method: 'put',
      path: `${base}/{id}`,
      tag,
      summary: 'Change a Git source; what it names then is imported at once',
      access: 'admin',
      params: gitSourceParams,
      body: gitSourceBody,
      status: 200,
      response: gitSource,
      errors: noSource,
      handle: async ({ principal, params: { id }, body }) => {
        const { orgId, email: actor } = principal;
        const settings = settingsOf(body);
        const { intervalMs } = settings;
        await db.write(scopeOf(principal), async (tx) => {
          if (!(await changeGitSource(tx, { orgId, id, settings, actor }))) {
            throw new NotFoundError(`Git source ${id}`);
          }
          await gitSchedules.keep({ orgId, sourceId: id, intervalMs });
        });
        await syncSoon(orgId, id, intervalMs);
        return presentGitSource(await find(principal, id), publicUrl);
      },
    }),
    personEndpoint({
      method: 'delete',
      path: `${base}/{id}`,
      tag,
      summary: 'Remove a Git source and its runbooks; executions go on',
      access: 'admin',
      params: gitSourceParams,
      status: 204,
      errors: noSource,
      handle: async ({ principal, params: { id } }) => {
        const { orgId, email: actor } = principal;
        const removed = await db.write(scopeOf(principal), (tx) => removeGitSource(tx, { orgId, id, actor }));
        if (!removed) throw new NotFoundError(`Git source ${id}`);
        // a schedule that stays because Temporal is away finds no source when it is due, and goes then
        await gitSchedules.remove(orgId, id).catch((error: unknown) => {
          if (!(error instanceof TemporalUnavailableError)) throw error;
        });
        return undefined;
      },
    }),
    personEndpoint({
      method: 'post',
      path: `${base}/{id}/sync`,
      tag,
      summary: 'Look at the branch now',
      access: 'admin',
      params: gitSourceParams,
      status: 202,
      response: syncAsked,
      errors: noSource,
      handle: async ({ principal, params: { id } }) => {
        const { intervalMs } = await find(principal, id);
        await gitSchedules.sync({ orgId: principal.orgId, sourceId: id, intervalMs });
        return { id };
      },
    }),
    personEndpoint({
      method: 'get',
      path: `${base}/{id}/imports`,
      tag,
      summary: 'What came of its commits, newest first',
      access: 'viewer',
      params: gitSourceParams,
      query: z.object(pageQuery),
      status: 200,
      response: pageOf(gitImport),
      errors: noSource,
      handle: async ({ principal, params: { id }, query }) => {
        await find(principal, id);
        const page = await db.read(scopeOf(principal), (tx) => listImports(tx, { sourceId: id, ...query }));
        return presentPage(page, presentImport);
      },
    }),
    personEndpoint({
      method: 'post',
      path: `${base}/{id}/webhook-secret`,
      tag,
      summary: 'Give its webhook another secret, shown this once; the old one opens nothing any more',
      access: 'admin',
      params: gitSourceParams,
      status: 200,
      response: webhookSecretShown,
      errors: noSource,
      handle: async ({ principal, params: { id } }) => {
        const { orgId, email: actor } = principal;
        const webhookSecret = await db.write(scopeOf(principal), (tx) =>
          rotateWebhookSecret(tx, { orgId, id, actor }),
        );
        if (webhookSecret === undefined) throw new NotFoundError(`Git source ${id}`);
        return { webhookUrl: webhookUrlOf(publicUrl, id), webhookSecret };
      },
    }),
    endpoint({
      method: 'post',
      path: `${base}/{id}/webhook`,
      tag,
      summary:
        'Take the push webhook of GitHub (X-Hub-Signature-256), GitLab (X-Gitlab-Token) or Gitea (X-Gitea-Signature)',
      access: 'public',
      params: gitSourceParams,
      status: 202,
      response: webhookAnswer,
      errors: {
        401: 'No signature or token, or a wrong one',
        404: 'No source of this id',
        413: 'More than 1 MB',
        503: 'Not available now: the schedule makes it up',
      },
      handle: async ({ params: { id }, request }) => {
        const source = await db.unscoped((tx) => findWebhookSource(tx, id));
        if (!source) throw new NotFoundError(`Git source ${id}`);
        const received = await receiveWebhook(request, 1);
        const verification = verifyWebhook(received, source.webhookSecret);
        if (verification !== 'valid') throw new UnauthenticatedError(unverified[verification]);
        const event = readWebhook(received);
        if (event.kind === 'other') return ignored(`nothing to do for ${event.what}`);
        if (event.branch !== source.branch) return ignored(`the source reads the branch ${source.branch}`);
        if (event.deleted) return ignored('the branch was deleted: what was imported last stays');
        await db
          .read({ orgId: source.orgId }, (tx) => intervalOf(tx, id))
          .then((intervalMs) => gitSchedules.sync({ orgId: source.orgId, sourceId: id, intervalMs }));
        return { started: true, reason: `the branch ${source.branch} is read` };
      },
    }),
  ];
}

const unverified = {
  missing: 'send X-Hub-Signature-256 (GitHub), X-Gitlab-Token (GitLab) or X-Gitea-Signature (Gitea)',
  wrong: "the signature or token is not the one of this source: set the webhook's secret anew",
};

/** What the host shows in its list of deliveries. */
const ignored = (reason: string) => ({ started: false, reason: reason.slice(0, 200) });

function settingsOf(body: z.output<typeof gitSourceBody>): GitSourceSettings {
  const { intervalSeconds, url, branch, path, credential } = body;
  return { url, branch, path, credential, intervalMs: intervalSeconds * 1000 };
}

function refuseTaken(error: unknown): never {
  throw error instanceof EnvironmentTakenError ? new ConflictError(error.message, error) : error;
}

async function intervalOf(tx: Tx, id: string): Promise<number> {
  const source = await getGitSource(tx, id);
  if (!source) throw new NotFoundError(`Git source ${id}`);
  return source.intervalMs;
}
