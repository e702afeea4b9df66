import { describe, expect, test } from 'vitest';
import {
  approvalPlan,
  effects,
  executionPlan,
  simulate,
  start,
  stepPlan,
  voted,
} from '../../test/harness/execution-fold.ts';
import { applyEvent } from './apply-event.ts';
import { refusalOfVote } from './approval.ts';
import type { ApprovalPlan } from './plan.ts';

const minute = 60_000;
const asking = executionPlan({ mode: 'semi_auto' });

describe('before the first step', () => {
  test('it is asked for, and nothing runs before it', () => {
    const { begun, now } = simulate({ plan: asking, events: [{ at: minute, event: voted('approve') }] });
    expect(effects(begun)).toHaveLength(3);
    expect(now - start).toBe(minute);
    expect(begun.indexOf('notice:approval.needed:0')).toBeGreaterThan(begun.indexOf('record'));
  });

  test('rejected, expired or withdrawn, nothing runs', () => {
    const rejected = simulate({ plan: asking, events: [{ at: 1, event: voted('reject') }] });
    const expired = simulate({ plan: asking });
    const withdrawn = simulate({
      plan: asking,
      events: [{ at: 1, event: (at) => ({ type: 'withdrawn', at, reason: 'resolved' }) }],
    });
    const outcomes = [rejected, expired, withdrawn];
    expect(outcomes.map(({ state }) => [state.status, state.approvals[0]?.status])).toEqual([
      ['cancelled', 'rejected'],
      ['cancelled', 'expired'],
      ['cancelled', 'withdrawn'],
    ]);
    expect(expired.now - start).toBe(30 * minute);
    for (const { begun } of outcomes) expect(effects(begun)).toEqual([]);
  });

  test('of two needs two people, and one person counts once', () => {
    const two = executionPlan({ mode: 'semi_auto', approval: approvalPlan({ needed: 2 }) });
    const once = simulate({ plan: two, events: [1, 2].map((at) => ({ at, event: voted('approve') })) });
    expect(once.state.approvals[0]).toMatchObject({ status: 'expired', votes: [{ person: 'ana' }] });
    const both = simulate({
      plan: two,
      events: [
        { at: 1, event: voted('approve') },
        { at: 2, event: voted('approve', 'ben') },
      ],
    });
    expect(both.state.status).toBe('succeeded');
  });

  test('a signal from Temporal counts as a vote only where it is allowed', () => {
    const event = voted('approve', 'Temporal operator', { via: 'temporal', role: null });
    const outcome = (approveBySignal: boolean) =>
      simulate({ plan: { ...asking, approveBySignal }, events: [{ at: 1, event }] }).state.status;
    expect([outcome(true), outcome(false)]).toEqual(['succeeded', 'cancelled']);
  });
});

describe('a step that asks', () => {
  const gate = stepPlan('gate', {
    work: { kind: 'approval', approval: approvalPlan({ id: 'gate', message: 'Promote the replica?' }) },
    undoTimeoutMs: null,
  });
  const plan = executionPlan({ steps: [stepPlan('one'), gate, stepPlan('three')] });

  test('holds the steps after it up until it is approved', () => {
    const { state, begun, now } = simulate({ plan, events: [{ at: minute, event: voted('approve') }] });
    expect(effects(begun)).toEqual(['step:0:1', 'step:2:1']);
    expect([state.status, now - start]).toEqual(['succeeded', minute]);
    const asked = begun.indexOf('notice:approval.needed:1:0');
    expect(begun.slice(0, asked)).toContain('record');
  });

  test('rejected, expired or withdrawn, what was done before it is undone', () => {
    const rejected = simulate({ plan, events: [{ at: 1000, event: voted('reject') }] });
    const expired = simulate({ plan });
    const withdrawn = simulate({
      plan,
      events: [{ at: 1000, event: (at) => ({ type: 'withdrawn', at, reason: 'resolved' }) }],
    });
    for (const { state, begun } of [rejected, expired, withdrawn]) {
      expect(effects(begun)).toEqual(['step:0:1', 'undo:0:1']);
      expect(state.status).toBe('rolled_back');
      expect(state.steps.map(({ status }) => status)).toEqual(['succeeded', 'failed', 'skipped']);
    }
    expect(rejected.state.reason).toBe('step 2, gate, failed: rejected by ana');
  });

  test('cancelled while it waits, it is withdrawn', () => {
    const { state, begun } = simulate({
      plan,
      events: [{ at: 1000, event: (at) => ({ type: 'cancelled', at, by: 'ana', reason: null }) }],
    });
    expect(effects(begun)).toEqual(['step:0:1', 'undo:0:1']);
    expect(state).toMatchObject({ status: 'rolled_back', approvals: [{ status: 'withdrawn' }] });
  });

  test('a vote for an approval that is over does not count for the next', () => {
    const both = { ...plan, mode: 'semi_auto' as const };
    const first = voted('approve', 'ana', { approvalId: 'e' });
    const { state } = simulate({
      plan: both,
      events: [
        { at: 1000, event: first },
        { at: 2000, event: voted('approve', 'ben', { approvalId: 'e' }) },
      ],
    });
    expect(state.approvals.map(({ status }) => status)).toEqual(['approved', 'expired']);
  });
});

