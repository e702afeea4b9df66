import type { IncidentCounts, IncidentFilter, IncidentSummary } from '../../db/incidents.ts';
import { type Deadline, type IncidentStatus, incidentStatuses } from '../../domain/incident-status.ts';
import { type Severity, severities } from '../../domain/severity.ts';
import { incidentMarks, type Mark, severityMarks } from '../layout/words.ts';

/** The windows that the cards and the list look back, in milliseconds. */
export const windows = {
  '5m': 300_000,
  '15m': 900_000,
  '30m': 1_800_000,
  '1h': 3_600_000,
  '24h': 86_400_000,
  '7d': 604_800_000,
} as const;
export type WindowName = keyof typeof windows;

/** What the address of the list asks for; what it does not say has the value that is left out of links. */
export interface ListQuery {
  window: WindowName;
  status: 'active' | 'all' | IncidentStatus;
  severity: Severity | null;
  service: string | null;
  q: string;
  cursor: string | null;
}

/** Reads the address; a value that is none counts as not given, so that an old link still shows something. */
export function parseListQuery(query: Record<string, unknown>): ListQuery {
  const given = (name: string): string => {
    const value = query[name];
    return typeof value === 'string' ? value.trim() : '';
  };
  const q = given('q').slice(0, 200);
  const status = given('status');
  return {
    window: given('window') in windows ? (given('window') as WindowName) : '24h',
    status:
      status === 'active' || status === 'all'
        ? status
        : (incidentStatuses.find((known) => known === status) ?? (q ? 'all' : 'active')),
    severity: severities.find((known) => known === given('severity')) ?? null,
    service: given('service') || null,
    q,
    cursor: given('cursor') || null,
  };
}

/** Open incidents show whenever they began, and so does what is searched for; else the window counts. */
export function filterOf(query: ListQuery, now: number): IncidentFilter {
  return {
    ...(query.status === 'active' ? { active: true } : {}),
    ...(query.status !== 'active' && query.status !== 'all' ? { status: [query.status] } : {}),
    ...(query.severity ? { severity: [query.severity] } : {}),
    ...(query.service ? { service: query.service } : {}),
    ...(query.q ? { q: query.q } : {}),
    ...(query.status === 'active' || query.q ? {} : { since: new Date(now - windows[query.window]) }),
  };
}

/** '/incidents?…' with `changes`, leaving out what is the default. A change begins the list again. */
export function listUrl(query: ListQuery, changes: Partial<ListQuery> = {}): string {
  const wanted = { ...query, cursor: null, ...changes };
  const parameters = new URLSearchParams();
  if (wanted.q) parameters.set('q', wanted.q);
  if (wanted.window !== '24h') parameters.set('window', wanted.window);
  if (wanted.status !== (wanted.q ? 'all' : 'active')) parameters.set('status', wanted.status);
  if (wanted.severity) parameters.set('severity', wanted.severity);
  if (wanted.service) parameters.set('service', wanted.service);
  if (wanted.cursor) parameters.set('cursor', wanted.cursor);
  const text = parameters.toString();
  return text ? `/incidents?${text}` : '/incidents';
}

export interface Choice {
  value: string;
  label: string;
  selected: boolean;
}

/** Names of people by the mail address that they act under. */
export type PersonNames = ReadonlyMap<string, string>;

export interface IncidentRow {
  number: number;
  href: string;
  title: string;
  service: string | null;
  severity: Mark;
  state: Mark;
  /** Before a name in `state`: '' or 'Acknowledged by'. */
  stateMeans: string;
  /** The next thing that happens by itself; `what` in full. */
  next: { at: string; short: string; what: string } | null;
  /** 'probably db-primary (85 %)'; null while nothing points anywhere, or where it is over. */
  cause: string | null;
  alerts: number;
  openedAt: string;
  /** Resolved or a false positive: it steps back. */
  over: boolean;
}

export interface ListView {
  cards: { label: string; value: string; sub: string }[];
  windows: { label: WindowName; href: string; current: boolean }[];
  window: WindowName;
  q: string;
  severities: Choice[];
  statuses: Choice[];
  services: Choice[];
  /** How many of how many. */
  line: string;
  filtered: boolean;
  clearHref: string;
  rows: IncidentRow[];
  nextHref: string | null;
  firstHref: string | null;
  empty: { title: string; text: string; command: string | null } | null;
}

