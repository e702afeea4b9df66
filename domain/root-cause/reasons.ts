import { reach } from '../topology/graph.ts';
import type { Case } from './case.ts';
import type { MetricAnomaly } from './metric-anomalies.ts';
import type { Trouble } from './trouble.ts';

/** Sentences for people on why `service` may be the cause, the weightiest first; never none. */
export function reasonsFor(service: string, considered: Case): string[] {
  const { troubles, evidence } = considered;
  const trouble = troubles.get(service);
  if (!trouble) return [];
  const reasons = [ofSpread(service, considered), ofSigns(service, trouble), ofCallees(service, considered)];
  if (trouble.traces && trouble.traces.firstFailures > 0) {
    reasons.push(`in ${trouble.traces.firstFailures} of ${trouble.traces.of} failed traces it failed first`);
  }
  if (trouble.change) reasons.push(`changed shortly before: ${trouble.change.title}`);
  if (trouble.logs && trouble.logs.errors > 0) {
    const fresh =
      trouble.logs.newPatterns > 0 ? `, ${trouble.logs.newPatterns} of a kind not seen before` : '';
    reasons.push(`${count(trouble.logs.errors, 'error line')} in its logs${fresh}`);
  }
  const naming = (evidence.logs ?? []).filter(
    (log) => log.service !== service && log.mentions?.includes(service),
  );
  if (naming.length > 0) reasons.push(`errors of ${list(naming.map((log) => log.service))} name it`);
  return reasons.filter((reason) => reason !== null);
}

function ofSigns(service: string, { alerts, starved, anomaly, strength }: Trouble): string | null {
  if (anomaly && strength >= noticeable) return `its ${anomaly.metric} ${moved(anomaly)}`;
  const [first] = alerts;
  if (first) {
    const more = alerts.length > 1 ? ` and ${count(alerts.length - 1, 'more alert')}` : '';
    return starved ? `${first.name}${more}: it only misses traffic` : `${first.name}${more} fired on it`;
  }
  return `nothing is seen of ${service} itself`;
}

const noticeable = 0.3;

function moved({ usual, reached, unit, together }: MetricAnomaly): string {
  const step = together !== null && together > 0.7 ? ', in step with the symptom' : '';
  const suffix = unit ? ` ${unit}` : '';
  return `${reached < usual ? 'fell' : 'rose'} from ${digits(usual)} to ${digits(reached)}${suffix}${step}`;
}

/** Who of the failing ones reaches it. */
function ofSpread(service: string, { graph, likelihoods }: Case): string | null {
  const callers = [...reach(graph, service, 'callers', 20)].flatMap(([caller, hops]) =>
    hops > 0 && (likelihoods.get(caller) ?? 1) > 2 ? [caller] : [],
  );
  if (callers.length === 0) return null;
  return callers.length === 1
    ? `${callers[0]}, which is in trouble too, depends on it`
    : `${callers.length} services in trouble depend on it: ${list(callers)}`;
}

function ofCallees(service: string, { graph, likelihoods }: Case): string | null {
  const callees = graph.callees(service);
  const failing = callees.filter((callee) => (likelihoods.get(callee) ?? 1) > 2);
  if (failing.length > 0)
    return `but ${list(failing)}, which it calls, ${failing.length === 1 ? 'is' : 'are'} in trouble too`;
  return callees.length > 0 ? 'nothing that it calls is in trouble' : null;
}

function list(names: readonly string[]): string {
  const shown = names
    .slice(0, 3)
    .map((name) => name.slice(0, 100))
    .join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
const digits = (value: number): string => String(Number(value.toPrecision(3)));
