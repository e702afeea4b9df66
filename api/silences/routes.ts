import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Database, Tx } from '../../db/database.ts';
import { createSilencePreview } from '../../db/silence-preview.ts';
import {
  asActive,
  createSilence,
  endSilence,
  getSilence,
  listCaught,
  listSilences,
  type StoredSilence,
} from '../../db/silences.ts';
import { stateOf } from '../../domain/silences/silence.ts';
import { type Principal, scopeOf } from '../auth/principal.ts';
import { askWhoMayEnd, assertMayKeepQuiet } from '../auth/silence.ts';
import { assertMayMakeFor } from '../auth/team-or-everybody.ts';
import { type Endpoint, iso, personEndpoint, whenLeft } from '../endpoint.ts';
import { ConflictError, InvalidRequestError, NotFoundError } from '../errors.ts';
import { presentPreview, previewErrors } from '../preview.ts';
import { previewShown, silenceBody, silenceParams, silenceQuery, silenceShown } from './schema.ts';

const tag = 'Silences';
const base = '/api/v1/silences';
const notFound = { 404: 'No silence of this id' };

export function silenceEndpoints({ db }: { db: Pick<Database, 'read' | 'write'> }): Endpoint[] {
  const preview = createSilencePreview(db);

  async function seen(principal: Principal, id: string): Promise<z.input<typeof silenceShown>> {
    const [shown] = await db.read(scopeOf(principal), async (tx) => {
      const stored = await getSilence(tx, id);
      return stored ? await present(tx, [stored], new Date()) : [];
    });
    if (!shown) throw new NotFoundError(`silence ${id}`);
    return shown;
  }

  return [
    personEndpoint({
      method: 'get',
      path: base,
      tag,
      summary:
        'List the silences that are not over, with what each catches now; the one that ends first at the top',
      access: 'viewer',
      query: silenceQuery,
      status: 200,
      response: z.object({ items: z.array(silenceShown) }),
      handle: async ({ principal, query: { over } }) => {
        const now = new Date();
        return await db.read(scopeOf(principal), async (tx) => ({
          items: await present(tx, await listSilences(tx, { now, over: over === 'true' }), now),
        }));
      },
    }),
    personEndpoint({
      method: 'post',
      path: base,
      tag,
      summary: 'Keep alerts quiet for a time: they are received and shown, and nobody is told',
      access: 'operator',
      body: silenceBody,
      status: 201,
      response: silenceShown,
      handle: async ({ principal, body: silence }) => {
        const { orgId, email: actor } = principal;
        if (Date.parse(silence.endsAt) <= Date.now()) {
          throw new InvalidRequestError([{ field: 'endsAt', message: 'the end must lie ahead' }]);
        }
        const id = randomUUID();
        await db.write(scopeOf(principal), async (tx) => {
          await assertMayMakeFor(tx, principal, silence.team, assertMayKeepQuiet);
          await createSilence(tx, { orgId, id, silence, actor, now: new Date() });
        });
        return await seen(principal, id);
      },
    }),
    personEndpoint({
      method: 'post',
      path: `${base}/preview`,
      tag,
      summary: 'What a silence would have caught in the last 30 days, and would catch now',
      access: 'operator',
      body: silenceBody,
      status: 200,
      response: previewShown,
      errors: previewErrors,
      handle: async ({ principal, body, request }) => {
        await db.read(scopeOf(principal), (tx) =>
          assertMayMakeFor(tx, principal, body.team, assertMayKeepQuiet),
        );
        return presentPreview(await preview(scopeOf(principal), body, whenLeft(request)));
      },
    }),
    personEndpoint({
      method: 'get',
      path: `${base}/{id}`,
      tag,
      summary: 'One silence',
      access: 'viewer',
      params: silenceParams,
      status: 200,
      response: silenceShown,
      errors: notFound,
      handle: async ({ principal, params: { id } }) => await seen(principal, id),
    }),
    personEndpoint({
      method: 'post',
      path: `${base}/{id}/end`,
      tag,
      summary: 'End a silence now, or delete one that has not begun: whoever is due is told at once',
      access: 'operator',
      params: silenceParams,
      status: 204,
      errors: { ...notFound, 409: 'It is over' },
      handle: async ({ principal, params: { id } }) => {
        const { orgId, email: actor } = principal;
        await db.write(scopeOf(principal), async (tx) => {
          const stored = await getSilence(tx, id);
          if (!stored) throw new NotFoundError(`silence ${id}`);
          assertMayKeepQuiet(principal, stored.team?.id ?? null, askWhoMayEnd);
          const ended = await endSilence(tx, { orgId, id, actor, now: new Date() });
          if (!ended) throw new ConflictError(`the silence was over at ${iso(stored.endsAt)}`);
        });
        return undefined;
      },
    }),
  ];
}

async function present(
  tx: Tx,
  stored: readonly StoredSilence[],
  now: Date,
): Promise<z.input<typeof silenceShown>[]> {
  const caught = await listCaught(tx, stored, now);
  return stored.map((silence) => ({
    ...silence.definition,
    id: silence.id,
    team: silence.team?.slug ?? null,
    startsAt: iso(silence.startsAt),
    endsAt: iso(silence.endsAt),
    state: stateOf(asActive(silence), now.getTime()),
    catches: caught.get(silence.id) ?? { alerts: 0, incidents: [] },
    createdAt: iso(silence.createdAt),
    createdBy: silence.createdBy,
  }));
}
