import { methodKey } from '../contact-method.ts';
import type { ContactMethod } from '../contact-rules.ts';
import { type DueLevel, escalationLevels, targetName } from '../escalation/pages.ts';
import { reachesSomebody } from '../escalation/reached.ts';
import type { ResolvedPerson, ResolvedTarget, ScheduleEntry } from '../escalation/resolve.ts';
import type { NotifyTarget } from '../notification.ts';
import type { IncidentEvent } from './events.ts';
import { levelKey, levelPageKey, readPageKey } from './page-key.ts';
import { escalationStopped, type IncidentState, type Notice, type ReachedLevel } from './state.ts';
import { holdfast, tell } from './story.ts';

/**
 * Levels of which nobody knows whom they reach until their time comes: then it is asked, once, and each person who was
 * found is told by the steps of their contact rules. Whatever comes to nothing makes room for what is next at once.
 */

/** A level of the present round, and whom it reaches if its time has come. */
export interface Level extends DueLevel {
  key: string;
  reached: ReachedLevel | undefined;
}

/** In the order of their time. One that came to nothing brings the next one of its pass forward. */
export function levelsOf(state: IncidentState): Level[] {
  if (!state.plan) return [];
  let before: Level | undefined;
  return escalationLevels(state.plan.escalation.policy, state.escalationFrom).map((due) => {
    const key = levelKey(state, due);
    const emptyAfterMs = before?.pass === due.pass ? before.reached?.unreachedAfterMs : undefined;
    const dueAt =
      emptyAfterMs === undefined ? due.dueAt : Math.min(due.dueAt, state.escalationFrom + emptyAfterMs);
    before = { ...due, key, dueAt, reached: state.levels[key] };
    return before;
  });
}

/** One message of a level. */
export interface LevelPage {
  key: string;
  target: NotifyTarget;
  /** Null: as soon as it can be, because what came before it has failed. */
  dueAt: number | null;
  /** Of the person's contact rules, from 1. */
  step: number | null;
  method: string | null;
  entry: ScheduleEntry | null;
  /** What was tried before and failed, for people. */
  instead: string | null;
  /** Whether the person can be reached in another way if this one fails. */
  last: boolean;
}

/** Every message of a level whose time has come, done or not. */
export function pagesOf(
  state: IncidentState,
  { key, targets: written }: Level,
  reached: ReachedLevel,
): LevelPage[] {
  return reached.targets.flatMap((resolved) => {
    const index = written.findIndex((target) => targetKey(target) === targetKey(resolved.target));
    if (resolved.people.length > 0) {
      return resolved.people.flatMap((person, number) =>
        stepsOf(state, reached, person, (step) => levelPageKey(key, index, { index: number, step })),
      );
    }
    const { target, problem } = resolved;
    if (problem !== null || (target.type !== 'email' && target.type !== 'channel')) return [];
    const dueAt = reached.dueAt;
    const plain = { step: null, method: null, entry: null, instead: null, last: true };
    return [{ key: levelPageKey(key, index), target, dueAt, ...plain }];
  });
}

function stepsOf(
  state: IncidentState,
  reached: ReachedLevel,
  { email, steps, entry }: ResolvedPerson,
  keyOf: (step: number) => string,
): LevelPage[] {
  const from = state.escalationFrom + reached.reachedAfterMs;
  return steps.map(({ afterMs, method }, index) => {
    const before = index === 0 ? undefined : steps[index - 1];
    const failed = state.pages[keyOf(index - 1)]?.status === 'failed';
    const due = afterMs === 0 ? reached.dueAt : from + afterMs;
    return {
      key: keyOf(index),
      target: { type: 'contact', email, method },
      dueAt: before && failed ? null : due,
      step: index + 1,
      method: methodKey(method),
      entry,
      instead:
        before && failed
          ? `${methodName(before.method)}: ${state.pages[keyOf(index - 1)]?.reason ?? 'failed'}`
          : null,
      last: index === steps.length - 1,
    };
  });
}

/** It is known whom a level reaches. An answer that an acknowledgement, a resolve or a new round has overtaken is dropped. */
export function applyLevelResolved(
  state: IncidentState,
  { key, at, dueAt, targets, owners }: Extract<IncidentEvent, { type: 'level_resolved' }>,
): IncidentState {
  const level = levelsOf(state).find((each) => each.key === key);
  if (!level || level.reached || escalationStopped(state)) return state;
  const reachedAfterMs = at - state.escalationFrom;
  const next = { ...state, levels: { ...state.levels, [key]: { dueAt, reachedAfterMs, targets } } };
  const problems = targets.flatMap(({ problem }) => problem ?? []);
  if (problems.length === 0) return next;
  if (!reachesSomebody(targets)) return tellNobody(next, level, { at, problems, owners });
  const data = { level: level.level };
  return tell(next, at, 'target_unreached', holdfast, `Level ${level.level}: ${problems.join('; ')}`, data);
}

