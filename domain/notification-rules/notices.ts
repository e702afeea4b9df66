import { targetName } from '../escalation/pages.ts';
import { type Directory, resolveTargets } from '../escalation/resolve.ts';
import type { NotificationCause } from '../notification.ts';
import type { EscalationTarget } from '../policies.ts';
import type { RuleEvent, RuleVerdict } from './rule.ts';

/** A message that a rule calls for. */
export interface CalledNotice {
  /** 'rule:<trigger>:<occurrence>:<rule>:<target index>', with '.<n>' for each person whom a schedule names. */
  key: string;
  target: EscalationTarget;
  cause: NotificationCause;
  verdict: RuleVerdict;
}

/** A schedule by which nobody is on call then. */
export interface UnreachedTarget extends Omit<CalledNotice, 'verdict'> {
  problem: string;
}

/**
 * The messages that the rules that matched call for: one for each target of each, but one for each target in all, by the
 * first rule that names it. Schedules are answered with those who are on call when it happened.
 * @param occurrence which time it is that this happens
 */
export function noticesCalledFor(
  matched: readonly RuleVerdict[],
  directory: Directory,
  { trigger, at, severity }: Pick<RuleEvent, 'trigger' | 'at' | 'severity'>,
  occurrence: string,
): { called: CalledNotice[]; unreached: UnreachedTarget[] } {
  const told = new Set<string>();
  const called: CalledNotice[] = [];
  const unreached: UnreachedTarget[] = [];
  for (const verdict of matched) {
    const { rule, reasons, targets } = verdict;
    for (const [index, target] of targets.entries()) {
      const key = `rule:${trigger}:${occurrence}:${rule}:${index}`;
      const cause = { event: trigger, at: new Date(at).toISOString(), rule: { name: rule, reasons } };
      const [resolved] = resolveTargets(directory, [target], severity ?? 'info', at);
      if (target.type === 'schedule' && resolved?.problem) {
        unreached.push({ key, target, cause, problem: resolved.problem });
        continue;
      }
      for (const each of toTell({ key, target, cause }, resolved?.people ?? [])) {
        const name = targetName(each.target).toLowerCase();
        // the first rule that names somebody tells them; the others would say the same again
        if (told.has(name)) continue;
        told.add(name);
        called.push({ ...each, verdict });
      }
    }
  }
  return { called, unreached };
}

/** Whoever a schedule names is told as a person; every other target is told itself. */
function toTell(
  notice: Omit<CalledNotice, 'verdict'>,
  people: ReturnType<typeof resolveTargets>[number]['people'],
): Omit<CalledNotice, 'verdict'>[] {
  if (notice.target.type !== 'schedule') return [notice];
  return people.map(({ email, entry }, n) => ({
    key: `${notice.key}.${n}`,
    target: { type: 'user', email },
    cause: entry ? { ...notice.cause, entry } : notice.cause,
  }));
}
