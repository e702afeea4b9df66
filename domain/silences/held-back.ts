import type { NotificationTrigger } from '../notification-rules/rule.ts';

/** A line of an incident's timeline that says when silences held; `at` in epoch milliseconds. */
export interface SilenceLine {
  at: number;
  kind: 'silenced' | 'silence_ended' | 'resolved' | 'false_positive' | 'merged';
  /** Of 'silenced': nobody had heard of the incident before, as it opened, or opened again, in the silence. */
  fromTheStart: boolean;
}

/** What is held back from `from` to `to`, epoch milliseconds; with `toldOfTheEnd` all but the incident's end. */
export interface HeldBack {
  from: number;
  to: number;
  toldOfTheEnd: boolean;
}

/**
 * When silences held back for good, or still do, what rules tell of an incident: until it was over. What waited for the
 * end of a silence was told then, which is no less of a message.
 * @param lines as they were told
 */
export function heldBackOf(lines: readonly SilenceLine[]): HeldBack[] {
  const found: HeldBack[] = [];
  let overSince = Number.NEGATIVE_INFINITY;
  let begun: { from: number; toldOfTheEnd: boolean } | null = null;
  for (const { at, kind, fromTheStart } of lines) {
    switch (kind) {
      case 'silenced':
        begun ??= { from: fromTheStart ? overSince : at, toldOfTheEnd: !fromTheStart };
        break;
      case 'silence_ended':
        begun = null;
        break;
      default:
        if (begun) found.push({ ...begun, to: at });
        begun = null;
        overSince = at + 1;
    }
  }
  if (begun) found.push({ ...begun, to: Number.POSITIVE_INFINITY });
  return found;
}

const toldByIncidents: ReadonlySet<NotificationTrigger> = new Set<NotificationTrigger>([
  'alert.received',
  'incident.opened',
  'incident.acknowledged',
  'incident.resolved',
  'incident.root_cause_found',
  'sla.at_risk',
  'sla.breached',
]);

/** Whether nobody was told of it. Silences keep neither approvals nor runbooks nor reports quiet. */
export function wasHeldBack(
  { trigger, at }: { trigger: NotificationTrigger; at: number },
  held: readonly HeldBack[],
): boolean {
  if (!toldByIncidents.has(trigger)) return false;
  return held.some(
    ({ from, to, toldOfTheEnd }) =>
      from <= at && at <= to && !(toldOfTheEnd && trigger === 'incident.resolved'),
  );
}
