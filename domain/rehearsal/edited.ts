import type { NotificationRule } from '../notification-rules/rule.ts';
import type { OnCallSchedule, Override } from '../oncall/schedule.ts';
import type { EscalationPolicy, SlaPolicy } from '../policies.ts';
import type { Configuration } from './situation.ts';

/** What somebody has edited and not saved; each takes the place of what has its name, or is added. */
export interface Edited {
  policy?: { name: string; definition: EscalationPolicy };
  schedule?: { name: string; definition: OnCallSchedule };
  /** Beside those that stand. */
  overrides?: (Override & { schedule: string })[];
  rule?: { name: string; definition: NotificationRule };
  slaPolicy?: { name: string; definition: SlaPolicy };
}

/** The configuration as it would be once it is saved, in the order in which it is read. */
export function withEdited(standing: Configuration, edited: Edited): Configuration {
  const { policy, rule, slaPolicy } = edited;
  return {
    ...standing,
    policies: policy ? sorted(standing.policies, policy, () => 0) : standing.policies,
    rules: rule ? sorted(standing.rules, rule, ({ order }) => order) : standing.rules,
    slaPolicies: slaPolicy
      ? sorted(standing.slaPolicies, slaPolicy, ({ order }) => order)
      : standing.slaPolicies,
    directory: { ...standing.directory, schedules: schedulesWith(standing, edited) },
  };
}

function sorted<T>(
  standing: readonly { name: string; definition: T }[],
  edited: { name: string; definition: T },
  orderOf: (definition: T) => number,
): { name: string; definition: T }[] {
  return [...standing.filter(({ name }) => name !== edited.name), edited].sort(
    (a, b) => orderOf(a.definition) - orderOf(b.definition) || (a.name < b.name ? -1 : 1),
  );
}

function schedulesWith(
  { directory }: Configuration,
  { schedule, overrides = [] }: Edited,
): Configuration['directory']['schedules'] {
  const schedules = new Map(directory.schedules);
  if (schedule) {
    const { name, definition } = schedule;
    const before = schedules.get(name);
    schedules.set(name, {
      name,
      definition,
      overrides: before?.overrides ?? [],
      calendarShifts: before?.calendarShifts ?? [],
    });
  }
  for (const { schedule: name, ...override } of overrides) {
    const facts = schedules.get(name);
    if (facts) schedules.set(name, { ...facts, overrides: [...facts.overrides, override] });
  }
  return schedules;
}
