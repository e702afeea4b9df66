import { type Client, type ScheduleOptions, ScheduleOverlapPolicy } from '@temporalio/client';
import type { SummarySpan } from '../domain/chat/settings.ts';
import {
  type ChatSummaryInput,
  type DutyInput,
  type ReportInput,
  type SloEvaluationInput,
  taskQueue,
  workflowTypes,
} from '../workflows/messages.ts';
import { calendarSchedule } from '../workflows/messages-calendars.ts';
import { ensureSchedule } from '../workflows/messages-schedules.ts';

export interface ScheduledOrganization {
  orgId: string;
  /** IANA name: Monday 08:00, and the first of the month, is there. */
  timeZone: string;
}

const weekly = { dayOfWeek: 'MONDAY', hour: 8, minute: 0 } as const;
const monthly = { dayOfMonth: 1, hour: 8, minute: 0 } as const;

const reports = [
  {
    kind: 'sla',
    what: 'weekly SLA',
    workflowType: workflowTypes.slaReport,
    due: weekly,
    own: { span: 'week' },
  },
  {
    kind: 'sla-month',
    what: 'monthly SLA',
    workflowType: workflowTypes.slaReport,
    due: monthly,
    own: { span: 'month' },
  },
  {
    kind: 'capacity',
    what: 'weekly capacity',
    workflowType: workflowTypes.capacityReport,
    due: weekly,
    own: {},
  },
] as const;
type ScheduledReport = (typeof reports)[number];

export const reportScheduleId = (orgId: string, kind: ScheduledReport['kind']): string =>
  `report:${orgId}:${kind}`;

export const handoffScheduleId = (orgId: string): string => `handoffs:${orgId}`;

export const readinessScheduleId = (orgId: string): string => `readiness:${orgId}`;

export const chatSummaryScheduleId = (orgId: string, span: SummarySpan): string =>
  `chat-summary:${orgId}:${span}`;

export const sloScheduleId = (orgId: string): string => `slo:${orgId}`;

/**
 * What happens by the calendar in each organization as Temporal Schedules, made or brought up to date. Safe to call at
 * every start and by several processes at once; a schedule that an operator has paused stays paused.
 */
export async function ensureSchedules(
  client: Client,
  organizations: readonly ScheduledOrganization[],
): Promise<void> {
  for (const organization of organizations) {
    for (const report of reports) await ensureSchedule(client.schedule, scheduleOf(organization, report));
    await ensureSchedule(client.schedule, sloSchedule(organization));
    await ensureSchedule(client.schedule, calendarSchedule(organization.orgId));
    await ensureSchedule(client.schedule, handoffSchedule(organization));
    await ensureSchedule(client.schedule, readinessSchedule(organization));
    await ensureSchedule(client.schedule, chatSummarySchedule(organization, 'day'));
    await ensureSchedule(client.schedule, chatSummarySchedule(organization, 'week'));
  }
}

/** Objectives are measured each minute; what was missed is not made up for, since it would find what is now. */
function sloSchedule({ orgId }: ScheduledOrganization): ScheduleOptions {
  const input: SloEvaluationInput = { orgId };
  const scheduleId = sloScheduleId(orgId);
  return {
    scheduleId,
    spec: { intervals: [{ every: '1 minute' }] },
    action: {
      type: 'startWorkflow',
      workflowType: workflowTypes.sloEvaluation,
      taskQueue,
      workflowId: scheduleId,
      args: [input],
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '10 seconds' },
    memo: { what: 'measures objectives' },
  };
}

/** Looks ahead by its own pause, so that people hear of a handoff shortly before it; what was missed is found by the next. */
function handoffSchedule({ orgId }: ScheduledOrganization): ScheduleOptions {
  const input: DutyInput = { orgId };
  const scheduleId = handoffScheduleId(orgId);
  return {
    scheduleId,
    spec: { intervals: [{ every: '5 minutes' }] },
    action: {
      type: 'startWorkflow',
      workflowType: workflowTypes.handoffs,
      taskQueue,
      workflowId: scheduleId,
      args: [input],
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
    memo: { what: 'tells who comes on call and who goes off' },
  };
}

/** An hour before the reports: what is mended on Monday morning holds for the week. */
function readinessSchedule({ orgId, timeZone }: ScheduledOrganization): ScheduleOptions {
  const input: DutyInput = { orgId };
  const scheduleId = readinessScheduleId(orgId);
  return {
    scheduleId,
    spec: { calendars: [{ dayOfWeek: 'MONDAY', hour: 7, minute: 0 }], timezone: timeZone },
    action: {
      type: 'startWorkflow',
      workflowType: workflowTypes.readiness,
      taskQueue,
      workflowId: scheduleId,
      args: [input],
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 day' },
    memo: { what: 'weekly look at what could keep pages from reaching somebody' },
  };
}

/** When people have come in. An organization whose channels want none has a workflow that finds nothing to do. */
function chatSummarySchedule({ orgId, timeZone }: ScheduledOrganization, span: SummarySpan): ScheduleOptions {
  const input: ChatSummaryInput = { orgId, span };
  const scheduleId = chatSummaryScheduleId(orgId, span);
  const day = span === 'week' ? { dayOfWeek: 'MONDAY' as const } : {};
  return {
    scheduleId,
    spec: { calendars: [{ ...day, hour: 9, minute: 0 }], timezone: timeZone },
    action: {
      type: 'startWorkflow',
      workflowType: workflowTypes.chatSummary,
      taskQueue,
      workflowId: scheduleId,
      args: [input],
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '2 hours' },
    memo: { what: `summary of the ${span} for channels of chat` },
  };
}

function scheduleOf(
  { orgId, timeZone }: ScheduledOrganization,
  { kind, what, workflowType, due, own }: ScheduledReport,
): ScheduleOptions {
  const input: ReportInput = { orgId, requestedBy: 'schedule', ...own };
  const scheduleId = reportScheduleId(orgId, kind);
  return {
    scheduleId,
    spec: { calendars: [due], timezone: timeZone },
    // Temporal adds the time that it was due to the workflow's id
    action: { type: 'startWorkflow', workflowType, taskQueue, workflowId: scheduleId, args: [input] },
    policies: {
      // a report that still waits for a mail server is not started twice
      overlap: ScheduleOverlapPolicy.SKIP,
      // Holdfast that was away on Monday morning sends when it is back, until Tuesday
      catchupWindow: '1 day',
    },
    memo: { what: `${what} report` },
  };
}