/** It could not be found out whom a level reaches, and will not be. */
export function applyLevelFailed(
  state: IncidentState,
  { key, at, reason }: { key: string; at: number; reason: string },
): IncidentState {
  const dueAt = at;
  const level = levelsOf(state).find((each) => each.key === key);
  if (!level || level.reached || escalationStopped(state)) return state;
  const reached = { dueAt, reachedAfterMs: at - state.escalationFrom, targets: [] };
  const next = { ...state, levels: { ...state.levels, [key]: reached } };
  return tellNobody(next, level, { at, problems: [`whom it reaches cannot be read: ${reason}`], owners: [] });
}

function tellNobody(
  state: IncidentState,
  level: Level,
  { at, problems, owners }: { at: number; problems: string[]; owners: string[] },
): IncidentState {
  const next = unreach(state, level, at, `reaches nobody: ${problems.join('; ')}`, 'nobody_on_call');
  if (state.nobodyTold || owners.length === 0) return next;
  const notices = owners.map<Notice>((email, index) => ({
    key: `notice:oncall.nobody:${index}`,
    type: 'oncall.nobody',
    target: { type: 'user', email },
    detail: { level: level.level, reason: problems.join('; ') },
    cause: {
      ...causeOfLevel(state, level),
      event: 'oncall.nobody',
      at: new Date(at).toISOString(),
      seq: next.seq,
    },
    dueAt: at,
  }));
  return { ...next, nobodyTold: true, notices: [...next.notices, ...notices] };
}

function unreach(state: IncidentState, level: Level, at: number, what: string, kind: string): IncidentState {
  const reached = state.levels[level.key];
  if (!reached) return state;
  const levels = {
    ...state.levels,
    [level.key]: { ...reached, unreachedAfterMs: at - state.escalationFrom },
  };
  const next = levelsOf(state).find(
    (each) => each.pass === level.pass && !each.reached && each.level !== level.level,
  );
  const then = next ? `; level ${next.level} at once` : '';
  const data = { level: level.level };
  return tell({ ...state, levels }, at, kind, holdfast, `Level ${level.level} ${what}${then}`, data);
}

/** After the end of one of its pages: a level of which all have come to their end is done. */
export function settleLevel(state: IncidentState, pageKey: string, at: number): IncidentState {
  const key = readPageKey(pageKey)?.levelKey;
  const level = levelsOf(state).find((each) => each.key === key);
  if (!level?.reached) return state;
  const ends = pagesOf(state, level, level.reached).map(({ key: page, entry }) => ({
    status: state.pages[page]?.status ?? 'started',
    shadow: entry?.shadow === true,
  }));
  if (ends.some(({ status }) => status === 'started')) return state;
  const done = { ...level.reached, targets: [] };
  const next = { ...state, levels: { ...state.levels, [level.key]: done } };
  // nobody relies on those who only shadow
  const came = ends.some(({ status, shadow }) => status !== 'failed' && !shadow);
  if (came || escalationStopped(state) || done.unreachedAfterMs !== undefined) return next;
  return unreach(next, level, at, 'could not be delivered to anybody', 'level_undelivered');
}

/** Why its messages are sent. */
export function causeOfLevel(state: IncidentState, { level, pass }: Pick<Level, 'level' | 'pass'>) {
  const { event, at, seq } = state.began;
  const policy = state.plan?.escalation.name;
  const { heldBack } = state;
  return {
    event,
    at: new Date(at).toISOString(),
    ...(seq === null ? {} : { seq }),
    ...(policy === undefined ? {} : { policy }),
    level,
    pass,
    round: state.rounds,
    ...(heldBack.length > 0 ? { held: heldBack } : {}),
  };
}

export function methodName(method: ContactMethod): string {
  switch (method.type) {
    case 'email':
      return 'mail';
    case 'slack':
      return `Slack by ${method.channel}`;
    case 'channel':
      return method.name;
  }
}

const targetKey = (target: ResolvedTarget['target']): string => `${target.type} ${targetName(target)}`;
