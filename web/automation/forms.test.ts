import { describe, expect, it } from 'vitest';
import {
  emptyRules,
  postedRules,
  type RulesValues,
  readRules,
  rulesFormView,
  rulesValues,
} from './rules-form.ts';
import { postedWindow, readWindow, windowFormView, windowValues } from './window-form.ts';

describe('the form of safety rules', () => {
  const values: RulesValues = {
    ...emptyRules('target', 'db-*'),
    maxPerHour: '5',
    cooldown: '10m',
    days: 'mon-fri, Sun',
    from: '09:00',
    to: '17:00',
    timeZone: 'Europe/Berlin',
    denyCommands: 'rm -rf *\r\n\r\nawk {print $1, $2}\r\n',
    denyStepTypes: 'ssh, sql',
    allowHosts: 'a.example.com b.example.com',
  };
  const rules = {
    maxPerHour: 5,
    cooldown: '10m',
    hours: { days: [1, 2, 3, 4, 5, 7], from: '09:00', to: '17:00', timeZone: 'Europe/Berlin' },
    deny: { commands: ['rm -rf *', 'awk {print $1, $2}'], stepTypes: ['ssh', 'sql'] },
    allow: { hosts: ['a.example.com', 'b.example.com'] },
  };

  it('reads what it holds, and gives back what it read', () => {
    const read = readRules(postedRules(values));
    expect(read).toEqual({ scope: 'target', name: 'db-*', rules });
    if (!('rules' in read)) throw new Error('not read');
    expect(readRules(rulesValues(read))).toEqual(read);
  });

  it('leaves out what is empty, and needs no name for the organization', () => {
    expect(readRules(emptyRules('organization', 'x'))).toEqual({
      scope: 'organization',
      name: '',
      rules: {},
    });
    expect(readRules(emptyRules('team', ''))).toMatchObject({ problems: { name: 'Say which.' } });
  });

  it('names the field that is wrong and keeps what was typed', () => {
    const wrong = {
      ...values,
      maxPerHour: 'many',
      cooldown: 'soon',
      days: 'someday',
      to: '5pm',
      timeZone: 'Berlin',
      denyStepTypes: 'shh',
    };
    const read = readRules(wrong);
    if (!('problems' in read)) throw new Error('taken');
    expect(Object.keys(read.problems).sort()).toEqual([
      'cooldown',
      'days',
      'denyStepTypes',
      'maxPerHour',
      'timeZone',
      'to',
    ]);
    const view = rulesFormView(wrong, read.problems, { existing: true, stored: true });
    expect(view.hours[0]).toMatchObject({
      value: 'someday',
      problem: 'Write days such as Mon–Fri or Sat, Sun.',
    });
    expect(view.which).toBeNull();
  });
});

