import { z } from 'zod';
import {
  type ChangeSource,
  changeChangeSource,
  createChangeSource,
  getChangeSource,
  listChangeSources,
  removeChangeSource,
  rotateChangeSourceSecret,
  SourceNameTakenError,
} from '../../db/change-sources.ts';
import type { Database } from '../../db/database.ts';
import { type Principal, scopeOf } from '../auth/principal.ts';
import { type Endpoint, personEndpoint } from '../endpoint.ts';
import { ConflictError, NotFoundError } from '../errors.ts';
import { changeWebhookUrl, presentChangeSource } from './presenter.ts';
import {
  changeSource,
  changeSourceBody,
  changeSourceCreated,
  changeSourceParams,
  newChangeSource,
  secretShown,
} from './schema.ts';

const tag = 'Sources of changes';
const base = '/api/v1/change-sources';
const noSource = { 404: 'No source of this id' };
const nameTaken = { 409: 'Another source has this name' };

export function changeSourceEndpoints(deps: {
  db: Pick<Database, 'read' | 'write'>;
  publicUrl: string;
}): Endpoint[] {
  const { db, publicUrl } = deps;

  async function find(principal: Principal, id: string): Promise<ChangeSource> {
    const source = await db.read(scopeOf(principal), (tx) => getChangeSource(tx, id));
    if (!source) throw noSuchSource(id);
    return source;
  }

  return [
    personEndpoint({
      method: 'get',
      path: base,
      tag,
      summary: 'List who tells of changes by a webhook',
      access: 'viewer',
      status: 200,
      response: z.object({ items: z.array(changeSource) }),
      handle: async ({ principal }) => {
        const sources = await db.read(scopeOf(principal), listChangeSources);
        return { items: sources.map((source) => presentChangeSource(source, publicUrl)) };
      },
    }),
    personEndpoint({
      method: 'post',
      path: base,
      tag,
      summary: 'Add a source of changes; shows its secret, this once',
      access: 'admin',
      body: newChangeSource,
      status: 201,
      response: changeSourceCreated,
      errors: nameTaken,
      handle: async ({ principal, body: { kind, name, team, ...mapping } }) => {
        const { orgId, email: actor } = principal;
        const { id, secret } = await db.write(scopeOf(principal), (tx) =>
          createChangeSource(tx, { orgId, kind, name, team, mapping, actor }).catch(refuseTaken),
        );
        return { ...presentChangeSource(await find(principal, id), publicUrl), secret };
      },
    }),
    personEndpoint({
      method: 'get',
      path: `${base}/{id}`,
      tag,
      summary: 'One source of changes',
      access: 'viewer',
      params: changeSourceParams,
      status: 200,
      response: changeSource,
      errors: noSource,
      handle: async ({ principal, params }) =>
        presentChangeSource(await find(principal, params.id), publicUrl),
    }),
    personEndpoint({
      method: 'put',
      path: `${base}/{id}`,
      tag,
      summary: 'Change the name and mapping of a source; its kind stays',
      access: 'admin',
      params: changeSourceParams,
      body: changeSourceBody,
      status: 200,
      response: changeSource,
      errors: { ...noSource, ...nameTaken },
      handle: async ({ principal, params: { id }, body: { name, team, ...mapping } }) => {
        const { orgId, email: actor } = principal;
        const changed = await db.write(scopeOf(principal), (tx) =>
          changeChangeSource(tx, { orgId, id, name, team, mapping, actor }).catch(refuseTaken),
        );
        if (!changed) throw noSuchSource(id);
        return presentChangeSource(await find(principal, id), publicUrl);
      },
    }),
    personEndpoint({
      method: 'delete',
      path: `${base}/{id}`,
      tag,
      summary: 'Remove a source; its changes stay',
      access: 'admin',
      params: changeSourceParams,
      status: 204,
      errors: noSource,
      handle: async ({ principal, params: { id } }) => {
        const { orgId, email: actor } = principal;
        const removed = await db.write(scopeOf(principal), (tx) =>
          removeChangeSource(tx, { orgId, id, actor }),
        );
        if (!removed) throw noSuchSource(id);
        return undefined;
      },
    }),
    personEndpoint({
      method: 'post',
      path: `${base}/{id}/secret`,
      tag,
      summary: 'Give a source another secret, shown this once; the old one opens nothing any more',
      access: 'admin',
      params: changeSourceParams,
      status: 200,
      response: secretShown,
      errors: noSource,
      handle: async ({ principal, params: { id } }) => {
        const { orgId, email: actor } = principal;
        const secret = await db.write(scopeOf(principal), (tx) =>
          rotateChangeSourceSecret(tx, { orgId, id, actor }),
        );
        if (secret === undefined) throw noSuchSource(id);
        return { webhookUrl: changeWebhookUrl(publicUrl, id), secret };
      },
    }),
  ];
}

const noSuchSource = (id: string) => new NotFoundError(`source of changes ${id}`);

function refuseTaken(error: unknown): never {
  throw error instanceof SourceNameTakenError ? new ConflictError(error.message, error) : error;
}
