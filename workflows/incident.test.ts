import { randomUUID } from 'node:crypto';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AnalysisActivities } from '../activities/analysis.ts';
import type { IncidentRecord } from '../db/incident-record.ts';
import type { FeedDigest } from '../domain/incident/events.ts';
import type { NotifyInput } from '../domain/notification.ts';
import { digestOf } from '../test/harness/incident-fold.ts';
import { createWorkflowHarness, until, type WorkflowHarness } from '../test/harness/workflows.ts';
import {
  acknowledge,
  executionReported,
  feedUnread,
  incidentWorkflowId,
  judgeCause,
  judgeChange,
  regroup,
  resolve,
  snooze,
} from './messages.ts';

const minute = 60_000;
const actor = { name: 'ana@example.com', via: 'page' } as const;
const level = (after: string, name: string) => ({
  after,
  targets: [{ type: 'email' as const, address: `${name}@example.com` }],
});

let harness: WorkflowHarness;
beforeAll(async () => {
  harness = await createWorkflowHarness();
});
afterAll(() => harness.close());

/** What the scripted activities answer and have seen. */
let script: {
  digest: FeedDigest;
  drained: boolean;
  failLogs: boolean;
  analyse: (input: { told: string | null }) => Promise<Analysed>;
  refuseRegroup: string | null;
  failRegroup: string | null;
  blockNotify: ((input: NotifyInput) => Promise<void>) | null;
};
type Analysed = Awaited<ReturnType<AnalysisActivities['analyseIncident']>>;
let sent: { minutes: number; type: string; to: string }[];
let records: IncidentRecord[];
let executions: string[];
let analyses: (string | null)[];
let moves: { key: string; alertIds: number[] | null; into: number | null; by: string }[];
let openedAt: number;
let closings: number;

beforeEach(async () => {
  openedAt = await harness.env.currentTimeMs();
  sent = [];
  records = [];
  executions = [];
  analyses = [];
  moves = [];
  closings = 0;
  script = {
    drained: true,
    failLogs: false,
    analyse: async () => ({ cause: null, changes: [] }),
    refuseRegroup: null,
    failRegroup: null,
    blockNotify: null,
    digest: digestOf({
      openedAt,
      plan: {
        escalation: {
          name: 'default',
          policy: {
            levels: [level('0s', 'a'), level('15m', 'b'), level('30m', 'c'), level('60m', 'd')],
            repeats: 0,
          },
        },
        sla: { policy: 'critical', acknowledgeMs: 5 * minute, resolveMs: 30 * minute },
        reopenWindowMs: 15 * minute,
      },
    }),
  };
});

const activities = {
  readFeed: async () => script.digest,
  recordIncident: async (record: IncidentRecord) => {
    records.push(record);
  },
  closeIncident: async () => {
    closings += 1;
    if (script.drained) return true;
    script.digest = { ...script.digest, seq: script.digest.seq + 1 };
    script.drained = true;
    return false;
  },
  createIncidentExecution: async ({ runbook }: { runbook: string }) => {
    executions.push(runbook);
  },
  gatherLogs: async () => {
    if (script.failLogs) throw new Error('the log source is down');
    return { source: 'builtin', total: 0, patterns: 0, stackTraces: 0, summary: 'no log lines' };
  },
  analyseIncident: async (input: { told: string | null }) => {
    analyses.push(input.told);
    return await script.analyse(input);
  },
  regroupIncident: async (move: (typeof moves)[number]) => {
    moves.push(move);
    if (script.failRegroup) throw new Error(script.failRegroup);
    if (script.refuseRegroup) throw ApplicationFailure.nonRetryable(script.refuseRegroup, 'RegroupRefused');
    return { number: move.into ?? 43 };
  },
  loadExecutionPlan: async () => {
    throw ApplicationFailure.nonRetryable('not part of this test');
  },
  recordExecution: async () => {},
  notify: async (input: NotifyInput) => {
    await script.blockNotify?.(input);
    const to = input.target.type === 'email' ? (input.target.address.split('@')[0] ?? '') : input.target.type;
    sent.push({
      minutes: Math.round(((await harness.env.currentTimeMs()) - openedAt) / minute),
      type: input.type,
      to,
    });
    return { status: 'sent', destination: to };
  },
};

