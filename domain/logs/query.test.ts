import { describe, expect, test } from 'vitest';
import { alertTime, describeSelectors, instanceHosts, logQuery, queryBefore } from './query.ts';

const at = Date.UTC(2026, 10, 21, 2, 14);
const minutes = (n: number): number => n * 60_000;
const alert = (labels: Record<string, string>, startsAt = at, receivedAt = at + 5000) => ({
  labels,
  startsAt,
  receivedAt,
});

describe('logQuery', () => {
  test('looks five minutes before and after the alert, at what its labels name', () => {
    const labels = {
      service: 'checkout',
      namespace: 'shop',
      pod: 'checkout-7c',
      instance: '10.0.0.7:9100',
      severity: 'page',
    };
    expect(logQuery([alert(labels)], { limit: 10 })).toEqual({
      from: at - minutes(5),
      to: at + minutes(5),
      anyOf: [
        { field: 'service', values: ['checkout'] },
        { field: 'pod', values: ['checkout-7c'] },
        { field: 'instance', values: ['10.0.0.7:9100'] },
      ],
      within: [{ field: 'namespace', values: ['shop'] }],
      limit: 10,
    });
  });

  test('searches a namespace as a whole only when nothing in it is named', () => {
    const query = logQuery([alert({ namespace: 'shop' })], { limit: 10 });
    expect(query.anyOf).toEqual([{ field: 'namespace', values: ['shop'] }]);
    expect(query.within).toEqual([]);
    expect(logQuery([alert({ severity: 'page' })], { limit: 10 }).anyOf).toEqual([]);
  });

  test('joins the alerts of an incident, over an hour at most', () => {
    const query = logQuery(
      [
        alert({ service: 'a' }),
        alert({ service: 'b' }, at + minutes(10), at + minutes(10)),
        alert({ app: 'a' }),
      ],
      { limit: 10 },
    );
    expect(query.anyOf).toEqual([{ field: 'service', values: ['a', 'b'] }]);
    expect([query.from, query.to]).toEqual([at - minutes(5), at + minutes(15)]);
    const long = logQuery([alert({}), alert({}, at + minutes(300), at + minutes(300))], { limit: 10 });
    expect(long.to - long.from).toBe(minutes(60));
    expect(long.to).toBe(at + minutes(305));
  });

  test('follows a mapping of its own', () => {
    const mapping = { service: ['team_app'], host: [], namespace: [], pod: [], instance: [] };
    const query = logQuery([alert({ team_app: 'x', service: 'y', host: 'h' })], { limit: 10, mapping });
    expect(query.anyOf).toEqual([{ field: 'service', values: ['x'] }]);
  });

  test('takes labels as they are, but leaves out what cannot be a name', () => {
    const odd = `"} | json '; drop table logs`;
    expect(logQuery([alert({ service: odd })], { limit: 1 }).anyOf[0]?.values).toEqual([odd]);
    expect(logQuery([alert({ service: ' ', host: 'x'.repeat(501) })], { limit: 1 }).anyOf).toEqual([]);
  });

  test('refuses to be made from nothing', () => {
    expect(() => logQuery([], { limit: 1 })).toThrow(RangeError);
  });
});

test('an old or future start gives way to the receipt', () => {
  expect(alertTime({ startsAt: at, receivedAt: at + minutes(30) })).toBe(at);
  expect(alertTime({ startsAt: at, receivedAt: at + minutes(600) })).toBe(at + minutes(600));
  expect(alertTime({ startsAt: at + minutes(30), receivedAt: at })).toBe(at);
  expect(alertTime({ startsAt: at + 20_000, receivedAt: at })).toBe(at);
});

test('the comparison covers the hour before', () => {
  const query = logQuery([alert({ service: 'a' })], { limit: 10 });
  expect(queryBefore(query)).toMatchObject({
    from: query.from - minutes(60),
    to: query.from,
    anyOf: query.anyOf,
  });
});

test('an instance is a host with or without its port', () => {
  expect(instanceHosts('10.0.0.7:9100')).toEqual(['10.0.0.7:9100', '10.0.0.7']);
  expect(instanceHosts('[::1]:9100')).toEqual(['[::1]:9100', '::1']);
  expect(instanceHosts('db-1')).toEqual(['db-1']);
  expect(describeSelectors([{ field: 'pod', values: ['a', 'b'] }])).toBe('pod a or b');
});
