import type { Database, Tx } from '../db/database.ts';
import { readDirectory } from '../db/directory.ts';
import { listRulesFor } from '../db/notification-rules.ts';
import { skipNotification } from '../db/notifications.ts';
import {
  type RuleSubject,
  readClockDetail,
  readExecutionSubject,
  readIncidentSubject,
  readMergedInto,
  readReportSubject,
} from '../db/rule-subject.ts';
import { targetName } from '../domain/escalation/pages.ts';
import type { AnnouncedTrigger } from '../domain/incident/state.ts';
import type { NotificationCause } from '../domain/notification.ts';
import { evaluateRules } from '../domain/notification-rules/evaluate.ts';
import { noticesCalledFor, type UnreachedTarget } from '../domain/notification-rules/notices.ts';
import type { NotificationTrigger, RuleVerdict } from '../domain/notification-rules/rule.ts';
import { fillTemplate, type TemplateFacts } from '../domain/notification-rules/template.ts';
import type { EscalationTarget } from '../domain/policies.ts';
import { type FollowUp, followUps } from './announce-followers.ts';

export interface AnnounceInput {
  orgId: string;
  incidentId?: string;
  executionId?: string;
  trigger: AnnouncedTrigger;
  /** Which time it is that this happens, in the keys of the messages; of 'alert.received' the alert's id. */
  occurrence: string;
  /** Epoch milliseconds. */
  at: number;
}

/** A message that a rule calls for. */
export interface RuleNotice {
  /** 'rule:<trigger>:<occurrence>:<rule>:<target index>', with '.<n>' for each person whom a schedule names. */
  key: string;
  target: EscalationTarget;
  /** As NotifyInput has it, with `rule`, its name, and `note`, its own text. */
  detail: Record<string, string | number | boolean | null>;
  cause: NotificationCause;
}

export function createAnnounceActivities({ db }: { db: Pick<Database, 'write'> }) {
  return {
    /**
     * What the rules of notification make of something that happened, and what keeps the messages about it up to date: a
     * message for each target of each rule that matched, but one for each target. Schedules are answered with those who
     * are on call at `at`; one that reaches nobody stands in the log as skipped. The same arguments give the same keys, so
     * it may run again.
     */
    async announce(args: AnnounceInput): Promise<{ notices: (RuleNotice | FollowUp)[] }> {
      return await db.write({ orgId: args.orgId }, async (tx) => {
        const called = await calledForByRules(tx, args);
        const told = called.map(({ target }) => target);
        const following = await followUps(tx, args, told);
        const merge = await mergeOf(tx, args);
        return {
          notices: [
            ...called.map((notice) => ({ ...notice, detail: { ...notice.detail, ...merge } })),
            ...following.map((notice) => ({ ...notice, detail: { ...notice.detail, ...merge } })),
          ],
        };
      });
    },
  };
}

export type AnnounceActivities = ReturnType<typeof createAnnounceActivities>;

async function calledForByRules(tx: Tx, args: AnnounceInput): Promise<RuleNotice[]> {
  const { trigger } = args;
  // no rule can wait for it
  if (trigger === 'incident.noted') return [];
  const rules = await listRulesFor(tx, trigger);
  if (rules.length === 0) return [];
  const subject = await readSubject(tx, args);
  if (!subject) return [];
  const event = { ...subject.event, trigger, at: args.at };
  const matched = evaluateRules(rules, event).filter((verdict) => verdict.matched);
  return await noticesOf(tx, { ...args, trigger }, matched, subject);
}

/** An incident that has ended because another one has its alerts now is not over for whoever is told of it. */
async function mergeOf(tx: Tx, { incidentId, trigger }: AnnounceInput): Promise<{ mergedInto?: number }> {
  if (trigger !== 'incident.resolved' || incidentId === undefined) return {};
  const mergedInto = await readMergedInto(tx, incidentId);
  return mergedInto === null ? {} : { mergedInto };
}

async function readSubject(tx: Tx, args: AnnounceInput): Promise<RuleSubject | undefined> {
  const { incidentId, executionId, trigger, occurrence, at } = args;
  if (trigger === 'report.sla' || trigger === 'report.capacity')
    return await readReportSubject(tx, occurrence);
  if (executionId !== undefined) return await readExecutionSubject(tx, executionId);
  if (incidentId !== undefined) {
    const alertId = trigger === 'alert.received' ? Number(occurrence) : undefined;
    const subject = await readIncidentSubject(tx, {
      incidentId,
      ...(Number.isSafeInteger(alertId) ? { alertId } : {}),
    });
    if (!subject || (trigger !== 'sla.at_risk' && trigger !== 'sla.breached')) return subject;
    return { ...subject, detail: await readClockDetail(tx, { incidentId, trigger, at }) };
  }
  return {
    event: { severity: null, service: null, team: null, alerts: [], labels: {} },
    facts: {},
    detail: {},
  };
}

async function noticesOf(
  tx: Tx,
  args: AnnounceInput & { trigger: NotificationTrigger },
  verdicts: readonly RuleVerdict[],
  { event, facts, detail }: RuleSubject,
): Promise<RuleNotice[]> {
  if (verdicts.length === 0) return [];
  const directory = await readDirectory(
    tx,
    verdicts.flatMap(({ targets }) => targets),
    { at: args.at },
  );
  const { called, unreached } = noticesCalledFor(verdicts, directory, { ...event, ...args }, args.occurrence);
  for (const each of unreached) await logUnreached(tx, args, each);
  return called.map(({ key, target, cause, verdict }) => ({
    key,
    target,
    detail: { ...detail, ...noteOf(verdict, args, facts) },
    cause,
  }));
}

function noteOf({ rule, template }: RuleVerdict, args: AnnounceInput, facts: TemplateFacts) {
  if (template === null || template.trim() === '') return { rule };
  const time = new Date(args.at).toISOString();
  return { rule, note: fillTemplate(template, { ...facts, trigger: args.trigger, time }) };
}

async function logUnreached(tx: Tx, args: AnnounceInput, unreached: UnreachedTarget): Promise<void> {
  const { orgId, incidentId, executionId, trigger } = args;
  await skipNotification(tx, {
    orgId,
    key: `${aboutOf(args)}:${unreached.key}`,
    type: trigger,
    incidentId: incidentId ?? null,
    executionId: executionId ?? null,
    channel: unreached.target.type,
    destination: targetName(unreached.target),
    subject: trigger,
    cause: unreached.cause,
    reason: unreached.problem,
  });
}

/** As the workflow that sends messages about it begins their keys. */
function aboutOf({ orgId, incidentId, executionId, trigger, occurrence }: AnnounceInput): string {
  if (trigger === 'report.sla' || trigger === 'report.capacity') return `report:${occurrence}`;
  if (executionId !== undefined) return `execution:${executionId}`;
  return incidentId === undefined ? `organization:${orgId}` : `incident:${incidentId}`;
}
