import { type Client, type ScheduleOptions, ScheduleOverlapPolicy } from '@temporalio/client';
import type { SummarySpan } from '../domain/chat/settings.ts';
import {
  type ChatSummaryInput,
  type DutyInput,
  type ReportInput,
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

/**
 * What happens by the calendar in each organization as Temporal Schedules, made or brought up to date. Safe to call at
 * every start and by several processes at once; a schedule that an operator has paused stays paused.
 */
export async function ensureSchedules(
  client: Client,
  organizations: readonly ScheduledOrganization[],
): Promise<void> {
  for (const organization of organizations) {
    for (const report of reports) await ensureSchedule(client.schedule, reportSchedule(organization, report));
    await ensureSchedule(client.schedule, calendarSchedule(organization.orgId));
    await ensureSchedule(client.schedule, handoffSchedule(organization));
    await ensureSchedule(client.schedule, readinessSchedule(organization));
    await ensureSchedule(client.schedule, chatSummarySchedule(organization, 'day'));
    await ensureSchedule(client.schedule, chatSummarySchedule(organization, 'week'));
  }
}

/** Looks ahead by its own pause, so that people hear of a handoff shortly before it; what was missed is found by the next. */
function handoffSchedule({ orgId }: ScheduledOrganization): ScheduleOptions {
  return schedule<DutyInput>({
    scheduleId: handoffScheduleId(orgId),
    workflowType: workflowTypes.handoffs,
    input: { orgId },
    spec: { intervals: [{ every: '5 minutes' }] },
    catchupWindow: '1 minute',
    what: 'tells who comes on call and who goes off',
  });
}

/** An hour before the reports: what is mended on Monday morning holds for the week. */
function readinessSchedule({ orgId, timeZone }: ScheduledOrganization): ScheduleOptions {
  return schedule<DutyInput>({
    scheduleId: readinessScheduleId(orgId),
    workflowType: workflowTypes.readiness,
    input: { orgId },
    spec: { calendars: [{ dayOfWeek: 'MONDAY', hour: 7, minute: 0 }], timezone: timeZone },
    catchupWindow: '1 day',
    what: 'weekly look at what could keep pages from reaching somebody',
  });
}

/** When people have come in. An organization whose channels want none has a workflow that finds nothing to do. */
function chatSummarySchedule({ orgId, timeZone }: ScheduledOrganization, span: SummarySpan): ScheduleOptions {
  const day = span === 'week' ? { dayOfWeek: 'MONDAY' as const } : {};
  return schedule<ChatSummaryInput>({
    scheduleId: chatSummaryScheduleId(orgId, span),
    workflowType: workflowTypes.chatSummary,
    input: { orgId, span },
    spec: { calendars: [{ ...day, hour: 9, minute: 0 }], timezone: timeZone },
    catchupWindow: '2 hours',
    what: `summary of the ${span} for channels of chat`,
  });
}

function reportSchedule(
  { orgId, timeZone }: ScheduledOrganization,
  { kind, what, workflowType, due, own }: ScheduledReport,
): ScheduleOptions {
  return schedule<ReportInput>({
    scheduleId: reportScheduleId(orgId, kind),
    workflowType,
    input: { orgId, requestedBy: 'schedule', ...own },
    spec: { calendars: [due], timezone: timeZone },
    // Holdfast that was away on Monday morning sends when it is back, until Tuesday
    catchupWindow: '1 day',
    what: `${what} report`,
  });
}

/** What the schedules have in common. */
function schedule<Input>(own: {
  scheduleId: string;
  workflowType: string;
  input: Input;
  spec: ScheduleOptions['spec'];
  catchupWindow: '10 seconds' | '1 minute' | '2 hours' | '1 day';
  what: string;
}): ScheduleOptions {
  const { scheduleId, workflowType, input, spec, catchupWindow, what } = own;
  return {
    scheduleId,
    spec,
    // Temporal adds the time that it was due to the workflow's id
    action: { type: 'startWorkflow', workflowType, taskQueue, workflowId: scheduleId, args: [input] },
    // what still waits, as a report does for a mail server, is not started twice
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow },
    memo: { what },
  };
}
