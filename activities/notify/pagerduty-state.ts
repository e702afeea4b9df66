import type { Tx } from '../../db/database.ts';
import { findChannelMessage } from '../../db/destinations.ts';
import type { NotificationFacts } from '../../db/notification-facts.ts';
import type { NotifyInput } from '../../domain/notification.ts';
import { pagerDutySaid } from '../../domain/pagerduty.ts';
import type { Destination } from './destination.ts';
import type { NotDue } from './still-due.ts';

/** Why PagerDuty needs not be told: it was there that somebody did it. api/pagerduty writes that down. */
export async function saidByPagerDuty(
  tx: Tx,
  { type }: NotifyInput,
  { incident }: NotificationFacts,
  destination: Destination,
): Promise<NotDue | undefined> {
  const state = states.get(type);
  if (destination.kind !== 'pagerduty' || state === undefined || !incident) return undefined;
  const subject = pagerDutySaid(incident.id, incident.opening);
  const said = await findChannelMessage(tx, { destination: destination.key, subject });
  return said && state in said ? { reason: `PagerDuty said so itself: ${state}` } : undefined;
}

const states = new Map<NotifyInput['type'], 'acknowledged' | 'resolved'>([
  ['incident.acknowledged', 'acknowledged'],
  ['incident.resolved', 'resolved'],
]);
