import { type ChatSummary, readChatSummary } from '../../db/chat-summary.ts';
import type { Tx } from '../../db/database.ts';
import { type GitImport, getImport } from '../../db/git-sources.ts';
import { type HandoffFacts, readHandoffFacts } from '../../db/handoffs.ts';
import { findIncidentNote } from '../../db/incident-notes.ts';
import { type NotificationFacts, readNotificationFacts } from '../../db/notification-facts.ts';
import { type ConsolidatedFacts, readConsolidated } from '../../db/notification-limits.ts';
import { readReadiness } from '../../db/readiness.ts';
import { readOrganizationZone } from '../../db/report-audience.ts';
import { getReport, type Report } from '../../db/reports.ts';
import type { NotifyInput } from '../../domain/notification.ts';
import type { WrittenNote } from '../../domain/pagerduty.ts';
import type { ReadinessFinding } from '../../domain/readiness/readiness.ts';
import { dateOf } from '../messages/moments.ts';
import type { Content } from './outgoing.ts';

/**
 * Reads all that a message of its type says. `now`: epoch milliseconds; `publicUrl` without a slash at the end; `timeZone`:
 * of an organization that has set none.
 */
export async function readContent(
  tx: Tx,
  input: NotifyInput,
  context: { publicUrl: string; now: number; timeZone: string },
): Promise<Content> {
  const { reportId, importId } = input.detail;
  const facts: NotificationFacts = await readNotificationFacts(tx, input);
  const report: Report | undefined = typeof reportId === 'string' ? await getReport(tx, reportId) : undefined;
  const refusedImport: GitImport | undefined =
    typeof importId === 'string' ? await getImport(tx, importId) : undefined;
  return {
    key: input.key,
    type: input.type,
    facts,
    report,
    refusedImport,
    consolidated: await consolidatedOf(tx, input),
    handoff: await handoffOf(tx, input),
    readiness: await readinessFor(tx, input, context),
    summary: await summaryFor(tx, input, context),
    note: await noteOf(tx, input),
    detail: input.detail,
    publicUrl: context.publicUrl,
    now: context.now,
    timeZone: await readOrganizationZone(tx, context.timeZone),
  };
}

async function noteOf(tx: Tx, { type, incidentId, detail }: NotifyInput): Promise<WrittenNote | undefined> {
  if (type !== 'incident.noted' || incidentId === undefined) return undefined;
  return await findIncidentNote(tx, { incidentId, seq: Number(detail.seq) });
}

async function handoffOf(tx: Tx, { type, detail, target }: NotifyInput): Promise<HandoffFacts | undefined> {
  const at = dateOf(detail.at);
  if (type !== 'oncall.handoff' || typeof detail.schedule !== 'string' || !at) return undefined;
  const person = target.type === 'user' ? target.email : '';
  return await readHandoffFacts(tx, { schedule: detail.schedule, at, person });
}

async function summaryFor(
  tx: Tx,
  { type, detail }: NotifyInput,
  { now }: { now: number },
): Promise<ChatSummary | undefined> {
  const to = dateOf(detail.until);
  if (type !== 'chat.summary' || !to) return undefined;
  const from = new Date(to.getTime() - (detail.span === 'week' ? 7 : 1) * 24 * 3_600_000);
  return await readChatSummary(tx, { from, to, now });
}

async function readinessFor(
  tx: Tx,
  { type, detail }: NotifyInput,
  { now }: { now: number },
): Promise<ReadinessFinding[] | undefined> {
  if (type !== 'oncall.readiness') return undefined;
  return await readReadiness(tx, { now, teamId: typeof detail.teamId === 'string' ? detail.teamId : null });
}

async function consolidatedOf(
  tx: Tx,
  { type, detail, pattern }: NotifyInput,
): Promise<ConsolidatedFacts | undefined> {
  const ends = dateOf(detail.ends);
  if (type !== 'notifications.consolidated' || typeof detail.limit !== 'number' || !ends) return undefined;
  return await readConsolidated(tx, { consolidated: detail.limit, pattern: pattern ?? 'alerts', ends });
}
