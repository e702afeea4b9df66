import type { Client } from '@temporalio/client';
import type pg from 'pg';
import { type Consolidation, taskQueue, workflowTypes } from '../../workflows/messages.ts';
import type { HoldfastClient } from '../harness/holdfast-client.ts';
import { waitFor } from '../harness/stack.ts';

const alertname = 'Floods';
const to = 'flood@example.com';
const hourMs = 30_000;

/**
 * Has more messages of one pattern than go by themselves, and then one more. What tells them in one is ended and begun
 * again as it was, but for its hour, which nobody waits for. Answers its id.
 */
export async function consolidate(
  holdfast: HoldfastClient,
  { client, database }: { client: Client; database: pg.Client },
): Promise<string> {
  await holdfast.put('/api/v1/notification-rules/each', {
    triggers: ['alert.received'],
    when: { alert: alertname },
    targets: [{ type: 'email', address: to }],
  });
  const fire = async (hosts: string[]) => {
    const labels = { alertname, service: 'floods', severity: 'low' };
    await holdfast.send(hosts.map((host) => ({ labels: { ...labels, host } })));
  };
  await fire(Array.from({ length: 12 }, (_, host) => `host-${host}`));
  const sent = async () => {
    const path = `/api/v1/notifications?type=notifications.consolidated&status=sent&destination=${to}`;
    return (await holdfast.get(path)).items.length;
  };
  await waitFor('many messages to be told in one', async () => (await sent()) === 1, 60_000);
  const { rows } = await database.query(
    `select org_id, id, key, consolidation from notifications where consolidation is not null and destination = $1`,
    [to],
  );
  const { org_id: orgId, id, key, consolidation } = rows[0];
  const limit = Number(id);
  const workflowId = `consolidation:${orgId}:${limit}`;
  await client.workflow.getHandle(workflowId).terminate('its hour is cut short');
  const ends = new Date(Date.now() + hourMs).toISOString();
  const again: Consolidation = { ...consolidation, orgId, limit, key, ends };
  await client.workflow.start(workflowTypes.consolidation, { workflowId, taskQueue, args: [again] });
  await waitFor('it to be told again', async () => (await sent()) === 2);
  await fire(['one-more']);
  return workflowId;
}
