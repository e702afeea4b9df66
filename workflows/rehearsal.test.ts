import { randomUUID } from 'node:crypto';
import { type WorkflowHandle, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { IncidentRecord } from '../db/incident-record.ts';
import { reachesSomebody } from '../domain/escalation/reached.ts';
import { resolveTargets } from '../domain/escalation/resolve.ts';
import type { Announcement } from '../domain/incident/state.ts';
import type { NotifyInput, NotifyTarget } from '../domain/notification.ts';
import type { EscalationTarget } from '../domain/policies.ts';
import { readRehearsedFeed } from '../domain/rehearsal/feed.ts';
import { destinationName } from '../domain/rehearsal/perform.ts';
import { ruleNotices } from '../domain/rehearsal/rule-notices.ts';
import { simulate } from '../domain/rehearsal/simulate.ts';
import type { Answer, Configuration, Failure, RehearsedIncident } from '../domain/rehearsal/situation.ts';
import type { Severity } from '../domain/severity.ts';
import { type MadeUp, madeUpConfiguration, madeUpSchedule } from '../test/harness/rehearsed.ts';
import { createWorkflowHarness, until, type WorkflowHarness } from '../test/harness/workflows.ts';
import { acknowledge, feedUnread, incidentWorkflowId, resolve, snooze } from './messages.ts';

/**
 * A rehearsal must say what the real workflow does. Each case runs twice: by the simulated clock, and on the workflow
 * with skipped time, whose activities answer from the same made up facts.
 */

const minute = 60_000;
const [ana, ben, cleo] = ['ana@example.com', 'ben@example.com', 'cleo@example.com'] as const;
const alert = {
  id: 1,
  name: 'HighLatency',
  severity: 'critical',
  service: 'payment-api',
  labels: {},
} as const;
const user = (email: string) => ({ type: 'user', email });
const level = (after: string, ...targets: object[]) => ({ after, targets });
const onCall = { type: 'schedule', name: 'primary' };
const threeLevels = [level('0s', user(ana)), level('15m', user(ben)), level('30m', user(cleo))];

/** Minutes are counted from the opening. */
interface Case {
  title: string;
  given: MadeUp;
  answers?: { minute: number; by: string; what: 'acknowledge' | 'resolve' | 'snooze'; forMinutes?: number }[];
  /** When the alert stops and starts firing, in turns. */
  turns?: number[];
  /** Another alert joins, worse or not. */
  joins?: { minute: number; severity: Severity }[];
  failures?: { target: string; from: number; to: number }[];
  silence?: { from: number; to: number };
}

const slackThenMail = [
  {
    steps: [
      { after: '0s', method: { type: 'slack', channel: 'bot' } },
      { after: '5m', method: { type: 'email' } },
    ],
  },
];

const cases: Case[] = [
  {
    title: 'every level and pass',
    given: { levels: threeLevels, policy: { repeats: 1, repeatAfter: '20m' } },
  },
  {
    title: 'an acknowledgement, with clocks and a late second one',
    given: { levels: threeLevels, sla: { acknowledgeWithin: '10m', resolveWithin: '1h' } },
    answers: [
      { minute: 22, by: ben, what: 'acknowledge' },
      { minute: 24, by: ana, what: 'acknowledge' },
    ],
    turns: [52],
  },
  {
    title: 'nobody on call',
    given: {
      levels: [level('0s', onCall), level('15m', user(ben))],
      schedules: [madeUpSchedule('primary', { rotations: [] })],
    },
  },
  {
    title: 'contact rules',
    given: { levels: threeLevels, contactRules: { [ana]: slackThenMail } },
    answers: [{ minute: 18, by: ben, what: 'resolve' }],
  },
  {
    title: 'a way that fails',
    given: { levels: threeLevels, contactRules: { [ana]: slackThenMail } },
    failures: [{ target: 'bot', from: 0, to: 60 }],
  },
  {
    title: 'a level that cannot be delivered to anybody',
    given: { levels: threeLevels },
    failures: [{ target: ana, from: 0, to: 60 }],
  },
  {
    title: 'a snooze',
    given: { levels: threeLevels },
    answers: [{ minute: 7, by: ana, what: 'snooze', forMinutes: 20 }],
  },
  {
    title: 'a silence',
    given: { levels: threeLevels, sla: { acknowledgeWithin: '10m', resolveWithin: '1h' } },
    silence: { from: -5, to: 12 },
  },
  {
    title: 'a reopening',
    given: { levels: threeLevels },
    answers: [{ minute: 4, by: ana, what: 'acknowledge' }],
    turns: [9, 17, 41],
  },
  {
    title: 'a reminder and an acknowledgement that is taken back',
    given: { levels: threeLevels, policy: { remindAfter: '13m', unacknowledgeAfter: '27m' } },
    answers: [{ minute: 3, by: ana, what: 'acknowledge' }],
    turns: [72],
  },
  {
    title: 'rules of notification',
    given: {
      levels: threeLevels,
      sla: { acknowledgeWithin: '10m', resolveWithin: '1h' },
      rules: {
        chat: {
          triggers: ['incident.opened', 'incident.acknowledged', 'incident.resolved', 'sla.breached'],
          when: { severities: ['critical'] },
          targets: [{ type: 'channel', name: 'ops' }, onCall],
        },
        received: { triggers: ['alert.received'], targets: [{ type: 'email', address: 'log@example.com' }] },
      },
    },
    answers: [{ minute: 19, by: ben, what: 'acknowledge' }],
    turns: [33],
    joins: [{ minute: 6, severity: 'critical' }],
  },
  {
    title: 'a severity that gets worse, with another SLA',
    given: {
      levels: threeLevels,
      sla: { acknowledgeWithin: '10m', resolveWithin: '40m', match: { severity: 'critical' } },
    },
    joins: [{ minute: 8, severity: 'critical' }],
  },
];

/** Handoffs of one night each, an hour before and after which the clock changes. */
const nights: { title: string; opens: string; zone: string; startsAt: string }[] = [
  {
    title: 'summer time begins',
    opens: '2027-03-28T00:45:00Z',
    zone: 'Europe/Berlin',
    startsAt: '2027-03-27T02:30',
  },
  {
    title: 'summer time ends',
    opens: '2027-10-31T00:15:00Z',
    zone: 'Europe/Berlin',
    startsAt: '2027-10-30T02:30',
  },
];
const nightly = ({ zone, startsAt }: (typeof nights)[number]): MadeUp => ({
  levels: [level('0s', onCall), level('20m', onCall), level('50m', onCall), level('80m', onCall)],
  schedules: [
    madeUpSchedule('primary', {
      timeZone: zone,
      rotations: [{ name: 'nights', participants: [[ana], [ben]], turn: { unit: 'day' }, startsAt }],
    }),
  ],
});

let harness: WorkflowHarness;
let stop: () => void;
let worker: Promise<void>;
const taskQueue = `test-${randomUUID()}`;
const runs = new Map<string, Run>();

beforeAll(async () => {
  harness = await createWorkflowHarness();
  const stopped = new Promise<void>((done) => {
    stop = done;
  });
  worker = harness.withWorker(taskQueue, scriptedActivities(), () => stopped);
});
afterAll(async () => {
  stop();
  await worker;
  await harness.close();
});

interface Run {
  incident: RehearsedIncident;
  configuration: Configuration;
  failures: Failure[];
  told: string[];
  story: string[];
  recorded: boolean;
  /** The night is so many milliseconds from when the test runs: whoever is on call is asked for then. */
  shift: number;
}

/** A little after the full minute: by then what is due at it has been done. */
const rest = 5_000;

function runOf(
  { given, answers = [], turns = [], joins = [], failures = [], silence }: Case,
  openedAt: number,
): Run {
  const at = (minutes: number) => openedAt + minutes * minute + rest;
  const severity = joins.length > 0 && given.sla && 'match' in given.sla ? 'warning' : 'critical';
  const first = { ...alert, severity } as const;
  const silences = silence
    ? [
        {
          match: { service: 'payment-*' },
          from: openedAt + silence.from * minute,
          to: openedAt + silence.to * minute,
          weekly: null,
          team: null,
          reason: 'new disks',
        },
      ]
    : [];
  return {
    incident: {
      number: 1,
      openedAt,
      team: null,
      feed: [
        { at: openedAt, firing: true, alert: first },
        ...turns.map((minutes, index) => ({ at: at(minutes), firing: index % 2 === 1, alert: first })),
        ...joins.flatMap((join, index) => {
          const joined = { ...alert, id: index + 2, severity: join.severity };
          const over = turns.at(-1);
          return [
            { at: at(join.minute), firing: true, alert: joined },
            ...(over === undefined ? [] : [{ at: at(over), firing: false, alert: joined }]),
          ];
        }),
      ].sort((a, b) => a.at - b.at),
      answers: answers.map(({ minute: minutes, by, what, forMinutes = 0 }): Answer => {
        const moment = at(minutes);
        return what === 'snooze'
          ? { at: moment, by, what, until: moment + forMinutes * minute }
          : { at: moment, by, what };
      }),
    },
    configuration: madeUpConfiguration({ ...given, silences }),
    failures: failures.map(({ target, from, to }) => ({ target, from: at(from) - rest, to: at(to) })),
    told: [],
    story: [],
    recorded: false,
    shift: 0,
  };
}

const minutesFrom = (openedAt: number, at: number) => Math.round((at - openedAt) / minute);

/** Evidence is no matter of rehearsals. */
const isTold = (kind: string) => !kind.startsWith('logs') && !kind.startsWith('notification');

function scriptedActivities() {
  const runOfOrg = (orgId: string): Run => {
    const run = runs.get(orgId);
    if (!run) throw ApplicationFailure.nonRetryable(`no case of ${orgId}`);
    return run;
  };
  return {
    readFeed: async ({ orgId, afterSeq }: { orgId: string; afterSeq: number }) => {
      const { incident, configuration } = runOfOrg(orgId);
      return readRehearsedFeed(incident, configuration, { afterSeq, now: await harness.env.currentTimeMs() });
    },
    resolveLevel: async (args: {
      orgId: string;
      targets: EscalationTarget[];
      severity: Severity;
      at: number;
    }) => {
      const { configuration, shift } = runOfOrg(args.orgId);
      const { directory, owners } = configuration;
      const targets = resolveTargets(directory, args.targets, args.severity, args.at + shift);
      return { targets, owners: reachesSomebody(targets) ? [] : owners };
    },
    announce: async ({ orgId, ...announcement }: Announcement & { orgId: string }) => {
      const { incident, configuration } = runOfOrg(orgId);
      return { notices: ruleNotices(incident, configuration, announcement) };
    },
    notify: async ({ orgId, type, target }: NotifyInput) => {
      const { incident, failures, told } = runOfOrg(orgId);
      const now = await harness.env.currentTimeMs();
      const place = placeOf(target);
      const fails = failures.some(
        (failure) => failure.target === place && failure.from <= now && now < failure.to,
      );
      told.push(
        `${minutesFrom(incident.openedAt, now)} ${type} ${destinationName(target)} ${fails ? 'failed' : 'sent'}`,
      );
      if (fails) throw ApplicationFailure.nonRetryable(`${place} fails in this rehearsal`);
      return { status: 'sent', destination: destinationName(target) };
    },
    recordIncident: async ({ orgId, entries }: IncidentRecord & { orgId: string }) => {
      const run = runOfOrg(orgId);
      run.recorded = true;
      for (const { at, kind } of entries) {
        if (isTold(kind)) run.story.push(`${minutesFrom(run.incident.openedAt, at)} ${kind}`);
      }
    },
    closeIncident: async () => true,
    gatherLogs: async () => ({ source: '', total: 0, patterns: 0, stackTraces: 0, summary: '' }),
  };
}

function placeOf(target: NotifyTarget): string {
  if (target.type === 'contact' && target.method.type === 'slack') return target.method.channel;
  return destinationName(target);
}

/** What the simulated clock says of it, in the same words. */
function rehearsed({ incident: asRun, configuration, failures, shift }: Run) {
  const incident = {
    ...asRun,
    openedAt: asRun.openedAt + shift,
    feed: asRun.feed.map((entry) => ({ ...entry, at: entry.at + shift })),
  };
  const { openedAt } = incident;
  const { messages, story } = simulate(incident, {
    configuration,
    failures,
    latencyMs: 0,
    until: openedAt + lastsMinutes * minute,
  });
  return {
    told: messages.map(
      ({ at, type, target, status }) =>
        `${minutesFrom(openedAt, at)} ${type} ${destinationName(target)} ${status}`,
    ),
    story: story
      .filter(({ kind }) => isTold(kind))
      .map(({ at, kind }) => `${minutesFrom(openedAt, at)} ${kind}`),
  };
}

const lastsMinutes = 115;

/** Runs it on the real workflow until `lastsMinutes` after its opening. */
async function onTheWorkflow(run: Run): Promise<void> {
  const orgId = randomUUID();
  runs.set(orgId, run);
  const { incident } = run;
  const handle = await harness.env.client.workflow.signalWithStart('incident', {
    workflowId: incidentWorkflowId(orgId, 1),
    taskQueue,
    args: [{ orgId, incidentId: randomUUID(), number: 1 }],
    signal: feedUnread,
    signalArgs: [],
  });
  const skipTo = async (at: number) => {
    const left = at - (await harness.env.currentTimeMs());
    if (left > 0) await harness.skip(left);
  };
  try {
    await until(() => run.recorded, 'the incident is recorded');
    const acts = [
      ...incident.feed.slice(1).map(({ at }) => ({ at, act: () => handle.signal(feedUnread) })),
      ...incident.answers.map((answer) => ({ at: answer.at, act: () => give(handle, answer) })),
    ];
    for (const { at, act } of acts.sort((one, other) => one.at - other.at)) {
      await skipTo(at);
      await act();
      await harness.skip(1000);
    }
    await skipTo(incident.openedAt + lastsMinutes * minute);
  } finally {
    // some have come to their end
    await handle.terminate().catch(() => {});
  }
}

async function give(handle: WorkflowHandle, answer: Answer): Promise<void> {
  const actor = { name: answer.by, via: 'page' } as const;
  try {
    if (answer.what === 'acknowledge') await handle.executeUpdate(acknowledge, { args: [{ actor }] });
    else if (answer.what === 'resolve') await handle.executeUpdate(resolve, { args: [{ actor }] });
    else if (answer.what === 'snooze') {
      await handle.executeUpdate(snooze, { args: [{ actor, until: new Date(answer.until).toISOString() }] });
    }
  } catch (error) {
    // the second acknowledgement of a case is refused, as the rehearsal says
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
  }
}

const inOrder = (lines: string[]) => [...lines].sort();

describe('a rehearsal says what the real workflow does', () => {
  test.each(cases)('$title', async (each) => {
    const run = runOf(each, await harness.env.currentTimeMs());
    await onTheWorkflow(run);
    const expected = rehearsed(run);
    expect(inOrder(run.told)).toEqual(inOrder(expected.told));
    expect(inOrder(run.story)).toEqual(inOrder(expected.story));
    expect(expected.told.length).toBeGreaterThan(0);
  });

  test.each(nights)('on the night on which $title in $zone', async (night) => {
    const run = runOf({ title: night.title, given: nightly(night) }, await harness.env.currentTimeMs());
    run.shift = Date.parse(night.opens) - run.incident.openedAt;
    await onTheWorkflow(run);
    expect(run.told).toEqual(rehearsed(run).told);
    const people = run.told.map((line) => line.split(' ')[2]);
    // the handoff lies between the first level and the last
    expect([people[0], people.at(-1)]).toEqual([ana, ben]);
  });
});
