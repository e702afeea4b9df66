import { describe, expect, it } from 'vitest';
import type { IncidentSummary } from '../../db/incidents.ts';
import { filterOf, type ListInput, listUrl, listView, parseListQuery, rowOf } from './list-view.ts';

const now = Date.parse('2026-11-21T02:20:00Z');

const incident: IncidentSummary = {
  id: 'i',
  number: 42,
  teamId: null,
  title: 'db-primary refuses connections',
  status: 'investigating',
  severity: 'critical',
  service: 'checkout',
  openedAt: new Date(now - 60_000),
  lastAlertAt: new Date(now),
  acknowledgedAt: null,
  acknowledgedBy: null,
  assignedTo: null,
  snoozedUntil: null,
  silencedUntil: null,
  resolvedAt: null,
  resolvedBy: null,
  alertCount: 14,
  firingCount: 14,
  truncatedCount: 0,
  opening: 1,
  deadlines: [{ kind: 'escalation', at: '2026-11-21T02:29:00.000Z', what: 'pages Ben (level 2)' }],
  recordedSeq: 3,
  mergedInto: null,
  causeService: null,
  causeConfidence: null,
  causeBy: null,
};

const input: ListInput = {
  query: parseListQuery({}),
  counts: { total: 3, active: 2, unacknowledged: 1, alerts: 30, notifications: 4, noiseReduction: 0.9 },
  services: ['checkout'],
  items: [incident],
  nextCursor: null,
  matching: 1,
  countLimit: 10_000,
  everAny: true,
  names: new Map([['ana@example.com', 'Ana']]),
  publicUrl: 'http://localhost:8080',
};

describe('the address of the list', () => {
  it('shows what is active by default, whenever it began', () => {
    expect(filterOf(parseListQuery({}), now)).toEqual({ active: true });
  });

  it('looks for words among all incidents, whenever they were', () => {
    expect(filterOf(parseListQuery({ q: ' #42 ' }), now)).toEqual({ q: '#42' });
  });

  it('takes the window when all are asked for', () => {
    const filter = filterOf(
      parseListQuery({ status: 'all', window: '1h', severity: 'high', service: 'pay' }),
      now,
    );
    expect(filter).toEqual({ severity: ['high'], service: 'pay', since: new Date(now - 3_600_000) });
  });

  it('ignores values that are none', () => {
    const query = parseListQuery({ status: 'x', window: '2y', severity: ['high'], cursor: { a: 1 } });
    expect(query).toMatchObject({ status: 'active', window: '24h', severity: null, cursor: null });
  });

  it('leaves defaults out of links, and begins a changed list again', () => {
    const query = parseListQuery({ cursor: 'abc', service: 'checkout' });
    expect(listUrl(query, { window: '7d' })).toBe('/incidents?window=7d&service=checkout');
    expect(listUrl(parseListQuery({}))).toBe('/incidents');
    expect(
      parseListQuery(
        Object.fromEntries(
          new URL(`http://x${listUrl(parseListQuery({ q: 'a', status: 'active' }))}`).searchParams,
        ),
      ),
    ).toMatchObject({ q: 'a', status: 'active' });
  });
});

describe('the list', () => {
  it('says how many of how many', () => {
    expect(listView({ ...input, matching: 212 }).line).toBe('1 of 212 active incidents');
    expect(listView(input).line).toBe('1 active incident');
    expect(listView({ ...input, query: parseListQuery({ q: 'db' }) }).line).toBe('1 incident match “db”');
    expect(listView({ ...input, matching: 10_001 }).line).toBe('1 of more than 10,000 active incidents');
  });

  it('says who has an incident, by name', () => {
    expect(rowOf(incident, input.names)).toMatchObject({
      state: { word: 'Nobody yet' },
      next: { short: 'pages the next level' },
    });
    const acknowledged = { ...incident, acknowledgedAt: new Date(now), acknowledgedBy: 'ana@example.com' };
    expect(rowOf(acknowledged, input.names)).toMatchObject({
      state: { word: 'Ana' },
      stateMeans: 'Acknowledged by',
    });
  });

  it('shows what comes first as next, be it a page or the end of an SLA clock', () => {
    const acknowledge = {
      kind: 'acknowledge_sla' as const,
      at: '2026-11-21T02:25:00.000Z',
      what: 'SLA Standard: time to acknowledge is over',
    };
    const both = { ...incident, deadlines: [...incident.deadlines, acknowledge] };
    expect(rowOf(both, input.names).next).toEqual({
      at: acknowledge.at,
      short: 'SLA to acknowledge ends',
      what: acknowledge.what,
    });
  });

  it('shows no deadline for what is over', () => {
    const over = { ...incident, status: 'resolved' as const, resolvedAt: new Date(now) };
    expect(rowOf(over, input.names)).toMatchObject({ over: true, next: null, state: { word: 'Resolved' } });
  });

  it('names the probable cause of what is open, and where a merged one went', () => {
    const known = { ...incident, causeService: 'db-primary', causeConfidence: 0.846 };
    expect(rowOf(known, input.names).cause).toBe('probably db-primary (85 %)');
    expect(rowOf({ ...known, causeConfidence: 0.2 }, input.names).cause).toBe('perhaps db-primary (20 %)');
    expect(rowOf({ ...known, causeBy: 'ana@example.com' }, input.names).cause).toBe('db-primary');
    const merged = { ...known, status: 'resolved' as const, resolvedAt: new Date(now), mergedInto: 41 };
    expect(rowOf(merged, input.names)).toMatchObject({ cause: null, state: { word: 'In #41' } });
  });

  it('teaches when it is empty: a new installation, a quiet night, a filter too narrow', () => {
    const empty = { ...input, items: [], matching: 0 };
    expect(listView({ ...empty, everAny: false }).empty?.command).toContain(
      'http://localhost:8080/api/v1/alerts/alertmanager',
    );
    expect(listView(empty).empty?.title).toBe('Nothing is wrong');
    expect(listView({ ...empty, query: parseListQuery({ severity: 'low' }) }).empty?.title).toBe(
      'Nothing matches',
    );
  });

  it('keeps a service that is filtered by among the choices', () => {
    const view = listView({ ...input, query: parseListQuery({ service: 'gone' }) });
    expect(view.services.find((choice) => choice.selected)?.value).toBe('gone');
  });

  it('has no noise reduction without an alert', () => {
    const counts = { ...input.counts, alerts: 0, noiseReduction: null };
    expect(listView({ ...input, counts }).cards[2]?.value).toBe('–');
    expect(listView(input).cards[2]?.value).toBe('90 %');
  });
});
