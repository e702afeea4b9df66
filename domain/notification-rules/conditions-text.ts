import { windowText } from '../weekly-window.ts';
import type { NotificationRule } from './rule.ts';

/** 'critical or high, service pay-*, label region = eu-*, Mon–Fri 09:00–17:00 Europe/Berlin'; empty: always. */
export function conditionsText({
  severities,
  service,
  alert,
  team,
  labels,
  hours,
}: NotificationRule['when']): string {
  return [
    ...(severities ? [severities.join(' or ')] : []),
    ...(service === undefined ? [] : [`service ${service}`]),
    ...(alert === undefined ? [] : [`alert ${alert}`]),
    ...(team === undefined ? [] : [`team ${team}`]),
    ...Object.entries(labels ?? {}).map(([name, value]) => `label ${name} = ${value}`),
    ...(hours ? [windowText(hours)] : []),
  ].join(', ');
}
