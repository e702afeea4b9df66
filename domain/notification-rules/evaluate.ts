import { matchesGlob } from '../glob.ts';
import { windowAt, windowText } from '../weekly-window.ts';
import type { NotificationRule, RuleEvent, RuleVerdict } from './rule.ts';

export interface NamedRule {
  name: string;
  definition: NotificationRule;
}

/** A condition and whether it holds, in words that say both. */
interface Finding {
  holds: boolean;
  said: string;
}

/**
 * What each rule says to an event, in the order of the rules. The reasons of a rule that matched are its conditions, each
 * with what held; those of one that did not are the conditions that failed.
 */
export function evaluateRules(rules: readonly NamedRule[], event: RuleEvent): RuleVerdict[] {
  return rules.map(({ name, definition }) => {
    const findings = [enabled(definition), triggered(definition, event), ...conditions(definition, event)];
    const matched = findings.every(({ holds }) => holds);
    return {
      rule: name,
      matched,
      reasons: findings.filter(({ holds, said }) => holds === matched && said !== '').map(({ said }) => said),
      targets: definition.targets,
      template: definition.template ?? null,
    };
  });
}

function enabled({ enabled: on }: NotificationRule): Finding {
  return on ? { holds: true, said: '' } : { holds: false, said: 'the rule is switched off' };
}

function triggered({ triggers }: NotificationRule, { trigger }: RuleEvent): Finding {
  const holds = triggers.includes(trigger);
  return { holds, said: holds ? `it waits for ${trigger}` : `it does not wait for ${trigger}` };
}

function conditions({ when }: NotificationRule, event: RuleEvent): Finding[] {
  const found: Finding[] = [];
  if (when.severities) found.push(severityIs(when.severities, event));
  if (when.service !== undefined) found.push(valueMatches('the service', when.service, event.service));
  if (when.alert !== undefined) found.push(alertMatches(when.alert, event.alerts));
  if (when.team !== undefined) {
    const holds = event.team === when.team;
    found.push({
      holds,
      said: `the team is ${event.team ?? 'not known'}${holds ? '' : `, not ${when.team}`}`,
    });
  }
  for (const [label, pattern] of Object.entries(when.labels ?? {})) {
    const value = Object.hasOwn(event.labels, label) ? (event.labels[label] ?? null) : null;
    found.push(valueMatches(`the label ${label}`, pattern, value));
  }
  if (when.hours) {
    const holds = windowAt(when.hours, event.at) !== null;
    found.push({ holds, said: `the time is ${holds ? 'within' : 'outside'} ${windowText(when.hours)}` });
  }
  return found;
}

function severityIs(named: readonly string[], { severity }: RuleEvent): Finding {
  const holds = severity !== null && named.includes(severity);
  const said = `the severity is ${severity ?? 'not known'}`;
  return { holds, said: holds ? said : `${said}, not ${named.join(' or ')}` };
}

function valueMatches(what: string, pattern: string, value: string | null): Finding {
  if (value === null) return { holds: false, said: `${what} is not known, and '${pattern}' is asked for` };
  const holds = matchesGlob(pattern, value);
  return { holds, said: `${what} '${value}' ${holds ? 'matches' : 'does not match'} '${pattern}'` };
}

function alertMatches(pattern: string, alerts: readonly string[]): Finding {
  const found = alerts.find((name) => matchesGlob(pattern, name));
  if (found !== undefined) return { holds: true, said: `the alert '${found}' matches '${pattern}'` };
  return { holds: false, said: `none of its alerts matches '${pattern}'` };
}
