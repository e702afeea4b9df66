import type { ServiceIncident } from '../../db/services.ts';
import { type ServiceKind, serviceKinds } from '../../domain/topology/service.ts';
import type { Mark } from '../layout/words.ts';

export const kindWords: Record<ServiceKind, string> = {
  service: 'Service',
  database: 'Database',
  cache: 'Cache',
  queue: 'Queue',
  external: 'External',
  infrastructure: 'Infrastructure',
};

export const kindChoices = serviceKinds.map((kind) => ({ value: kind, label: kindWords[kind] }));

export function serviceHref(name: string): string {
  return `/services/${encodeURIComponent(name)}`;
}

export function incidentHref(number: number): string {
  return `/incidents/${number}`;
}

/** How a service stands, by the unresolved incidents that concern it. */
export function standingOf(incidents: readonly Pick<ServiceIncident, 'isCause'>[]): Mark {
  if (incidents.some(({ isCause }) => isCause))
    return { word: 'Probable cause', icon: 'critical', tone: 'critical' };
  if (incidents.length > 0) return { word: 'Failing', icon: 'alert', tone: 'bad' };
  return { word: 'Quiet', icon: 'check', tone: 'quiet' };
}

/** 'a', 'a and b', 'a, b and 3 more'. */
export function namesText(names: readonly string[], most = 3): string {
  const shown = names.slice(0, names.length === most + 1 ? most + 1 : most);
  const more = names.length - shown.length;
  const parts = more > 0 ? [...shown, `${more} more`] : shown;
  const last = parts.at(-1) ?? '';
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(', ')} and ${last}`;
}

export function countText(count: number, one: string, many: string): string {
  return `${count.toLocaleString('en-GB')} ${count === 1 ? one : many}`;
}
