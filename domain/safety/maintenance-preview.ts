import { matchesGlob } from '../glob.ts';

/** What a maintenance window is about; of a team by its id, null: everybody's executions. */
export interface WindowAbout {
  /** A glob. */
  target: string;
  teamId: string | null;
}

/** An execution that began to act; times in epoch milliseconds. */
export interface PastExecution {
  runbook: string;
  target: string;
  teamId: string | null;
  /** Nobody asked for it by hand. */
  automatic: boolean;
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

/** @param executions the latest to act first */
export function previewMaintenance(
  about: WindowAbout,
  executions: readonly PastExecution[],
): MaintenancePreview {
  const matches = matcherOf(about.target);
  const kinds = new Map<string, MaintenancePreview['kinds'][number]>();
  let heldBack = 0;
  let byPeople = 0;
  for (const { runbook, target, teamId, automatic, actedAt } of executions) {
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

/** Few targets are worked on many times: each is compared once. */
function matcherOf(glob: string): (target: string) => boolean {
  const known = new Map<string, boolean>();
  return (target) => {
    const matched = known.get(target) ?? matchesGlob(glob, target);
    known.set(target, matched);
    return matched;
  };
}