describe('an approval that nobody answers', () => {
  test('asks level after level, each for its time, and then expires', () => {
    const levels = ['ana', 'ben', 'cleo'].map((name) => [
      { type: 'email' as const, address: `${name}@example.com` },
    ]);
    const approval = approvalPlan({ onTimeout: 'escalate', timeoutMs: minute });
    const { state, begun, now } = simulate({ plan: { ...asking, levels, approval } });
    expect(begun.filter((key) => key.startsWith('notice:approval.needed'))).toHaveLength(3);
    expect([state.approvals[0]?.status, now - start]).toEqual(['expired', 3 * minute]);
    const late = simulate({
      plan: { ...asking, levels, approval },
      events: [{ at: 2.5 * minute, event: voted('approve', 'cleo') }],
    });
    expect(late.state.status).toBe('succeeded');
  });
});

test('a vote that comes after the deadline, when nobody was there to keep it, does not count', () => {
  const { state } = simulate({ plan: asking, events: [{ at: 1, event: voted('approve', 'zoe') }] });
  const open = state.approvals.map((each) => ({ ...each, status: 'pending' as const, votes: [] }));
  const waiting = { ...state, phase: 'approval' as const, approvals: open };
  const late = applyEvent(waiting, voted('approve')(start + 31 * minute));
  expect(late.approvals[0]).toMatchObject({ status: 'expired', votes: [] });
});

describe('who may vote', () => {
  const pending = (approval: Partial<ApprovalPlan>) =>
    simulate({
      plan: { ...asking, requestedBy: 'ana', approval: approvalPlan(approval) },
      events: [{ at: 1, event: voted('approve', 'zoe') }],
    });
  const state = (approval: Partial<ApprovalPlan>) => {
    const open = pending({ ...approval, needed: 2 }).state;
    const { needed = 1 } = approval;
    const approvals = open.approvals.map((each) => ({
      ...each,
      status: 'pending' as const,
      plan: { ...each.plan, needed },
    }));
    return { ...open, approvals };
  };
  const ben = { person: 'ben', via: 'page', role: 'operator' as const, teams: ['web'] };

  test.each<[string, Partial<ApprovalPlan>, object, string | undefined]>([
    ['anybody', {}, {}, undefined],
    ['not the requester', { notRequester: true }, { person: 'ana' }, 'ana asked for this execution'],
    ['somebody else', { notRequester: true }, {}, undefined],
    ['too low a role', { role: 'admin' }, {}, 'it takes the role admin'],
    ['the role', { role: 'admin' }, { role: 'owner' }, undefined],
    ['another team', { teams: ['data'] }, {}, 'it takes a member of data'],
    ['the team', { teams: ['data', 'web'] }, {}, undefined],
    ['an address that is no user', { needed: 1 }, { role: null, teams: [] }, undefined],
    ['an address that is no user, of several', { needed: 2 }, { role: null }, 'sign in'],
    ['an address that is no user, for another', { notRequester: true }, { role: null }, 'sign in'],
    [
      'an address that is no user, of an admin',
      { needed: 1, role: 'admin' },
      { role: null },
      'the role admin',
    ],
    ['who has voted', {}, { person: 'zoe' }, 'zoe has voted already'],
  ])('%s', (_name, approval, voter, refusal) => {
    const answer = refusalOfVote(state(approval), null, 'approve', { ...ben, ...voter });
    if (refusal === undefined) expect(answer).toBeUndefined();
    else expect(answer).toContain(refusal);
  });

  test('the requester may say no', () => {
    const voter = { ...ben, person: 'ana' };
    expect(refusalOfVote(state({ notRequester: true }), null, 'reject', voter)).toBeUndefined();
  });
});
