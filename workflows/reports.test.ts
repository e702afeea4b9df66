import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnnounceActivities, RuleNotice } from '../activities/announce.ts';
import type { BuildReportInput, ReportActivities, SendReportInput } from '../activities/reports.ts';
import type { NotifyInput } from '../domain/notification.ts';
import { type TriedPart, tryPart } from '../test/parts/part.ts';
import { createTimeSkippingEnvironment } from '../test/parts/temporal-test-server.ts';
import { notificationTaskQueue, type ReportInput } from './messages.ts';

let env: TriedPart<TestWorkflowEnvironment>;
let bundle: WorkflowBundleWithSourceMap;
beforeAll(async () => {
  env = await tryPart(createTimeSkippingEnvironment);
  if (!env.part) return;
  bundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./index.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
});
afterAll(() => env?.part?.teardown());

interface Run {
  outcome: Promise<{ reportId: string; sent: number }>;
  builds: BuildReportInput[];
  sends: SendReportInput[];
  told: NotifyInput[];
  workflowId: string;
}

/** Runs a report with these activities, on a worker of its own, to its end. */
async function run(
  server: TestWorkflowEnvironment,
  kind: 'slaReport' | 'capacityReport',
  activities: {
    rules?: RuleNotice[];
    build?: (attempt: number, input: BuildReportInput) => void;
    send?: (attempt: number) => void;
  },
  more: Partial<ReportInput> = {},
): Promise<Run> {
  const builds: BuildReportInput[] = [];
  const sends: SendReportInput[] = [];
  const taskQueue = randomUUID();
  const told: NotifyInput[] = [];
  const implementation: ReportActivities & AnnounceActivities = {
    async announce() {
      return { notices: activities.rules ?? [] };
    },
    async buildReport(input) {
      builds.push(input);
      activities.build?.(builds.length, input);
      return { reportId: 'the-report' };
    },
    async reportTeams() {
      return ['team-1', 'team-2'];
    },
    async sendReport(input) {
      sends.push(input);
      activities.send?.(sends.length);
      return { sent: 2, refused: [] };
    },
  };
  const worker = await Worker.create({
    connection: server.nativeConnection,
    taskQueue,
    workflowBundle: bundle,
    activities: implementation,
  });
  const workflowId = `report:org-1:${randomUUID()}`;
  const messenger = await Worker.create({
    connection: server.nativeConnection,
    taskQueue: notificationTaskQueue,
    activities: {
      notify: async (input: NotifyInput) => {
        told.push(input);
        if (input.key.endsWith('refused'))
          throw ApplicationFailure.nonRetryable('no such channel', 'Refused');
      },
    },
  });
  const outcome = messenger.runUntil(
    worker.runUntil(
      server.client.workflow.execute(kind, {
        workflowId,
        taskQueue,
        args: [{ orgId: 'org-1', requestedBy: 'schedule', ...more }],
      }),
    ),
  ) as Run['outcome'];
  await outcome.catch(() => {});
  return { outcome, builds, sends, told, workflowId };
}

const retryable = (type: string) => () => {
  throw ApplicationFailure.retryable('not now', type);
};

describe('slaReport', () => {
  it('builds the report and sends it, under one key', async (test) => {
    const { outcome, builds, sends, workflowId } = await run(env.orSkip(test), 'slaReport', {});
    expect(await outcome).toEqual({ reportId: 'the-report', sent: 2 });
    expect(builds).toHaveLength(1);
    expect(builds[0]).toMatchObject({ orgId: 'org-1', kind: 'sla', requestedBy: 'schedule' });
    expect(builds[0]!.periodEnd).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(builds[0]!.key).toMatch(new RegExp(`^${workflowId}:`));
    expect(sends).toEqual([{ orgId: 'org-1', reportId: 'the-report', key: builds[0]!.key }]);
  });

  it('makes those of teams after the organization’s, each under a key of its own', async (test) => {
    const { outcome, builds, sends } = await run(env.orSkip(test), 'slaReport', {}, { span: 'month' });
    expect(await outcome).toEqual({ reportId: 'the-report', sent: 2 });
    expect(builds[0]).toMatchObject({ span: 'month' });
    expect(builds.map(({ teamId }) => teamId ?? '').sort()).toEqual(['', 'team-1', 'team-2']);
    expect(builds.every(({ span }) => span === 'month')).toBe(true);
    expect(new Set(sends.map(({ key }) => key)).size).toBe(3);
    expect(new Set(builds.map(({ periodEnd }) => periodEnd)).size).toBe(1);
  });

  it('is told to whomever rules name, and is sent though one of them cannot be told', async (test) => {
    const cause = { event: 'report.sla', at: '2026-01-01T00:00:00.000Z' };
    const target = { type: 'channel', name: 'ops' } as const;
    const rules = ['rule:refused', 'rule:a'].map((key) => ({ key, target, detail: { rule: 'r' }, cause }));
    const { outcome, told } = await run(env.orSkip(test), 'slaReport', { rules });
    expect(await outcome).toMatchObject({ sent: 2 });
    expect(told.map(({ key }) => key).sort()).toEqual([
      'report:the-report:rule:a',
      'report:the-report:rule:refused',
    ]);
    expect(told[0]).toMatchObject({
      type: 'report.sla',
      target,
      detail: { reportId: 'the-report', rule: 'r' },
      cause,
    });
  });

  it('makes just the one that was asked for', async (test) => {
    const { outcome, builds } = await run(
      env.orSkip(test),
      'slaReport',
      {},
      { span: 'week', teamId: 'team-1' },
    );
    await outcome;
    expect(builds.map(({ teamId }) => teamId)).toEqual(['team-1']);
  });

  it('outlives a database and a mail server that are away, with the same key and period', async (test) => {
    const { outcome, builds, sends } = await run(env.orSkip(test), 'slaReport', {
      build: (attempt) => attempt < 20 && retryable('DatabaseUnavailable')(),
      send: (attempt) => attempt < 15 && retryable('ReportNotDelivered')(),
    });
    expect(await outcome).toMatchObject({ sent: 2 });
    expect(builds).toHaveLength(20);
    expect(new Set(builds.map((build) => JSON.stringify(build))).size).toBe(1);
    expect(sends).toHaveLength(15);
  });
});

describe('capacityReport', () => {
  it('asks Prometheus for an hour, then reports that it does not answer', async (test) => {
    const { outcome, builds } = await run(env.orSkip(test), 'capacityReport', {
      build: (_, input) => !input.acceptGaps && retryable('PrometheusUnavailable')(),
    });
    expect(await outcome).toMatchObject({ sent: 2 });
    expect(builds.length).toBeGreaterThan(10);
    expect(builds.at(-1)).toMatchObject({ kind: 'capacity', acceptGaps: true });
    expect(builds.filter((build) => build.acceptGaps)).toHaveLength(1);
  });

  it('takes the first complete answer', async (test) => {
    const { outcome, builds } = await run(env.orSkip(test), 'capacityReport', {
      build: (attempt) => attempt < 3 && retryable('PrometheusUnavailable')(),
    });
    expect(await outcome).toMatchObject({ sent: 2 });
    expect(builds.map((build) => build.acceptGaps)).toEqual([undefined, undefined, undefined]);
  });

  it('fails where waiting mends nothing', async (test) => {
    const { outcome, builds } = await run(env.orSkip(test), 'capacityReport', {
      build: () => {
        throw ApplicationFailure.nonRetryable('no time', 'InvalidPeriod');
      },
    });
    await expect(outcome).rejects.toThrow();
    expect(builds).toHaveLength(1);
  });
});
