import { durationMs } from '../duration.ts';
import { escalationLevels } from '../escalation/pages.ts';
import { startClocks } from '../sla.ts';
import { readRehearsedFeed } from './feed.ts';
import type { Configuration, RehearsedIncident } from './situation.ts';

const minuteMs = 60_000;
/** A rehearsal never looks further ahead than that. */
const longestMs = 7 * 24 * 60 * minuteMs;

/**
 * Until when a rehearsal of one incident is worth looking at (epoch milliseconds): its last page, the last step of
 * anybody's contact rules, its clocks, and what follows from people's answers.
 */
export function horizonOf(incident: RehearsedIncident, configuration: Configuration): number {
  const { openedAt, answers, feed } = incident;
  const { plan } = readRehearsedFeed(incident, configuration, { afterSeq: 0, now: openedAt });
  const { policy } = plan.escalation;
  const lastLevel = Math.max(...escalationLevels(policy, openedAt).map(({ dueAt }) => dueAt));
  const steps = [...configuration.directory.people.values()].flatMap(({ contactRules }) =>
    contactRules.flatMap((rule) => rule.steps.map(({ after }) => durationMs(after))),
  );
  const due = plan.sla ? startClocks(plan.sla, openedAt).map(({ dueAt }) => dueAt) : [];
  const quietMs = Math.max(
    0,
    ...[policy.remindAfter, policy.unacknowledgeAfter].map((after) => (after ? durationMs(after) : 0)),
  );
  const lastAnswer = Math.max(
    openedAt,
    ...answers.map((answer) => ('until' in answer ? answer.until : answer.at)),
  );
  const last = Math.max(
    lastLevel + Math.max(0, ...steps),
    lastAnswer + quietMs,
    lastAnswer + (lastLevel - openedAt),
    feed.at(-1)?.at ?? openedAt,
    ...due,
  );
  return Math.min(last + 5 * minuteMs, openedAt + longestMs);
}