export interface ListInput {
  query: ListQuery;
  counts: IncidentCounts;
  services: string[];
  items: IncidentSummary[];
  nextCursor: string | null;
  /** Matches of the filter, counted up to `countLimit`. */
  matching: number;
  countLimit: number;
  /** Incidents ever, to tell a new installation from a quiet one. */
  everAny: boolean;
  names: PersonNames;
  publicUrl: string;
}

export function listView(input: ListInput): ListView {
  const { query, items } = input;
  const filtered =
    query.severity !== null || query.service !== null || query.q !== '' || !isPlain(query.status);
  return {
    cards: cardsOf(input.counts, query.window),
    windows: (Object.keys(windows) as WindowName[]).map((label) => ({
      label,
      href: listUrl(query, { window: label }),
      current: label === query.window,
    })),
    window: query.window,
    q: query.q,
    severities: [
      { value: '', label: 'Any severity', selected: query.severity === null },
      ...severities.map((value) => ({
        value,
        label: severityMarks[value].word,
        selected: value === query.severity,
      })),
    ],
    statuses: [
      { value: 'active', label: 'Active', selected: query.status === 'active' },
      { value: 'all', label: 'All', selected: query.status === 'all' },
      ...incidentStatuses.map((value) => ({
        value,
        label: incidentMarks[value].word,
        selected: value === query.status,
      })),
    ],
    services: servicesOf(input.services, query.service),
    line: lineOf(input),
    filtered,
    clearHref: listUrl({ ...query, severity: null, service: null, q: '', status: 'active' }),
    rows: items.map((incident) => rowOf(incident, input.names)),
    nextHref: input.nextCursor ? listUrl(query, { cursor: input.nextCursor }) : null,
    firstHref: query.cursor ? listUrl(query) : null,
    empty: items.length > 0 ? null : emptyOf(input, filtered),
  };
}

const isPlain = (status: ListQuery['status']): boolean => status === 'active' || status === 'all';

function cardsOf(counts: IncidentCounts, window: WindowName): ListView['cards'] {
  const number = (n: number) => n.toLocaleString('en-GB');
  return [
    { label: 'Incidents', value: number(counts.total), sub: `opened in the last ${window}` },
    {
      label: 'Active now',
      value: number(counts.active),
      sub: counts.active === 0 ? 'all quiet' : `${number(counts.unacknowledged)} unacknowledged`,
    },
    {
      label: 'Noise reduction',
      value: counts.noiseReduction === null ? '–' : `${Math.round(counts.noiseReduction * 100)} %`,
      sub: `${number(counts.alerts)} ${counts.alerts === 1 ? 'alert' : 'alerts'} into ${number(counts.total)} ${counts.total === 1 ? 'incident' : 'incidents'}`,
    },
    { label: 'Notifications', value: number(counts.notifications), sub: `sent in the last ${window}` },
  ];
}

function servicesOf(services: string[], chosen: string | null): Choice[] {
  const all = chosen !== null && !services.includes(chosen) ? [...services, chosen] : services;
  return [
    { value: '', label: 'Any service', selected: chosen === null },
    ...all.map((value) => ({ value, label: value, selected: value === chosen })),
  ];
}

function lineOf({ query, matching, countLimit, items }: ListInput): string {
  const many = matching > countLimit;
  const count = many ? `more than ${countLimit.toLocaleString('en-GB')}` : matching.toLocaleString('en-GB');
  const noun = `${query.status === 'active' ? 'active ' : ''}${matching === 1 ? 'incident' : 'incidents'}`;
  const about = query.q
    ? `match “${query.q}”`
    : query.status === 'active'
      ? ''
      : `opened in the last ${query.window}`;
  const all = [count, noun, about].filter(Boolean).join(' ');
  return items.length < matching && items.length > 0 ? `${items.length} of ${all}` : all;
}

