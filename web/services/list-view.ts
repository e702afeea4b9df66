import type { Page } from '../../db/cursor.ts';
import type { ServiceIncident, ServiceSummary } from '../../db/services.ts';
import type { Mark } from '../layout/words.ts';
import { countText, incidentHref, kindWords, namesText, serviceHref, standingOf } from './words.ts';

export const pageSize = 100;

export interface ServicesQuery {
  q: string;
  cursor: string | null;
}

export function parseServicesQuery(query: Record<string, unknown>): ServicesQuery {
  const { q, cursor } = query;
  return {
    q: typeof q === 'string' ? q.trim().slice(0, 200) : '',
    cursor: typeof cursor === 'string' && cursor !== '' ? cursor : null,
  };
}

interface Row {
  name: string;
  href: string;
  kind: string;
  icon: string;
  team: string;
  state: Mark;
  incidents: { label: string; title: string; href: string }[];
  callers: number;
  callees: number;
  lastSeenAt: string;
}

export function servicesView(
  query: ServicesQuery,
  found: { page: Page<ServiceSummary>; trouble: readonly ServiceIncident[]; everAny: boolean },
) {
  const trouble = Map.groupBy(found.trouble, ({ service }) => service);
  const rows = found.page.items.map((service) => rowOf(service, trouble.get(service.name) ?? []));
  const url = (cursor: string | null) => {
    const parameters = new URLSearchParams({
      ...(query.q ? { q: query.q } : {}),
      ...(cursor ? { cursor } : {}),
    });
    return parameters.size > 0 ? `/services?${parameters}` : '/services';
  };
  return {
    q: query.q,
    sentence: troubleSentence(found.trouble),
    failing: failingRows(trouble),
    rows,
    line: query.q === '' ? 'By name' : `Names that contain '${query.q}'`,
    empty: rows.length > 0 ? null : found.everAny ? noMatch : nothingYet,
    nextHref: found.page.nextCursor ? url(found.page.nextCursor) : null,
    firstHref: query.cursor ? url(null) : null,
  };
}

const noMatch = { title: 'No service has such a name', text: 'Take a part of the name.', teach: false };
const nothingYet = {
  title: 'No service is known yet',
  text: 'Services come from alerts that name them, from traces sent to /v1/traces, and from what you declare.',
  teach: true,
};

function rowOf(service: ServiceSummary, incidents: readonly ServiceIncident[]): Row {
  return {
    name: service.name,
    href: serviceHref(service.name),
    kind: kindWords[service.kind],
    icon: service.kind,
    team: service.team ?? '',
    state: standingOf(incidents),
    incidents: incidentLinks(incidents),
    callers: service.callers,
    callees: service.callees,
    lastSeenAt: service.lastSeenAt.toISOString(),
  };
}

export function incidentLinks(incidents: readonly ServiceIncident[]) {
  return incidents
    .slice(0, 3)
    .map(({ number, title }) => ({ label: `#${number}`, title, href: incidentHref(number) }));
}

/** What is failing, above the list, however the list is filtered; probable causes first. */
function failingRows(trouble: ReadonlyMap<string, readonly ServiceIncident[]>) {
  return [...trouble]
    .map(([name, incidents]) => ({
      name,
      href: serviceHref(name),
      state: standingOf(incidents),
      incidents: incidents
        .slice(0, 3)
        .map(({ number, title }) => ({ number, title, href: incidentHref(number) })),
      isCause: incidents.some(({ isCause }) => isCause),
    }))
    .sort((a, b) => Number(b.isCause) - Number(a.isCause) || b.incidents.length - a.incidents.length)
    .slice(0, 20);
}

/** 'checkout, web and 2 more are failing; db-primary is probably the cause.' */
export function troubleSentence(trouble: readonly ServiceIncident[]): string {
  const services = [...new Set(trouble.map(({ service }) => service))];
  const causes = [...new Set(trouble.filter(({ isCause }) => isCause).map(({ service }) => service))];
  if (services.length === 0) return 'No unresolved incident concerns a service.';
  const incidents = new Set(trouble.map(({ number }) => number)).size;
  const what = `${countText(services.length, 'service is', 'services are')} failing in ${countText(incidents, 'incident', 'incidents')}`;
  if (causes.length === 0) return `${what}.`;
  return `${what}; ${namesText(causes)} ${causes.length === 1 ? 'is probably the cause' : 'are probably the causes'}.`;
}
