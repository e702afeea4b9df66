import type { Tx } from '../../db/database.ts';
import { findChannelMessage } from '../../db/destinations.ts';
import { countTowardsLimit, findHold, type Hold } from '../../db/notification-limits.ts';
import { findNotification, type NotificationEntry, skipNotification } from '../../db/notifications.ts';
import type { NotifyInput, NotifyOutcome } from '../../domain/notification.ts';
import { isLimited, type ToldTogether } from '../../domain/notification-limits.ts';
import { publicDestination } from '../../domain/private-address.ts';
import type { Consolidation } from '../../workflows/messages.ts';
import type { Destination } from './destination.ts';
import { noticed } from './outgoing.ts';

export interface HeldBack {
  outcome: NotifyOutcome;
  /** What tells it with others; absent where its hour is over. */
  consolidation?: Consolidation;
}

/**
 * Beyond the limit a message is told with others; undefined: it goes by itself. A further attempt counts once. Each one
 * asks for what tells them: whichever asked first may have died, or been called off, before that was started. `now`: epoch
 * milliseconds.
 */
export async function holdBack(
  tx: Tx,
  input: NotifyInput,
  entry: NotificationEntry,
  { destination, subject, now }: { destination: Destination; subject: string | null; now: number },
): Promise<HeldBack | undefined> {
  const { pattern, orgId } = input;
  if (pattern === undefined || !isLimited(input.type, destination.kind)) return undefined;
  const reason = `there were too many messages about ${pattern} within an hour: it is told with the others in one`;
  const outcome = { status: 'skipped', destination: publicDestination(entry), reason } as const;
  const consolidation = (hold: Hold) => consolidationOf(input, pattern, destination, hold);
  const known = await findNotification(tx, input.key);
  if (known) {
    if (known.consolidatedInto === null) return undefined;
    const hold = await findHold(tx, known.consolidatedInto);
    return { outcome, ...(hold && { consolidation: consolidation(hold) }) };
  }
  if (await changesMessage(tx, input, subject, destination)) return undefined;
  const { key, label, person, kind: channel } = destination;
  const told = toldTogether(input, destination);
  const counted = { orgId, destination: key, label, person, channel, pattern, told, now };
  const hold = await countTowardsLimit(tx, counted);
  if (!hold) return undefined;
  await skipNotification(tx, { ...entry, reason, consolidatedInto: hold.consolidated });
  return { outcome, consolidation: consolidation(hold) };
}

/** What only changes a message that is there is no further one. */
async function changesMessage(
  tx: Tx,
  { type }: NotifyInput,
  subject: string | null,
  destination: Destination,
): Promise<boolean> {
  if (subject === null || noticed.has(type) || !changesInPlace(destination)) return false;
  return (await findChannelMessage(tx, { destination: destination.key, subject })) !== undefined;
}

function consolidationOf(
  input: NotifyInput,
  pattern: string,
  destination: Destination,
  hold: Hold,
): Consolidation {
  const { consolidated: limit, key, ends } = hold;
  const told = toldTogether(input, destination);
  return { orgId: input.orgId, limit, key, pattern, ends: ends.toISOString(), ...told };
}

function toldTogether({ target }: NotifyInput, destination: Destination): ToldTogether {
  return {
    target,
    updates: changesInPlace(destination),
    ...(destination.kind === 'pagerduty' && { resolves: true }),
  };
}

/** Where it does not, the one message comes again at the end of the hour. */
function changesInPlace(destination: Destination): boolean {
  return (
    destination.kind === 'pagerduty' || (destination.kind === 'slack' && !('webhookUrl' in destination.to))
  );
}