/** One line of the list. */
export function rowOf(incident: IncidentSummary, names: PersonNames): IncidentRow {
  const over = incident.resolvedAt !== null;
  const next = over ? undefined : soonest(incident.deadlines);
  return {
    number: incident.number,
    href: `/incidents/${incident.number}`,
    title: incident.title,
    service: incident.service,
    severity: severityMarks[incident.severity],
    ...whoHasIt(incident, names),
    next: next ? { at: next.at, short: deadlineWords[next.kind], what: next.what } : null,
    cause: over ? null : causeOf(incident),
    alerts: incident.alertCount,
    openedAt: incident.openedAt.toISOString(),
    over,
  };
}

function causeOf({ service, causeService, causeConfidence, causeBy }: IncidentSummary): string | null {
  if (causeService === null) return null;
  const named = causeService === service ? `${causeService} itself` : causeService;
  if (causeBy !== null) return named;
  const confidence = causeConfidence ?? 0;
  return `${confidence >= 0.5 ? 'probably' : 'perhaps'} ${named} (${Math.round(confidence * 100)} %)`;
}

const soonest = (deadlines: Deadline[]): Deadline | undefined =>
  deadlines.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at))[0];

const deadlineWords: Record<Deadline['kind'], string> = {
  escalation: 'pages the next level',
  acknowledge_sla: 'SLA to acknowledge ends',
  resolve_sla: 'SLA to resolve ends',
  approval: 'approval expires',
  snooze: 'snooze ends',
  silence: 'silence ends',
  reminder: 'reminds whoever acknowledged',
  unacknowledge: 'acknowledgement is taken back',
  runbook: 'runbook is proposed',
  close: 'closes',
};

/** A list says a name where it can: 'Ana', not 'Acknowledged'. */
function whoHasIt(incident: IncidentSummary, names: PersonNames): Pick<IncidentRow, 'state' | 'stateMeans'> {
  const state = stateMark(incident);
  if (state.word === 'Acknowledged' && incident.acknowledgedBy) {
    return {
      state: { ...state, word: names.get(incident.acknowledgedBy) ?? incident.acknowledgedBy },
      stateMeans: 'Acknowledged by',
    };
  }
  if (state.word === 'Unacknowledged') return { state: { ...state, word: 'Nobody yet' }, stateMeans: '' };
  return { state, stateMeans: '' };
}

/** Where an open incident stands with people comes before what is known of its cause. */
export function stateMark(
  incident: Pick<
    IncidentSummary,
    'status' | 'resolvedAt' | 'acknowledgedAt' | 'snoozedUntil' | 'silencedUntil' | 'mergedInto'
  >,
): Mark {
  if (incident.mergedInto !== null)
    return { word: `In #${incident.mergedInto}`, icon: 'link', tone: 'quiet' };
  if (incident.resolvedAt !== null || incident.status === 'mitigated') return incidentMarks[incident.status];
  if (incident.acknowledgedAt !== null) return { word: 'Acknowledged', icon: 'check', tone: 'busy' };
  if (incident.silencedUntil !== null) return { word: 'Silenced', icon: 'clock', tone: 'quiet' };
  if (incident.snoozedUntil !== null) return { word: 'Snoozed', icon: 'clock', tone: 'quiet' };
  return { word: 'Unacknowledged', icon: 'open', tone: 'bad' };
}

function emptyOf(input: ListInput, filtered: boolean): ListView['empty'] {
  if (!input.everAny) {
    return {
      title: 'No alert has arrived yet',
      text: 'Point Alertmanager’s webhook at Holdfast, or send a test incident with the button above. By hand it is:',
      command: `curl -X POST ${input.publicUrl}/api/v1/alerts/alertmanager \\
  -H "Authorization: Bearer $HOLDFAST_INGEST_KEY" -H "Content-Type: application/json" \\
  -d '{"version":"4","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"Hello","severity":"warning","service":"demo"},"annotations":{},"startsAt":"${'2026-01-01T00:00:00Z'}"}]}'`,
    };
  }
  if (filtered) {
    return {
      title: 'Nothing matches',
      text: 'No incident fits these filters. Widen the window, or clear the filters.',
      command: null,
    };
  }
  return input.query.status === 'active'
    ? {
        title: 'Nothing is wrong',
        text: 'No incident is open. A new one shows up here by itself.',
        command: null,
      }
    : {
        title: `Nothing in the last ${input.query.window}`,
        text: 'No incident was opened in this window. Choose a longer one.',
        command: null,
      };
}
