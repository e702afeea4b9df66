import { WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NotifyInput } from '../domain/notification.ts';
import { escalationPolicy } from '../domain/policies.ts';
import {
  acknowledgedBy,
  ana,
  ben,
  createEscalationHarness,
  type Escalation,
  type EscalationHarness,
  minute,
  user,
} from '../test/harness/escalation.ts';
import { until } from '../test/harness/workflows.ts';
import { acknowledge, addNote, reapplyPolicy, regroup, resolve, snooze } from './messages.ts';

/** What people do, and what happens meanwhile: on the real incident workflow, with skipped time. */
let harness: EscalationHarness;
beforeAll(async () => {
  harness = await createEscalationHarness();
});
afterAll(() => harness.close());

const level = (after: string, ...targets: object[]) => ({ after, targets });
const twoLevels = { levels: [level('0s', user('ana')), level('15m', user('ben'))] };
const refused = (pattern: RegExp) => (error: unknown) =>
  error instanceof WorkflowUpdateFailedError && pattern.test(String(error.cause));
const kinds = (escalation: Escalation) => escalation.story().map(({ kind }) => kind);
const reopened = async (escalation: Escalation) => {
  await escalation.feed({ alertCount: 2, firingCount: 1, firingJoined: true });
  await until(() => kinds(escalation).includes('reopened'), 'it is reopened');
};

describe('acknowledging and resolving', () => {
  test('a page that is on its way is called off, and whoever was paged hears of the end once', async () => {
    let reached = false;
    const deliver = ({ type, detail }: NotifyInput) => {
      if (type !== 'escalation.page' || detail.level !== 2) return;
      reached = true;
      throw new Error('the mail server is away');
    };
    await harness.run({ policy: twoLevels, change: { deliver } }, async (escalation) => {
      await escalation.at(15);
      await until(() => reached, 'level 2 is being paged');
      await escalation.update(resolve, { actor: ben });
      await escalation.at(60);
      expect(escalation.pages()).toEqual(['0 ana']);
      expect(escalation.told('incident.resolved')).toEqual(['15 ana']);
    });
  });

  test('of two who acknowledge at once one has it, and the other is told who', async () => {
    await harness.run({ policy: twoLevels }, async (escalation) => {
      const outcomes = await Promise.allSettled([
        escalation.handle.executeUpdate(acknowledge, { args: [{ actor: ana }] }),
        escalation.handle.executeUpdate(acknowledge, { args: [{ actor: ben }] }),
      ]);
      expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      expect(String(failed?.reason.cause)).toMatch(/already acknowledged by (ana|ben)@example.com/);
      expect(kinds(escalation).filter((kind) => kind === 'acknowledged')).toHaveLength(1);
    });
  });

  test('what fires again pages again from the first level, and a click on a page of before changes nothing', async () => {
    await harness.run({ policy: twoLevels }, async (escalation) => {
      const { opening } = escalation.scenario.sent[0]?.detail ?? {};
      await escalation.update(resolve, { actor: ana });
      await escalation.at(5);
      await reopened(escalation);
      const late = acknowledgedBy(escalation, ana, { opening: Number(opening) });
      await expect(late).rejects.toSatisfy(refused(/an earlier opening/));
      await escalation.at(25);
      expect(escalation.pages()).toEqual(['0 ana', '5 ana', '20 ben']);
      await acknowledgedBy(escalation, ana, { opening: 2 });
    });
  });
});

