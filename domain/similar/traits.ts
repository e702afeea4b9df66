/**
 * What incidents are alike in: 'alert=HighLatency', 'service=checkout', 'pattern=connection to <*> refused',
 * 'cause=db-primary'. They are stored beside each incident, so that one that looks alike is found by them.
 */

/** Of the facts of one incident. */
export interface IncidentFacts {
  /** Of its alerts, in any order, repeated or not. */
  alertNames: readonly string[];
  services: readonly string[];
  /** Templates of what its logs say, the most telling first. */
  patterns: readonly string[];
  cause: string | null;
}

const most = { alert: 40, service: 40, pattern: 20 };
/** Characters; a trait is part of an index. */
const longest = 300;

/** Each once, at most some hundred. */
export function traitsOf({ alertNames, services, patterns, cause }: IncidentFacts): string[] {
  return [
    ...traits('alert', alertNames, most.alert),
    ...traits('service', services, most.service),
    ...traits('pattern', patterns, most.pattern),
    ...traits('cause', cause === null ? [] : [cause], 1),
  ];
}

function traits(kind: TraitKind, values: readonly string[], limit: number): string[] {
  const known = [...new Set(values.map((value) => value.trim()).filter((value) => value !== ''))];
  return known.slice(0, limit).map((value) => `${kind}=${value}`.slice(0, longest).toWellFormed());
}

export type TraitKind = 'alert' | 'service' | 'pattern' | 'cause';

export function kindOf(trait: string): TraitKind | undefined {
  const kind = trait.slice(0, trait.indexOf('='));
  return kind === 'alert' || kind === 'service' || kind === 'pattern' || kind === 'cause' ? kind : undefined;
}

export const textOf = (trait: string): string => trait.slice(trait.indexOf('=') + 1);
