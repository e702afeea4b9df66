import { expect, test } from 'vitest';
import { overrideFormView, postedOverride, readOverride } from './override-form.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const body = {
  person: 'ana@example.com',
  insteadOf: '',
  startsAt: '2026-11-22T09:00',
  endsAt: '2026-11-22T18:00',
  zone: 'Europe/Berlin',
  reason: 'Dentist',
};

test('times of an override are local in the zone that the form names', () => {
  expect(readOverride(postedOverride(body), now)).toEqual({
    override: {
      person: 'ana@example.com',
      insteadOf: null,
      startsAt: new Date('2026-11-22T08:00:00Z'),
      endsAt: new Date('2026-11-22T17:00:00Z'),
      reason: 'Dentist',
    },
  });
});

test.each([
  [{ endsAt: '2026-11-22T08:00' }, 'endsAt'],
  [{ startsAt: '2026-11-20T09:00', endsAt: '2026-11-20T18:00' }, 'endsAt'],
  [{ endsAt: '2028-11-22T08:00' }, 'endsAt'],
  [{ startsAt: 'noon' }, 'startsAt'],
  [{ insteadOf: 'ana@example.com' }, 'insteadOf'],
  [{ person: '' }, 'person'],
  [{ zone: 'Nowhere' }, 'startsAt'],
])('%o is refused at its field', (wrong, name) => {
  const read = readOverride(postedOverride({ ...body, ...wrong }), now);
  if (!('problems' in read)) throw new Error('read');
  expect(Object.keys(read.problems)).toContain(name);
});

test('people are named, and by their address only where that tells them apart', () => {
  const people = [
    { name: 'Ana Example', email: 'ana@example.com', disabledAt: null },
    { name: 'Ben', email: 'ben@example.com', disabledAt: null },
    { name: 'Ben', email: 'ben@other.example', disabledAt: new Date(now) },
    { name: '', email: 'ops@example.com', disabledAt: null },
  ];
  const participants = ['ana@example.com', 'ben@other.example', 'gone@example.com'];
  const given = { schedule: 'payments', page: '/on-call/payments', publicUrl: '', people, participants };
  const { person, insteadOf } = overrideFormView(postedOverride(body), {}, given);
  expect(person.options?.map(({ label }) => label)).toEqual([
    'Ana Example',
    'Ben (ben@example.com)',
    'ops@example.com',
  ]);
  expect(insteadOf.options?.map(({ label }) => label)).toEqual([
    'Everybody who is on call then',
    'Ana Example',
    'Ben (ben@other.example)',
    'gone@example.com',
  ]);
});