describe('holding it back', () => {
  test('a snooze moves what is left, further steps of a person included', async () => {
    const chat = { type: 'slack' as const, channel: 'chat' };
    const steps = [
      { after: '0s', method: chat },
      { after: '10m', method: { type: 'email' as const } },
    ];
    const rules = { 'ana@example.com': [{ steps }] };
    await harness.run({ policy: twoLevels, rules }, async (escalation) => {
      await escalation.at(5);
      const end = new Date((await harness.workflows.env.currentTimeMs()) + 20 * minute).toISOString();
      await escalation.update(snooze, { actor: ana, until: end });
      await escalation.at(60);
      expect(escalation.pages()).toEqual(['0 ana slack:chat', '30 ana', '35 ben']);
      const held = [{ kind: 'snooze', by: 'ana@example.com', until: end }];
      expect(escalation.scenario.sent.map(({ cause }) => cause?.held)).toEqual([undefined, held, held]);
    });
  });

  const snoozed = async (escalation: Escalation, minutes: number) => {
    const until = new Date((await harness.workflows.env.currentTimeMs()) + minutes * minute).toISOString();
    await escalation.update(snooze, { actor: ana, until });
  };

  test('a page that does not get through is not tried again in a snooze, and goes out after it', async () => {
    let broken = true;
    const tried: number[] = [];
    const deliver = async ({ type }: NotifyInput) => {
      if (type !== 'escalation.page') return;
      tried.push(await harness.workflows.env.currentTimeMs());
      if (broken) throw new Error('the mail server is away');
    };
    await harness.run({ policy: twoLevels, change: { deliver } }, async (escalation) => {
      await escalation.at(5);
      await snoozed(escalation, 20);
      broken = false;
      const before = tried.length;
      await escalation.at(24);
      expect(tried).toHaveLength(before);
      await escalation.at(60);
      expect(escalation.pages()).toEqual(['25 ana', '35 ben']);
      const [page] = escalation.scenario.sent;
      // it was not late meanwhile
      expect(page?.dueAt).toBeGreaterThanOrEqual(escalation.scenario.digest.openedAt + 25 * minute - 1_000);
    });
  });

  test('a page that finds it snoozed at the last moment goes out after it', async () => {
    let held = false;
    const instead = ({ type }: NotifyInput) => {
      if (type !== 'escalation.page' || held) return undefined;
      held = true;
      return { status: 'skipped', destination: 'ana', reason: 'it is snoozed', held } as const;
    };
    await harness.run({ policy: twoLevels, change: { instead } }, async (escalation) => {
      await escalation.at(15);
      expect(escalation.pages()).toEqual(['0 ana', '15 ben']);
      expect(kinds(escalation)).not.toContain('notification_skipped');
    });
  });

  test('what a snooze has called off stays so where somebody acknowledges in it', async () => {
    const deliver = ({ type }: NotifyInput) => {
      if (type === 'escalation.page') throw new Error('the mail server is away');
    };
    await harness.run({ policy: twoLevels, change: { deliver } }, async (escalation) => {
      await escalation.at(2);
      await snoozed(escalation, 20);
      await acknowledgedBy(escalation, ana);
      escalation.scenario.deliver = () => {};
      await escalation.at(60);
      expect(escalation.pages()).toEqual([]);
    });
  });

  test('a silence that begins calls off what is on its way as well', async () => {
    const deliver = ({ type }: NotifyInput) => {
      if (type === 'escalation.page') throw new Error('the mail server is away');
    };
    await harness.run({ policy: twoLevels, change: { deliver } }, async (escalation) => {
      await escalation.at(2);
      const silence = { until: escalation.scenario.digest.openedAt + 30 * minute, names: ['checkout'] };
      await escalation.feed({ silence });
      escalation.scenario.deliver = () => {};
      await escalation.at(29);
      expect(escalation.pages()).toEqual([]);
      await escalation.at(60);
      expect(escalation.pages()).toEqual(['30 ana', '43 ben']);
    });
  });

  test('a silence holds pages and what rules call for until its end', async () => {
    const openedAt = await harness.workflows.env.currentTimeMs();
    const silence = { until: openedAt + 30 * minute, names: ['maintenance of checkout'] };
    const rules = () => [
      {
        key: 'rule:incident.opened:0:tell:0',
        target: { type: 'channel' as const, name: 'ops' },
        detail: { rule: 'tell' },
        cause: { event: 'incident.opened', at: new Date(openedAt).toISOString() },
      },
    ];
    const given = {
      policy: twoLevels,
      digest: { silence },
      plan: { announces: ['incident.opened' as const] },
      change: { rules },
    };
    await harness.run(given, async (escalation) => {
      await escalation.at(29);
      expect(escalation.scenario.sent).toEqual([]);
      expect(escalation.standing().silencedUntil).toBe(silence.until);
      await escalation.at(50);
      expect(escalation.pages()).toEqual(['30 ana', '45 ben']);
      expect(escalation.told('incident.opened')).toEqual(['30 channel ops']);
      expect(escalation.standing().silencedUntil).toBeNull();
      const summary = escalation.story().find(({ kind }) => kind === 'silenced')?.summary;
      expect(summary).toBe('Silenced for 30 min (maintenance of checkout): nobody is told until then');
    });
  });

  test('an alert that no silence catches lifts it', async () => {
    const silence = { until: (await harness.workflows.env.currentTimeMs()) + 120 * minute, names: ['x'] };
    await harness.run({ policy: twoLevels, digest: { silence } }, async (escalation) => {
      await escalation.at(10);
      const { silence: _, ...open } = escalation.scenario.digest;
      escalation.scenario.digest = open;
      await escalation.feed({ alertCount: 2, firingCount: 2, firingJoined: true });
      await escalation.at(30);
      expect(escalation.pages()).toEqual(['10 ana', '25 ben']);
    });
  });

  test('what comes and goes while it is silenced is told to nobody', async () => {
    const silence = { until: (await harness.workflows.env.currentTimeMs()) + 120 * minute, names: ['x'] };
    const plan = { announces: ['incident.opened' as const, 'incident.resolved' as const] };
    await harness.run({ policy: twoLevels, digest: { silence }, plan }, async (escalation) => {
      await escalation.feed({ firingCount: 0 });
      await until(() => kinds(escalation).includes('resolved'), 'it is over');
      await escalation.at(14);
      expect(escalation.scenario.sent).toEqual([]);
    });
  });
});

