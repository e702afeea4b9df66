import type { z } from 'zod';
import { type OnCallSchedule, onCallSchedule } from '../oncall/schedule.ts';
import { type EscalationPolicy, escalationPolicy } from '../policies.ts';
import { readGrafanaOnCall } from './grafana-oncall.ts';
import {
  type ImportedNamed,
  type ImportedOnCall,
  ImportFormatError,
  type ImportProblem,
} from './imported.ts';
import { readOpsgenie } from './opsgenie.ts';
import { readPagerDuty } from './pagerduty.ts';

export const importSources = ['grafana-oncall', 'pagerduty', 'opsgenie'] as const;
export type ImportSource = (typeof importSources)[number];

/** What would become of one thing: it is new here, takes the place of one of this name, or stands so already. */
export type ImportChange = 'create' | 'replace' | 'same';

export interface PlannedImport<T> extends ImportedNamed<T> {
  change: ImportChange;
}

export interface ImportPlan {
  source: ImportSource;
  schedules: PlannedImport<OnCallSchedule>[];
  policies: PlannedImport<EscalationPolicy>[];
  /** Whom it names; those who are to be created are no users here yet. */
  people: { email: string; name: string; change: 'create' | 'same' }[];
  problems: ImportProblem[];
}

/** What stands here, by name; people by mail address, lower case. */
export interface Standing {
  schedules: ReadonlyMap<string, OnCallSchedule>;
  policies: ReadonlyMap<string, EscalationPolicy>;
  people: ReadonlySet<string>;
}

const readers: Record<ImportSource, (value: unknown, now: number) => ImportedOnCall> = {
  'grafana-oncall': readGrafanaOnCall,
  pagerduty: readPagerDuty,
  opsgenie: readOpsgenie,
};

const keys: Record<ImportSource, string> = {
  'grafana-oncall': 'users, schedules, on_call_shifts, escalation_chains and escalation_policies',
  pagerduty: 'users, schedules and escalation_policies',
  opsgenie: 'users, schedules and escalations',
};

/**
 * What importing an export would do. What is left out says so in `problems`. Throws ImportFormatError for what is no
 * export of this tool.
 */
export function planImport(
  source: ImportSource,
  value: unknown,
  standing: Standing,
  now: number,
): ImportPlan {
  const imported = readers[source](value, now);
  if (imported.schedules.length + imported.policies.length + imported.problems.length === 0) {
    throw new ImportFormatError([
      `the file: it holds neither schedules nor escalation policies; put the answers of the API into one object, under ${keys[source]}`,
    ]);
  }
  const problems = [...imported.problems];
  const schedules = imported.schedules
    .flatMap((one) => usable(onCallSchedule, one, 'schedule', problems))
    .map((one) => {
      const { definition } = one;
      if (definition.rotations.length === 0) {
        problems.push({ where: `schedule '${one.title}'`, message: 'nobody would be on call by it' });
      }
      return { ...one, change: changeOf(standing.schedules.get(one.name), definition) };
    });
  const names = new Set([...standing.schedules.keys(), ...schedules.map(({ name }) => name)]);
  const policies = imported.policies
    .flatMap((one) => usable(escalationPolicy, one, 'escalation policy', problems))
    .filter((one) => namesKnownSchedules(one, names, problems))
    .map((one) => {
      const stands = standing.policies.get(one.name);
      // which incidents it is for was said here, and is not said there
      const match = stands?.match === undefined ? {} : { match: stands.match };
      const definition = { ...one.definition, ...match };
      if (definition.match === undefined && one.name !== 'default') {
        problems.push({
          where: `escalation policy '${one.title}'`,
          message: 'no incident is for it until you say which, by its match',
        });
      }
      return { ...one, definition, change: changeOf(stands, definition) };
    });
  const people = imported.people.map((person) => ({
    ...person,
    change: standing.people.has(person.email) ? ('same' as const) : ('create' as const),
  }));
  return { source, schedules, policies, people, problems };
}

/** With all defaults in place; none where it cannot be. */
function usable<T>(
  schema: z.ZodType<T>,
  one: ImportedNamed<T>,
  kind: string,
  problems: ImportProblem[],
): ImportedNamed<T>[] {
  const result = schema.safeParse(one.definition);
  if (result.success) return [{ ...one, definition: result.data }];
  const [first] = result.error.issues;
  problems.push({
    where: `${kind} '${one.title}'`,
    message: `${first?.path.join('.')}: ${first?.message}: it is left out`,
  });
  return [];
}

function namesKnownSchedules(
  { title, definition }: ImportedNamed<EscalationPolicy>,
  names: ReadonlySet<string>,
  problems: ImportProblem[],
): boolean {
  const missing = definition.levels
    .flatMap(({ targets }) => targets)
    .find((target) => target.type === 'schedule' && !names.has(target.name));
  if (missing?.type !== 'schedule') return true;
  problems.push({
    where: `escalation policy '${title}'`,
    message: `the schedule '${missing.name}' is left out, so this is, too`,
  });
  return false;
}

function changeOf(stands: object | undefined, definition: object): ImportChange {
  if (stands === undefined) return 'create';
  return canonical(stands) === canonical(definition) ? 'same' : 'replace';
}

/** JSON with its keys in order, so that what says the same is the same text. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
