import type { ChangeFilter, ChangeSummary, ServiceChanges } from '../../db/changes-read.ts';
import type { Page } from '../../db/cursor.ts';
import { type ChangeType, changeTypes } from '../../domain/changes/change.ts';
import { changeWords } from '../../domain/changes/score.ts';
import { changeSourceNames, changeTypeNames } from '../../domain/changes/words.ts';
import { nameOf, type People } from '../../domain/people.ts';
import { visible } from '../../domain/runbook/shown-text.ts';
import { changeMarks, type Mark } from '../layout/words.ts';

/** The windows that the pages look back, in days. */
export const windows = { '24h': 1, '7d': 7, '30d': 30, '90d': 90 } as const;
export type WindowName = keyof typeof windows;

/** What the address asks for; a value that is none counts as not given, so that an old link still shows something. */
export interface ChangeQuery {
  window: WindowName;
  risky: boolean;
  service: string;
  environment: string;
  type: ChangeType | null;
  cursor: string | null;
}

export const pageSize = 50;
/** Further than this nobody counts at night. */
export const mostCounted = 1000;
const dayMs = 86_400_000;

export function parseChangeQuery(query: Record<string, unknown>): ChangeQuery {
  const given = (name: string): string => {
    const value = query[name];
    return typeof value === 'string' ? value.trim().slice(0, 200) : '';
  };
  const window = given('window');
  return {
    window: Object.hasOwn(windows, window) ? (window as WindowName) : '7d',
    risky: given('risky') === 'true',
    service: given('service'),
    environment: given('environment'),
    type: changeTypes.find((known) => known === given('type')) ?? null,
    cursor: given('cursor') || null,
  };
}

export function filterOf(query: ChangeQuery, now: number): ChangeFilter {
  return {
    since: sinceOf(query.window, now),
    ...(query.risky ? { risky: true } : {}),
    ...(query.service ? { service: query.service } : {}),
    ...(query.environment ? { environment: query.environment } : {}),
    ...(query.type ? { type: [query.type] } : {}),
  };
}

export const sinceOf = (window: WindowName, now: number): Date => new Date(now - windows[window] * dayMs);

/** '/changes?…' with `changes`, leaving out what is the default. A change begins the list again. */
export function changesUrl(
  query: ChangeQuery,
  changes: Partial<ChangeQuery> = {},
  path = '/changes',
): string {
  const wanted = { ...query, cursor: null, ...changes };
  const parameters = new URLSearchParams();
  if (wanted.risky) parameters.set('risky', 'true');
  if (wanted.window !== '7d') parameters.set('window', wanted.window);
  if (wanted.service) parameters.set('service', wanted.service);
  if (wanted.environment) parameters.set('environment', wanted.environment);
  if (wanted.type) parameters.set('type', wanted.type);
  if (wanted.cursor) parameters.set('cursor', wanted.cursor);
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}

interface Choice {
  value: string;
  label: string;
  selected: boolean;
}

export interface ChangeRow {
  id: number;
  href: string;
  words: string;
  /** Null where `words` say it already. */
  title: string | null;
  state: Mark;
  environment: string | null;
  type: string;
  /** A person, or a program; null where nobody is named. */
  author: string | null;
  source: string;
  /** 'cause of 2 incidents'; null where nobody said so. */
  cause: string | null;
  at: string;
}

export interface ChangeListView {
  tabs: Tab[];
  windows: Tab[];
  window: WindowName;
  risky: boolean;
  services: Choice[];
  environments: Choice[];
  types: Choice[];
  filtered: boolean;
  clearHref: string;
  line: string;
  rows: ChangeRow[];
  nextHref: string | null;
  firstHref: string | null;
  empty: { title: string; text: string; teach: boolean } | null;
}

interface Tab {
  label: string;
  href: string;
  current: boolean;
}

export function changeListView(
  query: ChangeQuery,
  found: {
    page: Page<ChangeSummary>;
    counted: number;
    names: { services: string[]; environments: string[] };
    people: People;
    /** Whether there ever was a change, to tell a new installation from a quiet one. */
    everAny: boolean;
  },
): ChangeListView {
  const { items, nextCursor } = found.page;
  const filtered = query.service !== '' || query.environment !== '' || query.type !== null;
  return {
    tabs: tabsOf(query, query.risky ? 'risky' : 'all'),
    windows: windowsOf(query),
    window: query.window,
    risky: query.risky,
    services: choices('Any service', found.names.services, query.service),
    environments: choices('Any environment', found.names.environments, query.environment),
    types: [
      { value: '', label: 'Any type', selected: query.type === null },
      ...changeTypes.map((value) => ({
        value,
        label: changeTypeNames[value],
        selected: value === query.type,
      })),
    ],
    filtered,
    clearHref: changesUrl(query, { service: '', environment: '', type: null }),
    line: lineOf(query, items.length, found.counted),
    rows: items.map((item) => changeRow(item, found.people)),
    nextHref: nextCursor ? changesUrl(query, { cursor: nextCursor }) : null,
    firstHref: query.cursor ? changesUrl(query) : null,
    empty: items.length > 0 ? null : emptyOf(query, filtered, found.everAny),
  };
}