describe('an acknowledged incident that goes quiet', () => {
  const policy = { ...twoLevels, remindAfter: '30m', unacknowledgeAfter: '1h' };

  test('reminds whoever has it, then takes it back and begins a new round', async () => {
    await harness.run({ policy }, async (escalation) => {
      await escalation.at(5);
      const { seq } = await acknowledgedBy(escalation, ana);
      await escalation.at(82);
      expect(escalation.told('escalation.reminder')).toEqual(['35 ana']);
      expect(escalation.told('escalation.restarted')).toEqual(['65 ana']);
      expect(escalation.pages()).toEqual(['0 ana', '65 ana', '80 ben']);
      expect(escalation.standing().acknowledged).toBeNull();
      const pages = escalation.scenario.sent.filter(({ type }) => type === 'escalation.page');
      expect(new Set(pages.map(({ key }) => key)).size).toBe(3);
      expect(pages.at(-1)?.cause).toMatchObject({ event: 'escalation.restarted', round: 2 });
      const late = acknowledgedBy(escalation, ben, { asOf: seq });
      await expect(late).rejects.toSatisfy(refused(/begun anew since then/));
      await acknowledgedBy(escalation, ben);
    });
  });

  test('is not quiet while people write or alerts change', async () => {
    await harness.run({ policy }, async (escalation) => {
      await acknowledgedBy(escalation, ana);
      await escalation.at(25);
      await escalation.update(addNote, { actor: ana, text: 'looking' });
      await escalation.at(50);
      await escalation.feed({ alertCount: 2, firingCount: 2, firingJoined: true });
      await escalation.at(79);
      expect(escalation.scenario.sent.map(({ type }) => type)).toEqual(['escalation.page']);
      await escalation.at(81);
      expect(escalation.told('escalation.reminder')).toEqual(['80 ana']);
    });
  });
});

describe('the policy', () => {
  const changed = escalationPolicy.parse({ levels: [level('0s', user('cleo')), level('10m', user('dan'))] });

  test('is the one of the opening, until somebody asks for it as it is now', async () => {
    await harness.run({ policy: twoLevels }, async (escalation) => {
      const { plan } = escalation.scenario.digest;
      await escalation.at(5);
      await escalation.feed({ plan: { ...plan, escalation: { name: 'default', policy: changed } } });
      await escalation.at(16);
      expect(escalation.pages()).toEqual(['0 ana', '15 ben']);
      await escalation.update(reapplyPolicy, { actor: ana });
      await escalation.at(30);
      expect(escalation.pages()).toEqual(['0 ana', '15 ben', '16 cleo', '26 dan']);
      expect(escalation.story().find(({ kind }) => kind === 'policy_reapplied')).toMatchObject({
        actor: 'ana@example.com',
        summary: 'Escalation policy default applied as it is now: escalation begins anew',
      });
    });
  });

  test('that has not changed begins nothing anew', async () => {
    await harness.run({ policy: twoLevels }, async (escalation) => {
      await escalation.at(5);
      await escalation.update(reapplyPolicy, { actor: ana });
      await escalation.at(30);
      expect(escalation.pages()).toEqual(['0 ana', '15 ben']);
    });
  });
});

test('levels come in their time while alerts cannot be moved', async () => {
  let tried = 0;
  let stuck = true;
  const move = async () => {
    tried += 1;
    if (stuck) throw new Error('the alerts are locked');
    return 2;
  };
  await harness.run({ policy: twoLevels, change: { move } }, async (escalation) => {
    await escalation.at(14);
    const answer = escalation.update(regroup, { actor: ana, alertIds: [1], into: null });
    await until(() => tried > 0, 'the alerts are being moved');
    await escalation.at(15);
    expect(escalation.pages()).toContain('15 ben');
    stuck = false;
    await escalation.at(17);
    expect(await answer).toMatchObject({ into: 2 });
  });
});

