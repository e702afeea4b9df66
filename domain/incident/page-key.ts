import type { NotifyTarget } from '../notification.ts';
import type { IncidentState } from './state.ts';

type Standing = Pick<IncidentState, 'openings' | 'rounds'>;

/** The key of a page of a policy whose targets are told as written: 'page:<opening>:<pass>.<level>.<index>'. */
export function pageKey({ openings }: Pick<IncidentState, 'openings'>, slot: string): string {
  return `page:${openings}:${slot}`;
}

/** 'level:<opening>:<round>.<pass>.<level>', pass and level from 0. */
export function levelKey({ openings, rounds }: Standing, due: { pass: number; level: number }): string {
  return `level:${openings}:${rounds}.${due.pass - 1}.${due.level - 1}`;
}

/**
 * The key of a page of that level: its place in the policy's targets and, of a person, the person's place in what the
 * target reached and the step of their contact rules. No names: keys are readable by everyone who sees Temporal.
 */
export function levelPageKey(
  level: string,
  target: number,
  person?: { index: number; step: number },
): string {
  const of = person === undefined ? '' : `.${person.index}.${person.step}`;
  return `page:${level.slice('level:'.length)}.${target}${of}`;
}

/** What a page's key says, numbers from 1; undefined for the key of another move. */
export function readPageKey(
  key: string,
): { level: number; levelKey: string | null; target: number } | undefined {
  const [kind, opening, slot] = key.split(':');
  if (kind !== 'page' || !slot) return undefined;
  const parts = slot.split('.').map(Number);
  if (parts.length === 3) return { level: (parts[1] ?? 0) + 1, levelKey: null, target: parts[2] ?? 0 };
  return {
    level: (parts[2] ?? 0) + 1,
    levelKey: `level:${opening}:${parts.slice(0, 3).join('.')}`,
    target: parts[3] ?? 0,
  };
}

/** Undefined for the key of another move, and for a target that nothing is known of any more. */
export function pageTargetOf(state: IncidentState, key: string): NotifyTarget | undefined {
  const page = readPageKey(key);
  if (!page) return undefined;
  const known = state.pages[key];
  if (known) return known.target;
  const written = state.plan?.escalation.policy.levels[page.level - 1]?.targets[page.target];
  // a person whom a target reached is not the target
  return page.levelKey === null || written?.type === 'email' || written?.type === 'channel'
    ? written
    : undefined;
}
