import { describe, expect, test } from 'vitest';
import {
  type ActiveSilence,
  nextBeginning,
  type SilenceableAlert,
  silence,
  silencedUntil,
} from './silence.ts';

const at = (text: string) => Date.parse(text);
const alert = (given: Partial<SilenceableAlert> = {}): SilenceableAlert => ({
  name: 'DiskFull',
  service: 'db-7',
  labels: {},
  team: null,
  ...given,
});
const silent = (given: Partial<ActiveSilence> = {}): ActiveSilence => ({
  match: { service: 'db-*' },
  from: at('2026-06-01T00:00:00Z'),
  to: at('2026-06-01T06:00:00Z'),
  weekly: null,
  team: null,
  reason: 'new disks',
  ...given,
});
const now = at('2026-06-01T02:00:00Z');
const until = (silences: ActiveSilence[], alerts: SilenceableAlert[], moment = now) => {
  const found = silencedUntil(silences, alerts, moment);
  return found && { ...found, until: new Date(found.until).toISOString() };
};

describe('a silence', () => {
  test('holds until its end, and not at it', () => {
    expect(until([silent()], [alert()])).toEqual({ until: '2026-06-01T06:00:00.000Z', names: ['new disks'] });
    expect(until([silent()], [alert()], at('2026-06-01T06:00:00Z'))).toBeNull();
    expect(until([silent()], [alert()], at('2026-05-31T23:59:59Z'))).toBeNull();
  });

  test('is lifted by one alert that nothing catches', () => {
    expect(until([silent()], [alert(), alert({ service: 'checkout' })])).toBeNull();
    expect(until([silent()], [])).toBeNull();
  });

  test.each([
    [{ match: { alert: 'Disk*', labels: { host: 'a' } } }, { labels: { host: 'a' } }, true],
    [{ match: { alert: 'Disk*', labels: { host: 'a' } } }, { labels: { host: 'b' } }, false],
    [{ match: { labels: { host: '*' } } }, {}, false],
    [{ match: { service: '*' } }, { service: null }, false],
    [{ team: 'shop' }, { team: 'shop' }, true],
    [{ team: 'shop' }, { team: null }, false],
  ])('catches what it names: %j %j', (given, found, caught) => {
    expect(silencedUntil([silent(given)], [alert(found)], now) !== null).toBe(caught);
  });

  test('holds for several alerts until the first of them is no longer caught', () => {
    const other = silent({
      match: { service: 'checkout' },
      to: at('2026-06-01T03:00:00Z'),
      reason: 'deploy',
    });
    expect(until([silent(), other], [alert(), alert({ service: 'checkout' })])).toEqual({
      until: '2026-06-01T03:00:00.000Z',
      names: ['new disks', 'deploy'],
    });
  });

  test('goes on in the next one that follows without a break', () => {
    const next = silent({ from: at('2026-06-01T06:00:00Z'), to: at('2026-06-01T09:00:00Z') });
    expect(until([silent(), next], [alert()])?.until).toBe('2026-06-01T09:00:00.000Z');
  });

  test('that comes back every week goes by the clock on the wall, over midnight and the change of clocks', () => {
    const nights = silent({
      from: at('2026-03-01T00:00:00Z'),
      to: at('2026-04-30T00:00:00Z'),
      weekly: { timeZone: 'Europe/Berlin', days: ['sat'], from: '22:00', to: '06:00' },
    });
    expect(until([nights], [alert()], at('2026-03-21T22:00:00Z'))?.until).toBe('2026-03-22T05:00:00.000Z');
    expect(until([nights], [alert()], at('2026-03-28T22:00:00Z'))?.until).toBe('2026-03-29T04:00:00.000Z');
    expect(until([nights], [alert()], at('2026-03-29T04:00:00Z'))).toBeNull();
    expect(nextBeginning(nights, at('2026-03-29T04:00:00Z'))).toBe(at('2026-04-04T20:00:00Z'));
    // one that holds begins next when it does anew
    expect(nextBeginning(nights, at('2026-03-28T22:00:00Z'))).toBe(at('2026-04-04T20:00:00Z'));
    expect(nextBeginning(nights, at('2026-04-26T04:00:00Z'))).toBeNull();
  });
});

test.each([
  [{ match: {} }, 'match', 'catches everything'],
  [{ endsAt: undefined }, 'endsAt', 'say when it ends'],
  [{ endsAt: '2026-09-01T00:00:00Z' }, 'endsAt', 'at most 90 days'],
  [{ endsAt: '2026-05-01T00:00:00Z' }, 'endsAt', 'after the start'],
  [{ reason: ' ' }, 'reason', 'say why'],
])('what cannot be a silence is refused with its field: %j', (given, field, message) => {
  const written = {
    match: { service: 'db-*' },
    startsAt: '2026-06-01T00:00:00Z',
    endsAt: '2026-06-02T00:00:00Z',
    reason: 'new disks',
    ...given,
  };
  expect(silence.safeParse(written).error?.issues[0]).toMatchObject({
    path: [field],
    message: expect.stringContaining(message),
  });
});
