import { durationMs, formatDuration } from '../../domain/duration.ts';
import { type Directory, resolveTargets } from '../../domain/escalation/resolve.ts';
import type { EscalationPolicy, EscalationTarget } from '../../domain/policies.ts';

/** What a policy does: 'At once whoever is on call by primary; after 15 min ops; then again twice, 30 min apart.' */
export function policySentence(policy: EscalationPolicy): string {
  const levels = policy.levels.map(
    ({ after, targets }) => `${whenText(after)} ${listText(targets.map(targetPhrase))}`,
  );
  const { repeats, repeatAfter } = policy;
  const apart = repeatAfter ? `, ${durationText(repeatAfter)} after the last level` : '';
  const again = repeats > 0 ? [`then again ${timesText(repeats)}${apart}`] : [];
  return [
    `${capitalized([...levels, ...again].join('; '))}; until somebody acknowledges.`,
    ...quietSentences(policy),
  ].join(' ');
}

function quietSentences({ remindAfter, unacknowledgeAfter }: EscalationPolicy): string[] {
  return [
    ...(remindAfter
      ? [
          `When nothing happens for ${durationText(remindAfter)} after that, whoever acknowledged is reminded.`,
        ]
      : []),
    ...(unacknowledgeAfter
      ? [
          `When nothing happens for ${durationText(unacknowledgeAfter)}, the acknowledgement is taken back and it begins anew.`,
        ]
      : []),
  ];
}

/** Whom a policy would not reach now, a sentence each; empty: every level reaches somebody. */
export function reachProblems(directory: Directory, policy: EscalationPolicy, at: number): string[] {
  const levels = policy.levels.map(({ targets }, index) => {
    // a critical incident, as contact rules may differ by severity and whom a level reaches does not
    const resolved = resolveTargets(directory, targets, 'critical', at);
    return {
      number: index + 1,
      reaches: resolved.some(({ problem }) => problem === null),
      problems: resolved.flatMap(({ problem }) => (problem === null ? [] : [problem])),
    };
  });
  if (levels.every(({ reaches }) => !reaches)) {
    const why = [...new Set(levels.flatMap(({ problems }) => problems))];
    return [`Reaches nobody now: ${why.join('; ')}.`];
  }
  return levels
    .filter(({ problems }) => problems.length > 0)
    .map(({ number, reaches, problems }) =>
      reaches
        ? `Level ${number} reaches only a part now: ${problems.join('; ')}.`
        : `Level ${number} reaches nobody now, so the next one begins at once: ${problems.join('; ')}.`,
    );
}

export function targetPhrase(target: EscalationTarget): string {
  switch (target.type) {
    case 'email':
      return target.address;
    case 'user':
      return target.email;
    case 'channel':
      return `the channel ${target.name}`;
    case 'schedule':
      return `whoever is on call by ${target.name}`;
  }
}

export function listText(items: string[]): string {
  const last = items.at(-1) ?? '';
  return items.length < 2 ? last : `${items.slice(0, -1).join(', ')} and ${last}`;
}

function whenText(after: string): string {
  return durationMs(after) === 0 ? 'at once' : `after ${durationText(after)}`;
}

function durationText(text: string): string {
  return formatDuration(durationMs(text));
}

function timesText(n: number): string {
  return n === 1 ? 'once' : n === 2 ? 'twice' : `${n} times`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