/** Starts an incident's workflow on a queue of its own and hands it to `work`. */
async function withIncident(
  work: (incident: Incident) => Promise<void>,
  options: { lowHistoryLimit?: boolean } = {},
) {
  const taskQueue = `test-${randomUUID()}`;
  const orgId = randomUUID();
  await harness.withWorker(taskQueue, activities, async () => {
    const handle = await harness.env.client.workflow.signalWithStart('incident', {
      workflowId: incidentWorkflowId(orgId, 1),
      taskQueue,
      args: [{ orgId, incidentId: randomUUID(), number: 1 }],
      signal: feedUnread,
      signalArgs: [],
      ...(options.lowHistoryLimit ? { memo: { lowHistoryLimit: true } } : {}),
    });
    try {
      await until(() => records.length > 0, 'the incident is recorded');
      // to rest: the test server loses an update that meets a workflow task with local activities under way
      await harness.skip(1_000);
      await work(handle as Incident);
    } finally {
      // ended as a person would: a terminated run can leave the test server's clock locked
      script.drained = true;
      script.blockNotify = null;
      script.failLogs = false;
      script.digest = { ...script.digest, firingJoined: false };
      if ((await handle.describe()).status.name === 'RUNNING') {
        await handle.executeUpdate(resolve, { args: [{ actor, falsePositive: true }] }).catch(() => {});
        await harness.ended(handle);
      }
    }
  });
}
type Incident = Awaited<ReturnType<typeof harness.env.client.workflow.signalWithStart>>;
const pages = () =>
  sent.filter((message) => message.type === 'escalation.page').map(({ minutes, to }) => `${minutes} ${to}`);
const lastRecord = () => records.at(-1)!;
const kinds = () => records.flatMap((record) => record.entries.map((entry) => entry.kind));

describe('escalation', () => {
  test('pages at 0, 15, 30 and 60 minutes and then nobody', async () => {
    await withIncident(async () => {
      await harness.skip(3 * 60 * minute);
      expect(pages()).toEqual(['0 a', '15 b', '30 c', '60 d']);
    });
  });

  test('stops when somebody acknowledges, who is answered when it is recorded', async () => {
    await withIncident(async (incident) => {
      await harness.skip(20 * minute);
      await incident.executeUpdate(acknowledge, { args: [{ actor }] });
      expect(lastRecord().standing.acknowledged?.by).toBe(actor.name);
      await harness.skip(2 * 60 * minute);
      expect(pages()).toEqual(['0 a', '15 b']);
    });
  });

  test('a page that is on its way when somebody acknowledges is cancelled, and a source of logs that is down delays none', async () => {
    script.failLogs = true;
    let reached = false;
    script.blockNotify = async (input) => {
      if (input.type !== 'escalation.page' || input.detail.level !== 2) return;
      reached = true;
      throw new Error('the mail server is away');
    };
    await withIncident(async (incident) => {
      await harness.skip(15 * minute);
      await until(() => reached, 'level 2 is being paged');
      await incident.executeUpdate(acknowledge, { args: [{ actor }] });
      await until(() => kinds().includes('notification_skipped'), 'the page is given up');
      script.blockNotify = null;
      await harness.skip(2 * 60 * minute);
      expect(pages()).toEqual(['0 a']);
    });
  });

  test('a snooze holds it back', async () => {
    await withIncident(async (incident) => {
      const until_ = new Date(openedAt + 60 * minute).toISOString();
      await incident.executeUpdate(snooze, { args: [{ actor, until: until_ }] });
      await harness.skip(59 * minute);
      expect(pages()).toEqual(['0 a']);
      await harness.skip(17 * minute);
      expect(pages()).toEqual(['0 a', '75 b']);
    });
  });
});

test('SLA clocks warn at 80 % and record the breach', async () => {
  await withIncident(async () => {
    await harness.skip(35 * minute);
    const told = sent
      .filter((message) => message.type.startsWith('sla.'))
      .map(({ minutes, type }) => `${minutes} ${type}`);
    expect(told).toEqual(['4 sla.at_risk', '5 sla.breached', '24 sla.at_risk', '30 sla.breached']);
    await until(
      () => lastRecord().standing.clocks.every((clock) => clock.state === 'breached'),
      'both breaches are recorded',
    );
  });
});

test('a late or repeated click is refused with the reason', async () => {
  await withIncident(async (incident) => {
    await incident.executeUpdate(acknowledge, { args: [{ actor }] });
    const again = incident.executeUpdate(acknowledge, { args: [{ actor: { name: 'ben', via: 'mail' } }] });
    await expect(again).rejects.toSatisfy(
      (error) =>
        error instanceof WorkflowUpdateFailedError && /already acknowledged by ana/.test(String(error.cause)),
    );
    await incident.executeUpdate(resolve, { args: [{ actor }] });
    const late = incident.executeUpdate(acknowledge, { args: [{ actor }] });
    await expect(late).rejects.toSatisfy(
      (error) =>
        error instanceof WorkflowUpdateFailedError && /already resolved by ana/.test(String(error.cause)),
    );
  });
});

