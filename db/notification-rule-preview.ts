import type { RulePreview } from '../domain/notification-rules/preview.ts';
import type { NotificationRule } from '../domain/notification-rules/rule.ts';
import type { Database, Scope } from './database.ts';
import type { RuleToTry } from './notification-rule-preview-thread.ts';
import { requireReferences } from './notification-rules.ts';
import { listPastEvents } from './past-events.ts';
import { createPreviewThread } from './preview-thread.ts';

/** What a rule as edited would have made of the last 30 days. */
export interface NotificationRulePreview extends RulePreview {
  since: Date;
  /** There was more of something than is looked at: the oldest is left out. */
  cut: boolean;
}

const lookBackMs = 30 * 86_400_000;
/** Of each kind of thing. */
const eventsLimit = 5_000;

/**
 * Tries a rule on what really happened, in a thread of its own.
 * Throws UnknownReferenceError for a target or team that there is not, NotTriedError.
 */
export function createNotificationRulePreview(db: Pick<Database, 'read'>, clock: () => number = Date.now) {
  const tryOut = createPreviewThread<RuleToTry, RulePreview>({
    file: new URL('./notification-rule-preview-thread.ts', import.meta.url),
    messages: {
      busy: 'Other rules are being tried: try again in some seconds.',
      tooMuch: 'Trying this rule takes too long: write shorter patterns, or fewer of them.',
    },
  });

  return async (
    scope: Scope,
    { name, rule }: { name: string; rule: NotificationRule },
    left: AbortSignal,
  ): Promise<NotificationRulePreview> => {
    const since = new Date(clock() - lookBackMs);
    let cut = false;
    const read = () =>
      db.read(scope, async (tx) => {
        await requireReferences(tx, rule);
        const events = await listPastEvents(tx, { triggers: rule.triggers, since, limit: eventsLimit + 1 });
        const counts = Map.groupBy(events, ({ trigger }) => trigger);
        cut = [...counts.values()].some((of) => of.length > eventsLimit);
        return { name, rule, events };
      });
    return { ...(await tryOut(scope.orgId, read, left)), since, cut };
  };
}
