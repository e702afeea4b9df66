import { matchesGlob } from '../glob.ts';
import { type WeeklyWindow, windowsBetween } from '../weekly-window.ts';

/** What a maintenance window is about; of a team by its id, null: everybody's executions. */
export interface WindowAbout {
  /** A glob. */
  target: string;
  teamId: string | null;
  /** Null: all the while. */
  weekly: WeeklyWindow | null;
}

/** An execution that began to act; times in epoch milliseconds. */
export interface PastExecution {
  runbook: string;
  target: string;
  teamId: string | null;
  /** Nobody asked for it by hand. */
  automatic: boolean;
  /** The rules looked at it first. */
  askedAt: number;
  actedAt: number;
}

/** A runbook that an alert may start. */
export interface StartableRunbook {
  name: string;
  /** Null: what it works on is known only when it is asked for. */
  target: string | null;
  /** Null: it runs for the team of the incident. */
  teamId: string | null;
}

/** What a window would have held back, had it held all the while. */
export interface MaintenancePreview {
  /** Looked at. */
  executions: number;
  heldBack: number;
  /** On its targets, and asked for by people, whom it holds back from nothing. */
  byPeople: number;
  /** What was held back by runbook and target, the most frequent first. */
  kinds: { runbook: string; target: string; heldBack: number; lastAt: number }[];
  /** There are more kinds than are shown. */
  kindsCut: boolean;
}

/** Runbooks that it would hold back now. */
export interface MatchingRunbooks {
  /** Whose target matches. */
  matching: number;
  /** The first of them by name. */
  runbooks: { name: string; target: string }[];
  /** Whether it would hold them back is known only when they are asked for. */
  undecided: number;
}

const shown = 50;

/** @param executions the latest to act first; of a window that comes back every week only those of its hours count */
export function previewMaintenance(
  about: WindowAbout,
  executions: readonly PastExecution[],
): MaintenancePreview {
  const matches = matcherOf(about.target);
  const inHours = hoursOf(about, executions);
  const kinds = new Map<string, MaintenancePreview['kinds'][number]>();
  let heldBack = 0;
  let byPeople = 0;
  for (const { runbook, target, teamId, automatic, askedAt, actedAt } of executions) {
    // it is asked about twice
    if (!inHours(askedAt) && !inHours(actedAt)) continue;
    if ((about.teamId !== null && teamId !== about.teamId) || !matches(target)) continue;
    if (!automatic) {
      byPeople++;
      continue;
    }
    heldBack++;
    const key = JSON.stringify([runbook, target]);
    const kind = kinds.get(key);
    if (kind) kind.heldBack++;
    else kinds.set(key, { runbook, target, heldBack: 1, lastAt: actedAt });
  }
  return {
    executions: executions.length,
    heldBack,
    byPeople,
    kinds: [...kinds.values()].sort((a, b) => b.heldBack - a.heldBack || b.lastAt - a.lastAt).slice(0, shown),
    kindsCut: kinds.size > shown,
  };
}

/** @param runbooks by name */
export function matchingRunbooks(
  about: WindowAbout,
  runbooks: readonly StartableRunbook[],
): MatchingRunbooks {
  const matches = matcherOf(about.target);
  const found: MatchingRunbooks['runbooks'] = [];
  let undecided = 0;
  for (const { name, target, teamId } of runbooks) {
    if (about.teamId !== null && teamId !== null && teamId !== about.teamId) continue;
    if (target !== null && !matches(target)) continue;
    if (target === null || (about.teamId !== null && teamId === null)) undecided++;
    else found.push({ name, target });
  }
  return { matching: found.length, runbooks: found.slice(0, shown), undecided };
}

function hoursOf({ weekly }: WindowAbout, executions: readonly PastExecution[]): (at: number) => boolean {
  if (weekly === null) return () => true;
  const oldest = executions.reduce(
    (found, { askedAt }) => Math.min(found, askedAt),
    Number.POSITIVE_INFINITY,
  );
  const newest = executions.at(0)?.actedAt ?? oldest;
  const hours = windowsBetween(weekly, oldest, newest + 1);
  return (at) => hours.some(({ opens, closes }) => opens <= at && at < closes);
}

/** Few targets are worked on many times: each is compared once. */
function matcherOf(glob: string): (target: string) => boolean {
  const known = new Map<string, boolean>();
  return (target) => {
    const matched = known.get(target) ?? matchesGlob(glob, target);
    known.set(target, matched);
    return matched;
  };
}