test('resolves when its last alert has, tells who was paged, and ends after the reopen window', async () => {
  await withIncident(async (incident) => {
    await until(() => pages().length === 1, 'the first page is sent');
    script.digest = { ...script.digest, seq: 2, firingCount: 0, firingJoined: false };
    await incident.signal(feedUnread);
    await harness.ended(incident);
    expect(await harness.env.currentTimeMs()).toBeGreaterThanOrEqual(openedAt + 15 * minute);
    expect(sent.map(({ type, to }) => `${type} ${to}`)).toEqual(['escalation.page a', 'incident.resolved a']);
    expect(lastRecord().standing).toMatchObject({ status: 'resolved', resolved: { by: 'Holdfast' } });
  });
});

test('an alert that was resolved before its firing was looked at pages nobody', async () => {
  script.digest = { ...script.digest, firingCount: 0, firingJoined: false };
  await withIncident(async (incident) => {
    await harness.ended(incident);
    expect(pages()).toEqual([]);
    expect(lastRecord().standing.status).toBe('resolved');
  });
});

test('an alert that fires again inside the reopen window reopens it and pages again', async () => {
  await withIncident(async (incident) => {
    await incident.executeUpdate(resolve, { args: [{ actor }] });
    await harness.skip(10 * minute);
    script.digest = { ...script.digest, seq: 2, alertCount: 2, firingJoined: true };
    await incident.signal(feedUnread);
    await until(() => kinds().includes('reopened'), 'it is reopened');
    await harness.skip(16 * minute);
    expect(pages()).toEqual(['0 a', '10 a', '25 b']);
  });
});

test('a change that slips in while it closes keeps it alive until that is read', async () => {
  script.drained = false;
  await withIncident(async (incident) => {
    await incident.executeUpdate(resolve, { args: [{ actor }] });
    script.digest = { ...script.digest, firingJoined: false };
    await harness.ended(incident);
    expect(closings).toBe(2);
  });
});

test('a matching runbook is started when its alert has fired long enough, and its success mitigates', async () => {
  script.digest = {
    ...script.digest,
    matches: [{ runbook: 'restart', mode: 'semi_auto', alertId: 7, dueAt: openedAt + 5 * minute }],
  };
  await withIncident(async (incident) => {
    await harness.skip(4 * minute);
    expect(executions).toEqual([]);
    await harness.skip(2 * minute);
    await until(() => kinds().includes('execution_started'), 'the execution is started');
    expect(executions).toEqual(['restart']);
    await incident.signal(executionReported, { executionId: 'x', runbook: 'restart', status: 'succeeded' });
    await until(() => lastRecord().standing.status === 'mitigated', 'it is mitigated');
  });
});

describe('the evidence', () => {
  const db = { service: 'db', confidence: 0.8, reasons: ['three of its callers fail'] };

  test('is analysed when the incident opens, and its cause told; a source that hangs delays no page', async () => {
    script.digest = { ...script.digest, analysis: true };
    let hangs = true;
    script.analyse = async () => {
      if (hangs) throw new Error('the metrics are away');
      return { cause: db, changes: [{ id: 7, sentence: 'Related change detected: db v1 → v2' }] };
    };
    await withIncident(async () => {
      await until(() => pages().length === 1 && analyses.length > 0, 'the first page and analysis');
      hangs = false;
      await harness.skip(minute);
      await until(() => kinds().includes('root_cause'), 'the cause is told');
      expect(kinds()).toContain('change');
      expect(lastRecord().standing.status).toBe('root_cause_found');
      await harness.skip(5 * minute);
      await until(() => analyses.at(-1) === 'db', 'it is analysed again');
      expect(kinds().filter((kind) => kind === 'root_cause')).toHaveLength(1);
    });
  });

  test("a person's word on cause and change is recorded before it is answered, and stays", async () => {
    script.digest = { ...script.digest, analysis: true };
    script.analyse = async () => ({ cause: db, changes: [] });
    await withIncident(async (incident) => {
      await incident.executeUpdate(judgeCause, { args: [{ actor, service: 'dns' }] });
      expect(lastRecord().standing.cause).toMatchObject({ service: 'dns', by: actor.name });
      await incident.executeUpdate(judgeChange, { args: [{ actor, changeId: 7, verdict: 'dismissed' }] });
      expect(kinds()).toContain('change_dismissed');
      await harness.skip(6 * minute);
      expect(lastRecord().standing.cause?.service).toBe('dns');
    });
  });
});

