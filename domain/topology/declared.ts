import { z } from 'zod';
import { type Dependency, type ServiceKind, serviceKinds } from './service.ts';
import { serviceName } from './service-name.ts';

/** What people say that there is: services with what they are, and who calls whom. */
export interface DeclaredTopology {
  services: DeclaredService[];
  dependencies: Dependency[];
}

export interface DeclaredService {
  name: string;
  kind: ServiceKind;
  description: string;
  /** The slug of the team that owns it. */
  team: string | null;
}

export const mostServices = 5_000;
export const mostDependencies = 20_000;

const name = z
  .string('write the name of a service')
  .refine(
    (text) => serviceName(text) === text,
    "write a name of at most 200 characters without spaces around it; 'unknown', 'localhost' and the like are none",
  );

const service = z.strictObject({
  name,
  kind: z.enum(serviceKinds, `write one of ${serviceKinds.join(', ')}`).default('service'),
  description: z.string().max(2000, 'write at most 2,000 characters').default(''),
  team: z.string().min(1).nullish(),
  /** The short way to write dependencies. */
  calls: z.array(name, 'write a list of names').default([]),
});

export const topologyFile = z.strictObject({
  services: z
    .array(service, 'write a list of services')
    .max(mostServices, `write at most ${mostServices} services`)
    .default([]),
  dependencies: z
    .array(z.strictObject({ from: name, to: name }), 'write a list of {from, to}')
    .max(mostDependencies, `write at most ${mostDependencies} dependencies`)
    .default([]),
});
export type TopologyFile = z.output<typeof topologyFile>;

/** Services in the order of the file; each dependency once, by name. */
export function declaredTopology(file: TopologyFile): DeclaredTopology {
  const calls = file.services.flatMap(({ name: from, calls: callees }) =>
    callees.map((to) => ({ from, to })),
  );
  const dependencies = new Map(
    [...calls, ...file.dependencies].map((each) => [dependencyKey(each), each] as const),
  );
  return {
    services: file.services.map(({ calls: _, team, ...rest }) => ({ ...rest, team: team ?? null })),
    dependencies: [...dependencies.values()].sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to)),
  };
}

/** What is to change for `after` to hold instead of `before`. */
export interface TopologyPlan {
  services: { added: DeclaredService[]; changed: DeclaredService[]; removed: string[] };
  dependencies: { added: Dependency[]; removed: Dependency[] };
}

export function planTopology(before: DeclaredTopology, after: DeclaredTopology): TopologyPlan {
  const had = new Map(before.services.map((each) => [each.name, each]));
  const called = new Set(before.dependencies.map(dependencyKey));
  const has = new Set(after.services.map((each) => each.name));
  const calls = new Set(after.dependencies.map(dependencyKey));
  return {
    services: {
      added: after.services.filter((each) => !had.has(each.name)),
      changed: after.services.filter((each) => {
        const old = had.get(each.name);
        return old !== undefined && !sameService(old, each);
      }),
      removed: before.services.filter((each) => !has.has(each.name)).map((each) => each.name),
    },
    dependencies: {
      added: after.dependencies.filter((each) => !called.has(dependencyKey(each))),
      removed: before.dependencies.filter((each) => !calls.has(dependencyKey(each))),
    },
  };
}

export function isEmptyPlan({ services, dependencies }: TopologyPlan): boolean {
  const lists = [
    services.added,
    services.changed,
    services.removed,
    dependencies.added,
    dependencies.removed,
  ];
  return lists.every((list) => list.length === 0);
}

function sameService(a: DeclaredService, b: DeclaredService): boolean {
  return a.kind === b.kind && a.description === b.description && a.team === b.team;
}

function dependencyKey({ from, to }: Dependency): string {
  return JSON.stringify([from, to]);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