/** A commit's message may be an essay; the change's own page has all of it. */
export const shortened = (title: string): string => (title.length > 120 ? `${title.slice(0, 119)}…` : title);

export function changeRow(change: ChangeSummary, people: People): ChangeRow {
  const { author } = change;
  return {
    id: change.id,
    href: `/changes/${change.id}`,
    words: visible(changeWords(change)),
    title: change.version === null ? null : shortened(visible(change.title)),
    state: changeMarks[change.status],
    environment: change.environment === null ? null : visible(change.environment),
    type: changeTypeNames[change.type],
    author: author === null ? null : visible(nameOf(people, author)),
    source: changeSourceNames[change.source],
    cause:
      change.confirmed === 0
        ? null
        : `Cause of ${change.confirmed === 1 ? 'an incident' : `${change.confirmed} incidents`}`,
    at: change.at.toISOString(),
  };
}

export interface ServicesView {
  tabs: Tab[];
  windows: Tab[];
  line: string;
  rows: {
    id: string;
    service: string;
    href: string;
    changes: number;
    failed: number;
    confirmed: number;
    /** '12 %' of its changes failed or were rolled back. */
    failedPart: string;
    /** Widths of the bar's parts, out of `barWidth`. */
    well: number;
    badly: number;
  }[];
}

const barWidth = 200;
export const mostServices = 100;

export function servicesView(query: ChangeQuery, services: ServiceChanges[]): ServicesView {
  const longest = Math.max(1, ...services.map(({ changes }) => changes));
  const total = services.reduce((sum, { changes }) => sum + changes, 0);
  const named = services.filter(({ service }) => service !== null).length;
  return {
    tabs: tabsOf(query, 'services'),
    windows: windowsOf(query, '/changes/services'),
    line: `${count(total, 'change')} of ${named === mostServices ? 'the 100 most changed services' : count(named, 'service')} in the last ${query.window}; code that was only pushed is not counted`,
    rows: services.map(({ service, changes, failed, confirmed }, index) => {
      const badly = (failed / longest) * barWidth;
      return {
        id: String(index),
        service: service === null ? 'No service named' : visible(service),
        href: service === null ? changesUrl(query) : changesUrl(query, { service }),
        changes,
        failed,
        confirmed,
        failedPart: `${Math.round((failed / changes) * 100)} %`,
        well: round((changes / longest) * barWidth - badly),
        badly: round(badly),
      };
    }),
  };
}

const round = (width: number): number => Math.round(width * 10) / 10;

function tabsOf(query: ChangeQuery, current: 'all' | 'risky' | 'services'): Tab[] {
  return [
    { label: 'All', href: changesUrl(query, { risky: false }), current: current === 'all' },
    { label: 'Risky', href: changesUrl(query, { risky: true }), current: current === 'risky' },
    {
      label: 'By service',
      href: changesUrl({ ...emptyQuery, window: query.window }, {}, '/changes/services'),
      current: current === 'services',
    },
  ];
}

const emptyQuery: ChangeQuery = {
  window: '7d',
  risky: false,
  service: '',
  environment: '',
  type: null,
  cursor: null,
};

function windowsOf(query: ChangeQuery, path?: string): Tab[] {
  return (Object.keys(windows) as WindowName[]).map((window) => ({
    label: window,
    href: changesUrl(query, { window }, path),
    current: window === query.window,
  }));
}

/** What is chosen stays to choose, also where no new change has it. */
function choices(any: string, names: string[], chosen: string): Choice[] {
  const all = chosen !== '' && !names.includes(chosen) ? [...names, chosen] : names;
  return [
    { value: '', label: any, selected: chosen === '' },
    ...all.map((value) => ({ value, label: visible(value), selected: value === chosen })),
  ];
}

const count = (n: number, noun: string): string =>
  `${n.toLocaleString('en-GB')} ${noun}${n === 1 ? '' : 's'}`;

function lineOf(query: ChangeQuery, shown: number, counted: number): string {
  const noun = query.risky ? 'risky change' : 'change';
  const all = counted >= mostCounted ? `more than ${count(mostCounted - 1, noun)}` : count(counted, noun);
  const meaning = query.risky ? ' that failed, were rolled back or were behind an incident' : '';
  return `${shown === counted || shown === 0 ? '' : `${shown} of `}${all} in the last ${query.window}${meaning}`;
}

function emptyOf(query: ChangeQuery, filtered: boolean, everAny: boolean): ChangeListView['empty'] {
  if (!everAny) {
    return {
      title: 'No change is known yet',
      text: 'Most outages follow a change. Let GitHub, Jenkins, Argo CD or your own pipeline tell of deployments, and incidents name the one that came right before.',
      teach: true,
    };
  }
  if (filtered) {
    return { title: 'No change is like this', text: 'Widen the window, or clear the filters.', teach: false };
  }
  return query.risky
    ? {
        title: 'Nothing risky',
        text: `No change of the last ${query.window} failed, was rolled back or was behind an incident.`,
        teach: false,
      }
    : { title: `Nothing changed in the last ${query.window}`, text: 'Choose a longer window.', teach: false };
}
