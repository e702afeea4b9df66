import type { TimelineEntry } from '../../db/incident-detail.ts';
import { lines } from '../../domain/markup.ts';
import { type People, withNames, withoutAddresses } from '../../domain/people.ts';

/** Characters of a text that a page for strangers shows. */
const textLength = 2000;

/** A text as strangers read it: people by name, no address. */
export const forStrangers = (people: People, text: string): string =>
  withoutAddresses(withNames(people, text.length > textLength ? lines(text, textLength) : text));

/**
 * A line of the story for people without an account; null for what is none of theirs. Only what people wrote for
 * others and what Holdfast counted itself stands in its own words: what log systems, runbooks and mail servers said
 * may hold anything.
 */
export function sharedSummary(entry: TimelineEntry, people: People): string | null {
  if (ownWords.has(entry.kind)) return forStrangers(people, entry.summary);
  const words = neutralWords[entry.kind];
  return words === undefined ? null : forStrangers(people, words(entry.data));
}

const ownWords: ReadonlySet<string> = new Set([
  'acknowledged',
  'alert_firing',
  'alert_joined',
  'alert_resolved',
  'alert_stale',
  'alert_updated',
  'assigned',
  'cause_confirmed',
  'cause_corrected',
  'false_positive',
  'flapping',
  'merged',
  'note',
  'notification',
  'opened',
  'reopened',
  'resolved',
  'sla_at_risk',
  'sla_breached',
  'snooze_ended',
  'snoozed',
  'status',
]);

type Data = TimelineEntry['data'];

const always = (words: string) => () => words;
const runbook = (words: string) => (data: Data) =>
  typeof data.runbook === 'string' ? `Runbook ${data.runbook} ${words}` : `A runbook ${words}`;

const neutralWords: Record<string, (data: Data) => string> = {
  approval_escalated: runbook('still waits for approval'),
  approval_expired: runbook('was not approved in time'),
  approval_requested: runbook('waits for approval'),
  approved: runbook('was approved'),
  change: always('Found a change that may be behind it'),
  change_confirmed: always('Confirmed a change as the cause'),
  change_dismissed: always('Dismissed a change as the cause'),
  execution_cancel: runbook('was cancelled'),
  execution_cancelled: runbook('was cancelled'),
  execution_failed: runbook('has failed'),
  execution_refused: runbook('was not started'),
  execution_rollback_failed: runbook('has failed, and so did its rollback'),
  execution_rolled_back: runbook('has failed and was rolled back'),
  execution_running: runbook('is running'),
  execution_started: runbook('matches'),
  execution_succeeded: runbook('has succeeded'),
  execution_withdrawn: runbook('was withdrawn'),
  logs: always('Looked at the logs'),
  logs_failed: always('The logs could not be read'),
  merge_failed: always('Was not merged with another incident'),
  notification_failed: always('A message could not be delivered'),
  notification_skipped: always('A page was left out'),
  regrouped: regroupedWords,
  rejected: runbook('was rejected'),
  restored: always('Holdfast follows it anew'),
  rollback_started: runbook('is being rolled back'),
  root_cause: causeWords,
  workflow_lost: always('Closed: Holdfast does not follow it any more'),
};

function regroupedWords({ from, into, alerts }: Data): string {
  const many = alerts === 1 ? '1 alert' : `${Number(alerts)} alerts`;
  return `Moved ${many} from #${Number(from)} to #${Number(into)}`;
}

function causeWords({ service, confidence }: Data): string {
  if (typeof service !== 'string') return 'Found a probable cause';
  const sure = typeof confidence === 'number' ? `, ${Math.round(confidence * 100)} %` : '';
  return `Probable cause: ${service}${sure}`;
}
