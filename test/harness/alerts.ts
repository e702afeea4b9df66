import { recordAlerts } from '../../db/intake.ts';
import type { IncomingAlert } from '../../domain/alert.ts';
import type { TestDatabase } from './database.ts';

/** As an intake hands it on. */
export const incomingAlert = (change: Partial<IncomingAlert> = {}): IncomingAlert => ({
  fingerprint: 'f1',
  status: 'firing',
  name: 'HighLatency',
  severity: 'warning',
  service: 'checkout',
  labels: { alertname: 'HighLatency' },
  annotations: {},
  generatorUrl: null,
  startsAt: '2026-01-01T10:00:00Z',
  endsAt: null,
  truncated: 0,
  ...change,
});

/** An Alertmanager that alerts come from: its id. */
export async function addAlertmanager({
  owner,
  orgId,
}: Pick<TestDatabase, 'owner' | 'orgId'>): Promise<string> {
  const { rows } = await owner.query<{ id: string }>(
    `insert into integrations (org_id, kind, name, key_hash) values ($1, 'alertmanager', 'am', 'k') returning id`,
    [orgId],
  );
  return rows[0]!.id;
}

/** Takes an alert in: the id of its latest episode. */
export async function takeAlert(
  { db, owner, orgId }: TestDatabase,
  integrationId: string,
  change: Partial<IncomingAlert> = {},
): Promise<number> {
  const alert = incomingAlert(change);
  await db.write({ orgId }, (tx) => recordAlerts(tx, { orgId, integrationId, alerts: [alert] }));
  const { rows } = await owner.query<{ id: number }>(
    'select id from alerts where fingerprint = $1 order by id desc limit 1',
    [alert.fingerprint],
  );
  return rows[0]!.id;
}