describe('regrouping', () => {
  const refused = (pattern: RegExp) => (error: unknown) =>
    error instanceof WorkflowUpdateFailedError && pattern.test(String(error.cause));

  test('merging ends the incident: pages stop, the paged are told, and it closes at once', async () => {
    await withIncident(async (incident) => {
      await until(() => pages().length === 1, 'the first page is sent');
      const answer = await incident.executeUpdate(regroup, { args: [{ actor, alertIds: null, into: 7 }] });
      expect(answer).toMatchObject({ into: 7, status: 'resolved' });
      await harness.ended(incident);
      expect((await harness.env.currentTimeMs()) - openedAt).toBeLessThan(10 * minute);
      expect(sent.map(({ type, to }) => `${type} ${to}`)).toEqual([
        'escalation.page a',
        'incident.resolved a',
      ]);
      expect(lastRecord().standing).toMatchObject({ status: 'resolved', resolved: { by: actor.name } });
    });
  });

  test('splitting answers with the new incident and reads the counts again', async () => {
    await withIncident(async (incident) => {
      script.digest = { ...script.digest, seq: 2, alertCount: 1, firingCount: 0, firingJoined: false };
      const answer = await incident.executeUpdate(regroup, { args: [{ actor, alertIds: [4], into: null }] });
      expect(answer.into).toBe(43);
      expect(moves).toMatchObject([{ alertIds: [4], into: null, by: actor.name }]);
      await until(() => lastRecord().standing.status === 'resolved', 'its other alert is over');
    });
  });

  test('is refused with the reason, and what makes no sense is refused at once', async () => {
    await withIncident(async (incident) => {
      script.refuseRegroup = '#7 is closed';
      const closed = incident.executeUpdate(regroup, { args: [{ actor, alertIds: null, into: 7 }] });
      await expect(closed).rejects.toSatisfy(refused(/#7 is closed/));
      const itself = incident.executeUpdate(regroup, { args: [{ actor, alertIds: null, into: 1 }] });
      await expect(itself).rejects.toSatisfy(refused(/#1 is this incident itself/));
      const ids = Array.from({ length: 1_001 }, (_, index) => index + 1);
      const many = incident.executeUpdate(regroup, { args: [{ actor, alertIds: ids, into: 7 }] });
      await expect(many).rejects.toSatisfy(refused(/1001 alerts, of at most 1000/));
      expect(moves).toHaveLength(1);
      await harness.skip(16 * minute);
      expect(pages()).toEqual(['0 a', '15 b']);
    });
  });

  test('is given up when it fails again and again, and what waited for it goes on', async () => {
    await withIncident(async (incident) => {
      script.failRegroup = 'the database is away';
      const failing = incident.executeUpdate(regroup, { args: [{ actor, alertIds: [1], into: 7 }] });
      const refusal = expect(failing).rejects.toSatisfy(refused(/the database is away/));
      await until(() => moves.length > 0, 'it was begun');
      const acknowledged = incident.executeUpdate(acknowledge, { args: [{ actor }] });
      await harness.skip(3 * minute);
      await refusal;
      await acknowledged;
      expect(moves).toHaveLength(10);
      expect(lastRecord().standing.acknowledged).not.toBeNull();
    });
  });

  test('correlation merges by the feed', async () => {
    await withIncident(async (incident) => {
      // the test server loses an activity that ends while the workflow calls it off
      await until(() => kinds().includes('notification') && kinds().includes('logs'), 'nothing is under way');
      const mergeInto = { number: 7, reason: 'both wait for db' };
      script.digest = { ...script.digest, seq: script.digest.seq + 1, mergeInto };
      await incident.signal(feedUnread);
      await harness.ended(incident);
      expect(moves).toMatchObject([{ alertIds: null, into: 7, by: 'Holdfast' }]);
      expect(kinds()).toContain('merged');
    });
  });
});

test('an incident whose alerts flap is over when they have been quiet', async () => {
  script.digest = { ...script.digest, firingCount: 0, flapping: { quietMs: 10 * minute } };
  await withIncident(async () => {
    await harness.skip(9 * minute);
    expect(lastRecord().standing.resolved).toBeNull();
    await harness.skip(2 * minute);
    await until(() => lastRecord().standing.status === 'resolved', 'it is resolved');
  });
});

test('a workflow that Temporal had lost goes on from the record: nobody is paged for what was acknowledged', async () => {
  const acknowledged = { at: openedAt, by: actor.name };
  script.digest = {
    ...script.digest,
    restored: {
      seq: 30,
      status: 'mitigated',
      acknowledged,
      assignedTo: null,
      snoozedUntil: null,
      escalationFrom: openedAt,
      resolved: null,
      firesSinceResolved: false,
      clocks: [],
      cause: null,
      mergedInto: null,
      openings: 1,
      pages: ['page:1:0.0.0'],
      executions: [],
      changesTold: [],
      regroupings: 0,
    },
  };
  await withIncident(async (incident) => {
    expect(lastRecord().standing).toMatchObject({ status: 'mitigated', acknowledged });
    expect(records[0]?.entries[0]).toMatchObject({ seq: 31, kind: 'restored' });
    await harness.skip(2 * 60 * minute);
    expect(pages()).toEqual([]);
    const again = incident.executeUpdate(acknowledge, { args: [{ actor }] });
    await expect(again).rejects.toSatisfy(
      (error) =>
        error instanceof WorkflowUpdateFailedError && /already acknowledged/.test(String(error.cause)),
    );
  });
});
