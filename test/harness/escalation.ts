import { randomUUID } from 'node:crypto';
import { ApplicationFailure, type UpdateDefinition } from '@temporalio/common';

import type { AnnounceInput, RuleNotice } from '../../activities/announce.ts';
import type { IncidentRecord } from '../../db/incident-record.ts';
import { methodKey } from '../../domain/contact-method.ts';
import type { ContactRules } from '../../domain/contact-rules.ts';
import { reachesSomebody } from '../../domain/escalation/reached.ts';
import { type Directory, resolveTargets } from '../../domain/escalation/resolve.ts';
import type { FeedDigest } from '../../domain/incident/events.ts';
import type { NotifyInput, NotifyOutcome, NotifyTarget } from '../../domain/notification.ts';
import { onCallSchedule, type ScheduleFacts } from '../../domain/oncall/schedule.ts';
import { type EscalationPolicy, type EscalationTarget, escalationPolicy } from '../../domain/policies.ts';
import type { Severity } from '../../domain/severity.ts';
import { acknowledge, feedUnread, incidentWorkflowId, resolve, type Seen } from '../../workflows/messages.ts';
import { createWorkflowHarness, until, type WorkflowHarness } from './workflows.ts';

export const minute = 60_000;
export const ana = { name: 'ana@example.com', via: 'page' } as const;
export const ben = { name: 'ben@example.com', via: 'page' } as const;

/** What the workflow of one incident meets: its activities answer from here, and what they saw is kept here. */
export interface Scenario {
  directory: Directory;
  /** At this time by the clock on the wall the incident opens: schedules are asked as of it. */
  opensAt: number;
  digest: FeedDigest;
  /** Throws where a message does not get through. */
  deliver(input: NotifyInput): Promise<void> | void;
  /** Of a message that is not to be sent. */
  instead(input: NotifyInput): NotifyOutcome | undefined;
  rules(input: AnnounceInput): RuleNotice[];
  /** Moves alerts; answers with the number of the incident that has them now. */
  move(): Promise<number>;
  /** Whom a level was asked for, and when. */
  asked: { minute: number }[];
  sent: (NotifyInput & { minute: number })[];
  records: IncidentRecord[];
}

export type Handle = Awaited<ReturnType<WorkflowHarness['env']['client']['workflow']['signalWithStart']>>;

/** A running incident. Minutes count from its opening. */
export interface Escalation {
  scenario: Scenario;
  handle: Handle;
  /** Lets the clock go on until so many minutes after the opening. */
  at(minutes: number): Promise<void>;
  /** Sends an update when all is at rest: the test server loses one that meets local activities under way. */
  update<T, A>(definition: UpdateDefinition<T, [A]>, args: A): Promise<T>;
  /** Changes what the feed says, and tells the workflow. */
  feed(change: Partial<FeedDigest>): Promise<void>;
  /** Pages so far, such as '15 ben' or '5 ana slack:chat'. */
  pages(): string[];
  /** Messages of a type so far, as `pages`. */
  told(type: string): string[];
  story(): { kind: string; summary: string; actor: string }[];
  standing(): IncidentRecord['standing'];
}