describe('the form of a maintenance window', () => {
  const now = Date.parse('2026-06-01T10:00:00Z');
  const body = { target: 'db-*', team: '', startsAt: '', endsAt: '2026-06-01T12:30', reason: 'disk swap' };

  it('begins now where no start is given', () => {
    expect(readWindow(postedWindow(body), now)).toEqual({
      window: {
        target: 'db-*',
        team: null,
        startsAt: '2026-06-01T10:00:00.000Z',
        endsAt: '2026-06-01T12:30:00.000Z',
        reason: 'disk swap',
      },
    });
  });

  it('takes its times by the clock of its zone, and shows them so', () => {
    const typed = { ...body, startsAt: '2026-06-01T13:00', endsAt: '2026-06-01T14:30' };
    const read = readWindow(postedWindow({ ...typed, timeZone: 'Europe/Berlin' }), now);
    if (!('window' in read)) throw new Error('refused');
    expect(read.window).toMatchObject({
      startsAt: '2026-06-01T11:00:00.000Z',
      endsAt: '2026-06-01T12:30:00.000Z',
    });
    const { window } = read;
    const stored = {
      ...window,
      id: 'w',
      team: null,
      startsAt: new Date(window.startsAt),
      endsAt: new Date(window.endsAt),
    } as Parameters<typeof windowValues>[0];
    expect(windowValues(stored, 'Asia/Kolkata')).toMatchObject({
      startsAt: '2026-06-01T16:30',
      endsAt: '2026-06-01T18:00',
      timeZone: 'Asia/Kolkata',
    });
    expect(readWindow(postedWindow({ ...typed, timeZone: 'Europe/Lisbn' }), now)).toEqual({
      problems: { timeZone: 'Write a time zone such as Europe/Berlin or UTC.' },
    });
  });

  it('leaves a time as it was that nobody changed, also in the hour that comes twice', () => {
    const stored = {
      ...({ id: 'w', team: null, target: 'db-*', reason: 'disk swap' } as Parameters<typeof windowValues>[0]),
      startsAt: new Date('2026-10-25T00:15:20Z'),
      endsAt: new Date('2026-10-25T01:30:00Z'),
    };
    const shown = windowValues(stored, 'Europe/Berlin');
    expect(shown).toMatchObject({ startsAt: '2026-10-25T02:15', endsAt: '2026-10-25T02:30' });
    const saved = (given: object) => readWindow({ ...shown, ...given }, now, stored);
    expect(saved({ reason: 'two disks' })).toMatchObject({
      window: {
        startsAt: '2026-10-25T00:15:20.000Z',
        endsAt: '2026-10-25T01:30:00.000Z',
        reason: 'two disks',
      },
    });
    // what is typed is the first of the two hours
    expect(saved({ endsAt: '2026-10-25T02:40' })).toMatchObject({
      window: { startsAt: '2026-10-25T00:15:20.000Z', endsAt: '2026-10-25T00:40:00.000Z' },
    });
  });

  it('comes back every week by the clock of its own zone, and is shown so', () => {
    const weekly = { days: ['sat', 'sun'], from: '22:00', to: '06:00', timeZone: 'Europe/Berlin' };
    const typed = { ...body, ...weekly, startsAt: '2026-06-01T13:00', endsAt: '2026-08-01T14:30' };
    const read = readWindow(postedWindow(typed), now);
    if (!('window' in read)) throw new Error('refused');
    expect(read.window).toMatchObject({ weekly, startsAt: '2026-06-01T11:00:00.000Z' });
    const stored = {
      ...read.window,
      id: 'w',
      team: null,
      startsAt: new Date(read.window.startsAt),
      endsAt: new Date(read.window.endsAt),
    } as Parameters<typeof windowValues>[0];
    expect(windowValues(stored, 'Asia/Kolkata')).toMatchObject({
      days: ['sat', 'sun'],
      from: '22:00',
      startsAt: '2026-06-01T13:00',
      timeZone: 'Europe/Berlin',
    });
    const problems = (given: object) => readWindow(postedWindow({ ...typed, ...given }), now);
    expect(problems({ days: [] })).toEqual({ problems: { days: 'Name at least one day.' } });
    expect(problems({ to: '' })).toEqual({ problems: { to: expect.any(String) } });
    expect(problems({ endsAt: '2026-09-30T10:00' })).toEqual({
      problems: { endsAt: expect.stringMatching(/at most 90 days/) },
    });
  });

  it('has an end, which lies ahead and after its start', () => {
    const problem = (given: object) => {
      const read = readWindow(postedWindow({ ...body, ...given }), now);
      return 'problems' in read ? read.problems : null;
    };
    expect(problem({ endsAt: '' })).toMatchObject({ endsAt: expect.stringMatching(/^Write when it ends/) });
    expect(problem({ endsAt: '2026-06-01T09:00' })).toMatchObject({ endsAt: expect.stringMatching(/past/) });
    expect(problem({ startsAt: '2026-06-01T13:00' })).toEqual({
      endsAt: 'The end must lie after the start.',
    });
    expect(problem({ target: '', reason: '' })).toMatchObject({
      target: expect.any(String),
      reason: 'Say what is being done.',
    });
    expect(problem({ endsAt: 'tomorrow' })).toMatchObject({ endsAt: expect.any(String) });
  });

  it('asks whose runs only where there are teams', () => {
    const view = (teams: { id: string; slug: string; name: string }[]) =>
      windowFormView(postedWindow(body), {}, { id: null, teams, everybody: true });
    expect(view([]).team).toBeNull();
    expect(view([{ id: '1', slug: 'red', name: 'Red' }]).team?.options).toHaveLength(2);
  });
});
