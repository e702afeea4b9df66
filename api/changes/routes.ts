import { randomUUID } from 'node:crypto';
import { findChangeSource, noteSourceSpoke } from '../../db/change-sources.ts';
import { recordChange, recordManualChange, teamOfService } from '../../db/changes.ts';
import { changeFrequency, getChange, listChanges } from '../../db/changes-read.ts';
import { createCorrelationContexts, readCorrelationContext } from '../../db/correlation-context.ts';
import type { Database } from '../../db/database.ts';
import { listRunbooks } from '../../db/runbooks.ts';
import { newChangeReport } from '../../domain/changes/new-change.ts';
import { suggestRollback } from '../../domain/changes/suggest-rollback.ts';
import { UnauthenticatedError } from '../auth/errors.ts';
import { integrationOf } from '../auth/ingest-key.ts';
import { assertRole, scopeOf } from '../auth/principal.ts';
import {
  type Endpoint,
  endpoint,
  pageOf,
  personEndpoint,
  presentPage,
  withoutUndefined,
} from '../endpoint.ts';
import { InvalidRequestError, NotFoundError } from '../errors.ts';
import { receiveWebhook } from '../webhook.ts';
import { changesPerMinute, createChangeIntake } from './intake.ts';
import { presentChange, presentChangeDetail } from './presenter.ts';
import {
  change,
  changeDetail,
  changeListQuery,
  changeParams,
  changeRecorded,
  frequency,
  frequencyQuery,
  manualChange,
  newChange,
  webhookAnswer,
  webhookParams,
  webhookReads,
} from './schema.ts';
import { readChangeWebhook, unverified, verifyChangeWebhook } from './webhook.ts';

const tag = 'Changes';
const base = '/api/v1/changes';
/** A push of GitHub names the files of up to 2,048 commits. */
const webhookMegabytes = 5;
const busy = `More than ${changesPerMinute} changes a minute, or than can be stored: Retry-After says when to send it again`;

