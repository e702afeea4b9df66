import { windowText } from '../weekly-window.ts';
import type { Silence } from './silence.ts';

/** 'alert Disk* of db-* with host = a*, of team shop' */
export function matchText({ match, team }: Pick<Silence, 'match' | 'team'>): string {
  const labels = Object.entries(match.labels ?? {}).map(([name, value]) => `${name} = ${value}`);
  const parts = [
    match.alert === undefined ? 'every alert' : `alert ${match.alert}`,
    ...(match.service === undefined ? [] : [`of ${match.service}`]),
    ...(labels.length > 0 ? [`with ${labels.join(' and ')}`] : []),
  ];
  return parts.join(' ') + (team === null ? '' : `, of team ${team}`);
}

/** 'Sat, Sun 02:00–04:00 Europe/Berlin'; empty where it holds all the while. */
export function hoursText({ weekly }: Pick<Silence, 'weekly'>): string {
  return weekly ? windowText(weekly) : '';
}
