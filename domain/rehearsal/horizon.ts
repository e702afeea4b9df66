import { durationMs } from '../duration.ts';
import { escalationLevels } from '../escalation/pages.ts';
import { startClocks } from '../sla/clock.ts';
import { readRehearsedFeed, silenceBeginnings } from './feed.ts';
import type { Configuration, RehearsedIncident } from './situation.ts';

const minuteMs = 60_000;
/** A rehearsal never looks further ahead than that. */
const longestMs = 7 * 24 * 60 * minuteMs;

/**
 * Until when a rehearsal of one incident is worth looking at (epoch milliseconds): its last page, the last step of
 * anybody's contact rules, its clocks, and what follows from people's answers; silences put all of that off.
 */
export function horizonOf(incident: RehearsedIncident, configuration: Configuration): number {
  const { openedAt, answers, feed } = incident;
  const readAt = (now: number) => readRehearsedFeed(incident, configuration, { afterSeq: 0, now });
  const { plan } = readAt(openedAt);
  const { policy } = plan.escalation;
  const lastLevel = Math.max(...escalationLevels(policy, openedAt).map(({ dueAt }) => dueAt));
  const steps = [...configuration.directory.people.values()].flatMap(({ contactRules }) =>
    contactRules.flatMap((rule) => rule.steps.map(({ after }) => durationMs(after))),
  );
  const due = plan.sla ? startClocks(plan.sla, openedAt).map(({ dueAt }) => dueAt) : [];
  const afterAcknowledging = answers.length > 0 ? [policy.remindAfter, policy.unacknowledgeAfter] : [];
  const quietMs = Math.max(0, ...afterAcknowledging.map((after) => (after ? durationMs(after) : 0)));
  const lastAnswer = Math.max(
    openedAt,
    ...answers.map((answer) => ('until' in answer ? answer.until : answer.at)),
  );
  const last = Math.max(
    // an acknowledgement that is taken back begins the escalation anew
    lastAnswer + quietMs + (lastLevel - openedAt) + Math.max(0, ...steps),
    feed.at(-1)?.at ?? openedAt,
    ...due,
  );
  let until = last;
  for (const at of [openedAt, ...silenceBeginnings(incident, configuration, openedAt + longestMs)]) {
    if (at > until) break;
    until += Math.max(0, (readAt(at).silence?.until ?? at) - at);
  }
  return Math.min(until + 5 * minuteMs, openedAt + longestMs);
}