export interface EscalationHarness {
  workflows: WorkflowHarness;
  run(given: ScenarioInput, work: (escalation: Escalation) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

export interface ScenarioInput {
  policy: unknown;
  schedules?: ScheduleFacts[];
  /** Contact rules by mail address; those without are told by mail. */
  rules?: Record<string, ContactRules>;
  /** ISO 8601. */
  opensAt?: string;
  change?: Partial<Scenario>;
  digest?: Partial<FeedDigest>;
  plan?: Partial<FeedDigest['plan']>;
}

export const people = ['ana', 'ben', 'cleo', 'dan'].map((name) => `${name}@example.com`);

/** A schedule of these rotations. */
export function scheduleOf(
  name: string,
  definition: unknown,
  more: Partial<ScheduleFacts> = {},
): ScheduleFacts {
  return { name, definition: onCallSchedule.parse(definition), overrides: [], calendarShifts: [], ...more };
}

export const onCall = (name: string): EscalationTarget => ({ type: 'schedule', name });
export const user = (name: string): EscalationTarget => ({ type: 'user', email: `${name}@example.com` });
export const address = (name: string): EscalationTarget => ({
  type: 'email',
  address: `${name}@example.com`,
});

export async function createEscalationHarness(): Promise<EscalationHarness> {
  const workflows = await createWorkflowHarness();
  const scenarios = new Map<string, Scenario & { openedAt: number }>();
  const of = (orgId: string) => {
    const scenario = scenarios.get(orgId);
    if (!scenario) throw ApplicationFailure.nonRetryable('not part of a scenario that runs');
    return scenario;
  };
  const taskQueue = `escalation-${randomUUID()}`;
  const activities = activitiesOf(of, () => workflows.env.currentTimeMs());
  let stop = () => {};
  const stopped = new Promise<void>((done) => {
    stop = done;
  });
  const worker = workflows.withWorker(taskQueue, activities, () => stopped);

  return {
    workflows,
    async run(given, work) {
      const orgId = randomUUID();
      const openedAt = await workflows.env.currentTimeMs();
      const scenario = { ...scenarioOf(given, openedAt), openedAt };
      scenarios.set(orgId, scenario);
      const handle = await workflows.env.client.workflow.signalWithStart('incident', {
        workflowId: incidentWorkflowId(orgId, 1),
        taskQueue,
        args: [{ orgId, incidentId: randomUUID(), number: 1 }],
        signal: feedUnread,
        signalArgs: [],
      });
      try {
        await until(() => scenario.records.length > 0, 'the incident is recorded');
        // to rest: the test server loses an update that meets a workflow task with local activities under way
        await workflows.skip(1_000);
        await work(escalationOf(scenario, handle, workflows));
      } finally {
        scenario.deliver = () => {};
        scenario.digest = { ...scenario.digest, firingJoined: false };
        if ((await handle.describe()).status.name === 'RUNNING') {
          await handle
            .executeUpdate(resolve, { args: [{ actor: ana, falsePositive: true }] })
            .catch(() => {});
          await workflows.ended(handle);
        }
        scenarios.delete(orgId);
      }
    },
    async close() {
      stop();
      await worker;
      await workflows.close();
    },
  };
}

function scenarioOf(given: ScenarioInput, openedAt: number): Scenario {
  const policy: EscalationPolicy = escalationPolicy.parse(given.policy);
  return {
    directory: {
      schedules: new Map((given.schedules ?? []).map((schedule) => [schedule.name, schedule])),
      people: new Map(
        people.map((email) => [email, { name: email, contactRules: given.rules?.[email] ?? [] }]),
      ),
      channels: new Set(['ops', 'chat']),
    },
    opensAt: given.opensAt === undefined ? openedAt : Date.parse(given.opensAt),
    digest: {
      seq: 1,
      title: 'HighLatency on checkout',
      service: 'checkout',
      severity: 'critical',
      openedAt,
      alertCount: 1,
      firingCount: 1,
      firingJoined: true,
      plan: {
        escalation: { name: 'default', policy },
        sla: null,
        reopenWindowMs: 15 * minute,
        resolves: true,
        pattern: 'HighLatency checkout',
        ...given.plan,
      },
      matches: [],
      ...given.digest,
    },
    deliver: () => {},
    instead: () => undefined,
    rules: () => [],
    move: async () => 2,
    asked: [],
    sent: [],
    records: [],
    ...given.change,
  };
}

function activitiesOf(of: (orgId: string) => Scenario & { openedAt: number }, clock: () => Promise<number>) {
  const minutes = ({ openedAt }: { openedAt: number }, time: number) =>
    Math.round((time - openedAt) / minute);
  return {
    readFeed: async ({ orgId }: { orgId: string }) => of(orgId).digest,
    recordIncident: async (record: IncidentRecord) => {
      of(record.orgId).records.push(record);
    },
    closeIncident: async () => true,
    gatherLogs: async () => ({ source: 'x', total: 0, patterns: 0, stackTraces: 0, summary: 'no log lines' }),
    resolveLevel: async (args: {
      orgId: string;
      targets: EscalationTarget[];
      severity: Severity;
      at: number;
    }) => {
      const scenario = of(args.orgId);
      scenario.asked.push({ minute: minutes(scenario, args.at) });
      const at = scenario.opensAt + args.at - scenario.openedAt;
      const targets = resolveTargets(scenario.directory, args.targets, args.severity, at);
      return { targets, owners: reachesSomebody(targets) ? [] : ['dan@example.com'] };
    },
    regroupIncident: async ({ orgId }: { orgId: string }) => ({ number: await of(orgId).move() }),
    announce: async (input: AnnounceInput) => ({ notices: of(input.orgId).rules(input) }),
    notify: async (input: NotifyInput) => {
      const scenario = of(input.orgId);
      const instead = scenario.instead(input);
      if (instead) return instead;
      await scenario.deliver(input);
      scenario.sent.push({ ...input, minute: minutes(scenario, await clock()) });
      return { status: 'sent', destination: nameOf(input.target) };
    },
  };
}

function escalationOf(
  scenario: Scenario & { openedAt: number },
  handle: Handle,
  workflows: WorkflowHarness,
): Escalation {
  const told = (type: string) =>
    scenario.sent
      .filter((message) => message.type === type)
      .map((message) => `${message.minute} ${nameOf(message.target)}`);
  return {
    scenario,
    handle,
    async at(minutes) {
      const left = scenario.openedAt + minutes * minute + 1_000 - (await workflows.env.currentTimeMs());
      if (left > 0) await workflows.skip(left);
    },
    async update<T, A>(definition: UpdateDefinition<T, [A]>, args: A) {
      await workflows.skip(1_000);
      return await handle.executeUpdate<T, [A]>(definition, { args: [args] as [A] });
    },
    async feed(change) {
      scenario.digest = { ...scenario.digest, seq: scenario.digest.seq + 1, firingJoined: false, ...change };
      await handle.signal(feedUnread);
      await workflows.skip(1_000);
    },
    pages: () => told('escalation.page'),
    told,
    story: () => scenario.records.flatMap(({ entries }) => entries),
    standing() {
      const last = scenario.records.at(-1);
      if (!last) throw new Error('nothing is recorded');
      return last.standing;
    },
  };
}

/** 'ana', and how where it is not a mail. */
function nameOf(target: NotifyTarget): string {
  switch (target.type) {
    case 'email':
      return target.address.split('@')[0] ?? '';
    case 'user':
      return target.email.split('@')[0] ?? '';
    case 'contact': {
      const method = methodKey(target.method);
      return `${target.email.split('@')[0]}${method === 'email:' ? '' : ` ${method}`}`;
    }
    case 'channel':
    case 'schedule':
      return `${target.type} ${target.name}`;
  }
}

/** A message that will never get through. */
export function undeliverable(reason: string): never {
  throw ApplicationFailure.nonRetryable(reason, 'Undeliverable');
}

export const acknowledgedBy = async (
  { update }: Escalation,
  actor: { name: string; via: 'page' },
  seen: Seen = {},
) => await update(acknowledge, { actor, ...seen });