test('rules are asked when what they wait for happens, and what they call for is told with its reason', async () => {
  const asked: string[] = [];
  const change = {
    rules: ({ trigger, occurrence, at }: { trigger: string; occurrence: string; at: number }) => {
      asked.push(`${trigger} ${occurrence}`);
      const cause = {
        event: trigger,
        at: new Date(at).toISOString(),
        rule: { name: 'tell', reasons: ['any'] },
      };
      const target = { type: 'channel' as const, name: 'ops' };
      return [{ key: `rule:${trigger}:${occurrence}:tell:0`, target, detail: { rule: 'tell' }, cause }];
    },
  };
  const announces = ['alert.received', 'incident.opened', 'incident.acknowledged', 'sla.at_risk'] as const;
  const sla = { policy: 'critical', acknowledgeMs: 10 * minute, resolveMs: 600 * minute };
  const given = {
    policy: twoLevels,
    change,
    digest: { received: [7] },
    plan: { sla, announces: [...announces] },
  };
  await harness.run(given, async (escalation) => {
    await escalation.at(9);
    await acknowledgedBy(escalation, ana);
    await until(() => escalation.told('incident.acknowledged').length > 0, 'the rule tells of it');
    expect(asked.map((each) => each.split(' ')[0]).toSorted()).toEqual(announces.toSorted());
    expect(asked).toContain('alert.received 7');
    const [opened] = escalation.scenario.sent.filter(({ type }) => type === 'incident.opened');
    expect(opened).toMatchObject({
      key: expect.stringMatching(/rule:incident.opened:0:tell:0$/),
      cause: { rule: { name: 'tell' } },
    });
  });
});

test('a note is told once to whoever follows the incident, and holds up no page', async () => {
  const change = {
    rules: ({ trigger, occurrence, at }: { trigger: string; occurrence: string; at: number }) => {
      const cause = { event: trigger, at: new Date(at).toISOString() };
      const target = { type: 'channel' as const, name: 'pd' };
      const detail = { seq: Number(occurrence) };
      return [{ key: `follow:${trigger}:${occurrence}:channel:pd`, target, detail, cause }];
    },
  };
  const given = { policy: twoLevels, change, plan: { announces: ['incident.noted' as const] } };
  await harness.run(given, async (escalation) => {
    const notes = () => escalation.scenario.sent.filter(({ type }) => type === 'incident.noted');
    const { seq } = await escalation.update(addNote, { actor: ana, text: 'looking' });
    await until(() => notes().length > 0, 'the note is told');
    await escalation.at(5);
    await escalation.update(addNote, {
      actor: { name: 'Ben (PagerDuty)', via: 'pagerduty' },
      text: 'so am I',
    });
    await escalation.at(20);
    expect(notes()).toMatchObject([
      {
        key: expect.stringMatching(`follow:incident.noted:${seq}:channel:pd$`),
        detail: { seq },
        target: { name: 'pd' },
      },
    ]);
    expect(escalation.pages().length).toBeGreaterThan(1);
    await escalation.update(resolve, { actor: ana });
  });
});

test('a workflow that was lost goes on: nobody is paged twice, and the round is the one of before', async () => {
  const openedAt = await harness.workflows.env.currentTimeMs();
  const to = { type: 'contact' as const, email: 'ana@example.com', method: { type: 'email' as const } };
  const restored = {
    seq: 30,
    status: 'investigating' as const,
    acknowledged: null,
    assignedTo: null,
    snoozedUntil: null,
    escalationFrom: openedAt - 5 * minute,
    resolved: null,
    firesSinceResolved: false,
    clocks: [],
    cause: null,
    mergedInto: null,
    openings: 1,
    rounds: 2,
    renewedSeq: 20,
    pages: ['page:1:2.0.0.0.0.0'],
    people: { 'page:1:2.0.0.0.0.0': to },
    executions: [],
    changesTold: [],
    regroupings: 0,
  };
  await harness.run({ policy: twoLevels, digest: { restored } }, async (escalation) => {
    await escalation.at(20);
    expect(escalation.pages()).toEqual(['10 ben']);
    const late = acknowledgedBy(escalation, ben, { asOf: 12 });
    await expect(late).rejects.toSatisfy(refused(/begun anew since then/));
    await escalation.update(resolve, { actor: ben });
    await escalation.at(21);
    const ended = escalation.told('incident.resolved').map((told) => told.split(' ')[1]);
    expect(ended.toSorted()).toEqual(['ana', 'ben']);
  });
});
