import { contactRules } from '../../domain/contact-rules.ts';
import { notificationRule } from '../../domain/notification-rules/rule.ts';
import { onCallSchedule, type ScheduleFacts } from '../../domain/oncall/schedule.ts';
import { escalationPolicy, slaPolicy } from '../../domain/policies.ts';
import type { Configuration } from '../../domain/rehearsal/situation.ts';

const people = ['ana@example.com', 'ben@example.com', 'cleo@example.com'];

/** By the clock of Berlin where it names no zone. */
export const madeUpSchedule = (
  name: string,
  definition: object,
  more: Partial<ScheduleFacts> = {},
): ScheduleFacts => ({
  name,
  definition: onCallSchedule.parse({ timeZone: 'Europe/Berlin', ...definition }),
  overrides: [],
  calendarShifts: [],
  ...more,
});
/** Ana and Ben in turns of a week, Ana from 2026-11-23 on. */
const weekly = {
  name: 'weekly',
  participants: [['ana@example.com'], ['ben@example.com']],
  turn: { unit: 'week' },
  startsAt: '2026-11-23T09:00',
};

export interface MadeUp {
  levels?: object[];
  policy?: object;
  sla?: object;
  rules?: Record<string, object>;
  schedules?: ScheduleFacts[];
  contactRules?: Record<string, object[]>;
  silences?: Configuration['silences'];
  /** Who is known in Slack; absent: all. */
  slackPeople?: string[];
}

/** What made up incidents go by: people, channels and one policy. */
export function madeUpConfiguration(given: MadeUp): Configuration {
  const schedules = given.schedules ?? [madeUpSchedule('primary', { rotations: [weekly] })];
  return {
    policies: [
      {
        name: 'default',
        definition: escalationPolicy.parse({
          levels: given.levels ?? [{ after: '0s', targets: [{ type: 'schedule', name: 'primary' }] }],
          ...given.policy,
        }),
      },
    ],
    slaPolicies: given.sla ? [{ name: 'Critical', definition: slaPolicy.parse(given.sla) }] : [],
    calendars: new Map(),
    rules: Object.entries(given.rules ?? {}).map(([name, rule]) => ({
      name,
      definition: notificationRule.parse(rule),
    })),
    silences: given.silences ?? [],
    directory: {
      schedules: new Map(schedules.map((each) => [each.name, each])),
      people: new Map(
        people.map((email) => [
          email,
          { name: email, contactRules: contactRules.parse(given.contactRules?.[email] ?? []) },
        ]),
      ),
      channels: new Set(['ops', 'bot']),
    },
    slack: { bots: new Set(['bot']), people: new Set(given.slackPeople ?? people) },
    reopenWindowMs: 15 * 60_000,
    owners: ['owner@example.com'],
  };
}
