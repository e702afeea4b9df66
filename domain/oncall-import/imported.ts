import type { OnCallSchedule, Rotation } from '../oncall/schedule.ts';
import type { EscalationPolicy } from '../policies.ts';

/** What another tool's export holds, in the words of Holdfast; still without regard to what stands here. */
export interface ImportedOnCall {
  schedules: ImportedNamed<OnCallSchedule>[];
  policies: ImportedNamed<EscalationPolicy>[];
  /** Whom schedules and policies name. */
  people: ImportedPerson[];
  problems: ImportProblem[];
}

export interface ImportedNamed<T> {
  /** Here: a name that configuration may have. */
  name: string;
  /** As it is called there. */
  title: string;
  definition: T;
}

export interface ImportedPerson {
  /** Lower case. */
  email: string;
  name: string;
}

/** What cannot be carried over, or only in part. */
export interface ImportProblem {
  /** Such as "schedule 'Primary', layer 'Nights'". */
  where: string;
  message: string;
}

/** The file is no export of this tool: each message begins with the field that is wrong. */
export class ImportFormatError extends Error {
  override name = 'ImportFormatError';
  readonly problems: string[];
  constructor(problems: string[]) {
    super(problems[0] ?? 'the file is no export');
    this.problems = problems;
  }
}

/** Gathers what is carried over, while an export is read. */
export interface Draft extends ImportedOnCall {
  /** The name under which a schedule or policy stands here. */
  nameFor(kind: 'schedule' | 'policy', title: string): string;
  problem(where: string, message: string): void;
}

export function newDraft(): Draft {
  const names = { schedule: uniqueNames('-'), policy: uniqueNames('-') };
  const draft: Draft = {
    schedules: [],
    policies: [],
    people: [],
    problems: [],
    nameFor: (kind, title) => names[kind](plainName(title)),
    problem(where, message) {
      draft.problems.push({ where, message });
    },
  };
  return draft;
}

/** The rotations with names that are unique, as a schedule wants them. */
export function withUniqueNames(rotations: readonly Rotation[]): Rotation[] {
  const unused = uniqueNames(' ');
  return rotations.map((rotation) => ({
    ...rotation,
    name: unused(rotation.name.trim().slice(0, 90) || 'rotation'),
  }));
}

/** Numbers a name that is taken. Where a base got to is kept: thousands that are called the same are no work. */
function uniqueNames(before: string): (base: string) => string {
  const taken = new Set<string>();
  const numbers = new Map<string, number>();
  return (base) => {
    let name = base;
    for (let number = numbers.get(base) ?? 2; taken.has(name); number++) {
      name = `${base}${before}${number}`;
      numbers.set(base, number);
    }
    taken.add(name);
    return name;
  };
}

/** Only those whom schedules and policies name, by address. */
export function peopleNamed(draft: Draft, everybody: ReadonlyMap<string, ImportedPerson>): ImportedPerson[] {
  const named = new Set([
    ...draft.schedules.flatMap(({ definition }) =>
      definition.rotations.flatMap(({ participants }) => participants.flat()),
    ),
    ...draft.policies.flatMap(({ definition }) =>
      definition.levels.flatMap(({ targets }) =>
        targets.flatMap((target) => (target.type === 'user' ? [target.email] : [])),
      ),
    ),
  ]);
  const found = new Map<string, ImportedPerson>();
  for (const person of everybody.values()) {
    if (named.has(person.email) && !found.has(person.email)) found.set(person.email, person);
  }
  return [...found.values()].sort((a, b) => (a.email < b.email ? -1 : 1));
}

/** Names of configuration have letters, digits, '.', '_' and '-'. */
function plainName(title: string): string {
  const plain = title
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9._]+/g, '-')
    .replace(/^[-._]+|-+$/g, '')
    .slice(0, 90);
  return plain || 'imported';
}
