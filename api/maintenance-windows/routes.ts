import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Database, Tx } from '../../db/database.ts';
import { createMaintenancePreview } from '../../db/maintenance-preview.ts';
import {
  asRecurring,
  createMaintenanceWindow,
  deleteMaintenanceWindow,
  getMaintenanceWindow,
  listMaintenanceWindows,
  type StoredMaintenanceWindow,
  updateMaintenanceWindow,
} from '../../db/maintenance-windows.ts';
import { windowStateOf } from '../../domain/safety/maintenance-window.ts';
import { askWhoMayChange, assertMayKeepWindow } from '../auth/maintenance-window.ts';
import { type Principal, scopeOf } from '../auth/principal.ts';
import { assertMayMakeFor } from '../auth/team-or-everybody.ts';
import { type Endpoint, iso, personEndpoint, whenLeft } from '../endpoint.ts';
import { NotFoundError } from '../errors.ts';
import { presentPreview, previewErrors } from '../preview.ts';
import {
  maintenancePreviewShown,
  maintenanceWindowBody,
  maintenanceWindowParams,
  maintenanceWindowShown,
} from './schema.ts';

const tag = 'Maintenance windows';
const base = '/api/v1/maintenance-windows';
const notFound = { 404: 'No maintenance window of this id' };

export function maintenanceWindowEndpoints({ db }: { db: Pick<Database, 'read' | 'write'> }): Endpoint[] {
  const preview = createMaintenancePreview(db);

  async function seen(principal: Principal, id: string): Promise<StoredMaintenanceWindow> {
    const window = await db.read(scopeOf(principal), (tx) => getMaintenanceWindow(tx, id));
    if (!window) throw new NotFoundError(`maintenance window ${id}`);
    return window;
  }

  return [
    personEndpoint({
      method: 'get',
      path: base,
      tag,
      summary: 'List the maintenance windows that are not over, the next to begin first',
      access: 'viewer',
      status: 200,
      response: z.object({ items: z.array(maintenanceWindowShown) }),
      handle: async ({ principal }) => {
        const now = new Date();
        const items = await db.read(scopeOf(principal), (tx) => listMaintenanceWindows(tx, now));
        return { items: items.map((window) => present(window, now)) };
      },
    }),
    personEndpoint({
      method: 'post',
      path: base,
      tag,
      summary: 'Keep automation away from targets for a time',
      access: 'operator',
      body: maintenanceWindowBody,
      status: 201,
      response: maintenanceWindowShown,
      handle: async ({ principal, body: window }) => {
        const { orgId, email: actor } = principal;
        const id = randomUUID();
        await db.write(scopeOf(principal), async (tx) => {
          await assertMayMakeFor(tx, principal, window.team, assertMayKeepWindow);
          await createMaintenanceWindow(tx, { orgId, id, window, actor });
        });
        return present(await seen(principal, id));
      },
    }),
    personEndpoint({
      method: 'post',
      path: `${base}/preview`,
      tag,
      summary: 'What a maintenance window would have held back in the last 30 days, and would hold back now',
      access: 'operator',
      body: maintenanceWindowBody,
      status: 200,
      response: maintenancePreviewShown,
      errors: previewErrors,
      handle: async ({ principal, body, request }) => {
        await db.read(scopeOf(principal), (tx) =>
          assertMayMakeFor(tx, principal, body.team, assertMayKeepWindow),
        );
        return presentPreview(await preview(scopeOf(principal), body, whenLeft(request)));
      },
    }),
    personEndpoint({
      method: 'get',
      path: `${base}/{id}`,
      tag,
      summary: 'One maintenance window',
      access: 'viewer',
      params: maintenanceWindowParams,
      status: 200,
      response: maintenanceWindowShown,
      errors: notFound,
      handle: async ({ principal, params: { id } }) => present(await seen(principal, id)),
    }),
    personEndpoint({
      method: 'put',
      path: `${base}/{id}`,
      tag,
      summary: 'Change a maintenance window; an end that is now ends it',
      access: 'operator',
      params: maintenanceWindowParams,
      body: maintenanceWindowBody,
      status: 200,
      response: maintenanceWindowShown,
      errors: notFound,
      handle: async ({ principal, params: { id }, body: window }) => {
        const { orgId, email: actor } = principal;
        await db.write(scopeOf(principal), async (tx) => {
          await assertMayChange(tx, principal, id);
          await assertMayMakeFor(tx, principal, window.team, assertMayKeepWindow);
          await updateMaintenanceWindow(tx, { orgId, id, window, actor });
        });
        return present(await seen(principal, id));
      },
    }),
    personEndpoint({
      method: 'delete',
      path: `${base}/{id}`,
      tag,
      summary: 'Delete a maintenance window: automation may act again at once',
      access: 'operator',
      params: maintenanceWindowParams,
      status: 204,
      errors: notFound,
      handle: async ({ principal, params: { id } }) => {
        const { orgId, email: actor } = principal;
        await db.write(scopeOf(principal), async (tx) => {
          await assertMayChange(tx, principal, id);
          await deleteMaintenanceWindow(tx, { orgId, id, actor });
        });
        return undefined;
      },
    }),
  ];
}

async function assertMayChange(tx: Tx, principal: Principal, id: string): Promise<void> {
  const stored = await getMaintenanceWindow(tx, id);
  if (!stored) throw new NotFoundError(`maintenance window ${id}`);
  assertMayKeepWindow(principal, stored.team?.id ?? null, askWhoMayChange);
}

function present(window: StoredMaintenanceWindow, now = new Date()): z.input<typeof maintenanceWindowShown> {
  const { id, target, weekly, reason, createdBy } = window;
  return {
    id,
    team: window.team?.slug ?? null,
    target,
    startsAt: iso(window.startsAt),
    endsAt: iso(window.endsAt),
    ...(weekly ? { weekly } : {}),
    state: windowStateOf(asRecurring(window), now.getTime()),
    reason,
    createdAt: iso(window.createdAt),
    createdBy,
  };
}