export function changeEndpoints(deps: { db: Pick<Database, 'read' | 'write' | 'unscoped'> }): Endpoint[] {
  const { db } = deps;
  const intake = createChangeIntake();
  const contextOf = createCorrelationContexts(db);
  return [
    endpoint({
      method: 'post',
      path: base,
      tag,
      summary: 'Tell of a change, or of the next step of one',
      access: 'ingest',
      body: newChange,
      status: 202,
      response: changeRecorded,
      errors: { 503: busy },
      handle: async ({ body, request }) => {
        const { orgId, integrationId } = integrationOf(request);
        intake.count(integrationId, Date.now());
        const report = newChangeReport(body, {
          externalId: body.externalId ?? randomUUID(),
          author: body.author ?? null,
        });
        const origin = { source: 'generic', sourceId: null, teamId: null } as const;
        const context = await contextOf(orgId);
        const { id, isNew } = await intake.turn(orgId, () =>
          db.write({ orgId }, (tx) => recordChange(tx, { orgId, origin, report, context })),
        );
        return { id, new: isNew };
      },
    }),
    endpoint({
      method: 'post',
      path: `${base}/webhooks/{sourceId}`,
      tag,
      summary:
        "Take a webhook of GitHub, Jenkins, Argo CD or another pipeline, with its source's signature or secret",
      access: 'public',
      params: webhookParams,
      alsoReads: webhookReads,
      status: 202,
      response: webhookAnswer,
      errors: {
        400: 'The message lacks what it is about',
        401: 'No signature or secret, or a wrong one',
        404: 'No source of this id',
        413: `More than ${webhookMegabytes} MB`,
        503: busy,
      },
      handle: async ({ params: { sourceId }, request }) => {
        const source = await db.unscoped((tx) => findChangeSource(tx, sourceId));
        if (!source) throw noSuchSource(sourceId);
        const received = await receiveWebhook(request, webhookMegabytes);
        const token = typeof request.query.token === 'string' ? request.query.token : undefined;
        const verification = verifyChangeWebhook(
          source.kind,
          { ...received, token },
          source.secret,
          Date.now(),
        );
        if (verification !== 'valid') throw new UnauthenticatedError(unverified[source.kind][verification]);
        const { orgId, kind, teamId, mapping } = source;
        const read = readChangeWebhook(kind, received, mapping);
        if ('invalid' in read) throw new InvalidRequestError(read.invalid);
        if ('ignored' in read) {
          await intake.turn(orgId, () => db.write({ orgId }, (tx) => noteSourceSpoke(tx, sourceId)));
          return { recorded: false, id: null, reason: read.ignored.slice(0, 200) };
        }
        intake.count(sourceId, Date.now());
        const context = await contextOf(orgId);
        const { id, isNew } = await intake.turn(orgId, () =>
          db.write({ orgId }, async (tx) => {
            if (!(await noteSourceSpoke(tx, sourceId))) throw noSuchSource(sourceId);
            const origin = { source: kind, sourceId, teamId };
            return await recordChange(tx, { orgId, origin, report: read.change, context });
          }),
        );
        return { recorded: true, id, reason: isNew ? 'a new change' : 'a change that was known' };
      },
    }),
    personEndpoint({
      method: 'post',
      path: `${base}/manual`,
      tag,
      summary: 'Write a change down by hand',
      access: 'operator',
      body: manualChange,
      status: 201,
      response: changeDetail,
      handle: async ({ principal, body }) => {
        const { orgId, email: actor } = principal;
        const report = newChangeReport(body, { externalId: randomUUID(), author: actor });
        // in the organization's scope: whose service it is stands there, and whose incidents it may concern
        return await db.write({ orgId }, async (tx) => {
          const context = await readCorrelationContext(tx);
          assertRole(principal, 'operator', await teamOfService(tx, report.service, context));
          const { id } = await recordManualChange(tx, { orgId, report, actor, context });
          const made = await getChange(tx, id);
          if (!made) throw new NotFoundError(`change ${id}`);
          return presentChangeDetail(made, []);
        });
      },
    }),
    personEndpoint({
      method: 'get',
      path: base,
      tag,
      summary: 'List changes, newest first',
      access: 'viewer',
      query: changeListQuery,
      status: 200,
      response: pageOf(change),
      handle: async ({ principal, query: { since, until, ...query } }) => {
        const page = await db.read(scopeOf(principal), (tx) =>
          listChanges(tx, {
            ...withoutUndefined(query),
            limit: query.limit,
            ...(since === undefined ? {} : { since: new Date(since) }),
            ...(until === undefined ? {} : { until: new Date(until) }),
          }),
        );
        return presentPage(page, presentChange);
      },
    }),
    personEndpoint({
      method: 'get',
      path: `${base}/frequency`,
      tag,
      summary: 'How often each service was changed in the last days, code that was only pushed aside',
      access: 'viewer',
      query: frequencyQuery,
      status: 200,
      response: frequency,
      handle: async ({ principal, query: { days, limit } }) => {
        const since = new Date(Date.now() - days * 86_400_000);
        return { items: await db.read(scopeOf(principal), (tx) => changeFrequency(tx, { since, limit })) };
      },
    }),
    personEndpoint({
      method: 'get',
      path: `${base}/{id}`,
      tag,
      summary: 'One change, the incidents that it may be behind, and runbooks that would take it back',
      access: 'viewer',
      params: changeParams,
      status: 200,
      response: changeDetail,
      errors: { 404: 'No change of this number' },
      handle: async ({ principal, params: { id } }) => {
        return await db.read(scopeOf(principal), async (tx) => {
          const found = await getChange(tx, id);
          if (!found) throw new NotFoundError(`change ${id}`);
          const runbooks = (await listRunbooks(tx)).filter(({ removedAt }) => removedAt === null);
          return presentChangeDetail(
            found,
            suggestRollback(
              runbooks.map(({ definition }) => definition),
              found,
            ),
          );
        });
      },
    }),
  ];
}

const noSuchSource = (id: string) => new NotFoundError(`source of changes ${id}`);
