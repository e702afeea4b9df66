import { describe, expect, it } from 'vitest';
import type { Directory } from '../../domain/escalation/resolve.ts';
import { escalationPolicy } from '../../domain/policies.ts';
import {
  editEscalation,
  escalationFormView,
  escalationValues,
  fieldOfPath,
  postedEscalation,
  readEscalation,
  withoutEmptyRows,
} from './escalation-form.ts';
import { targetChoices } from './escalation-targets.ts';
import { policySentence, reachProblems } from './escalation-words.ts';

const body = {
  name: 'night',
  severity: 'critical',
  service: '',
  alert: 'Pay*',
  team: 'payments',
  labels: 'cluster = eu-*\r\nquery=a=b',
  'after.0': '0s',
  'who.0.0': 'schedule:primary',
  'address.0.0': '',
  'after.1': '15m',
  'who.1.0': 'user:ben@example.com',
  'who.1.1': '',
  'who.1.2': 'channel:ops',
  'who.1.3': 'email',
  'address.1.3': 'lead@example.com',
  'after.2': '',
  'who.2.0': '',
  repeats: '2',
  repeatAfter: '30m',
  remindAfter: '1h',
  unacknowledgeAfter: '2h',
};
const definition = {
  levels: [
    { after: '0s', targets: [{ type: 'schedule', name: 'primary' }] },
    {
      after: '15m',
      targets: [
        { type: 'user', email: 'ben@example.com' },
        { type: 'channel', name: 'ops' },
        { type: 'email', address: 'lead@example.com' },
      ],
    },
  ],
  repeats: 2,
  repeatAfter: '30m',
  remindAfter: '1h',
  unacknowledgeAfter: '2h',
  match: {
    severity: 'critical',
    alert: 'Pay*',
    team: 'payments',
    labels: { cluster: 'eu-*', query: 'a=b' },
  },
};

const directory: Directory = {
  schedules: new Map([
    [
      'primary',
      {
        name: 'primary',
        definition: { timeZone: 'UTC', rotations: [] },
        overrides: [],
        calendarShifts: [],
      },
    ],
  ]),
  people: new Map([['ben@example.com', { name: 'Ben', contactRules: [] }]]),
  channels: new Set(['ops']),
};
const choices = targetChoices(directory, [{ slug: 'payments', name: 'Payments' }]);

describe('the form of an escalation policy', () => {
  it('reads levels, targets of every kind and what it is for, and leaves empty rows out', () => {
    expect(readEscalation(withoutEmptyRows(postedEscalation(body)))).toEqual({ definition });
  });

  it('gives back what it read, so that saving without a change changes nothing', () => {
    const values = escalationValues('night', escalationPolicy.parse(definition));
    expect(readEscalation(withoutEmptyRows(values))).toEqual({ definition });
  });

  it('takes no glob that would take long to match', () => {
    const read = readEscalation(withoutEmptyRows(postedEscalation({ ...body, alert: '*a'.repeat(300) })));
    expect(read).toEqual({ problems: { alert: 'write at most 500 characters' } });
  });

  it('adds and removes rows by buttons, and keeps the rest as it was typed', () => {
    const values = withoutEmptyRows(postedEscalation(body));
    const shape = (edit: string) =>
      editEscalation(values, edit).levels.map(({ targets }) => targets.map(({ who }) => who));
    const [first, second] = [['schedule:primary'], ['user:ben@example.com', 'channel:ops', 'email']];
    expect(shape('add-level')).toEqual([first, second, ['']]);
    expect(shape('remove-level.0')).toEqual([second]);
    expect(shape('add-target.0')).toEqual([['schedule:primary', ''], second]);
    expect(shape('remove-target.1.1')).toEqual([first, ['user:ben@example.com', 'email']]);
    expect(shape('nonsense')).toEqual([first, second]);
  });

  it('names the field that is wrong and keeps what was typed', () => {
    const values = postedEscalation({
      ...body,
      'after.1': 'soon',
      'who.1.3': 'email',
      'address.1.3': 'nobody',
      'after.2': '1h',
      labels: 'cluster',
      repeats: 'x',
      remindAfter: 'later',
    });
    const read = readEscalation(withoutEmptyRows(values));
    if (!('problems' in read)) throw new Error('taken');
    expect(Object.keys(read.problems).sort()).toEqual([
      'address.1.2',
      'after.1',
      'labels',
      'remindAfter',
      'repeats',
      'who.2.0',
    ]);
    const view = escalationFormView(withoutEmptyRows(values), read.problems, false, choices);
    expect(view.levels[1]?.after).toMatchObject({ value: 'soon', problem: expect.stringContaining('15m') });
    expect(view.levels[1]?.targets[2]?.address).toMatchObject({
      value: 'nobody',
      problem: expect.stringContaining('mail address'),
    });
  });

  it('says of each choice whether it is a schedule, a person or a channel', () => {
    expect(choices.groupsFor('').flatMap(({ options }) => options.map(({ label }) => label))).toEqual([
      'On call by primary',
      'Ben (ben@example.com)',
      'Channel ops',
      'The address beside',
    ]);
  });

  it('keeps a target chosen that is gone, and says so', () => {
    const values = postedEscalation({ ...body, 'who.0.0': 'user:gone@example.com' });
    const [row] = escalationFormView(values, {}, true, choices).levels[0]?.targets ?? [];
    const chosen = row?.groups.flatMap(({ label, options }) =>
      options.filter(({ selected }) => selected).map(({ value }) => [label, value]),
    );
    expect(chosen).toEqual([['Not there any more', 'user:gone@example.com']]);
  });

  it('puts a reference to nothing beside the target that makes it', () => {
    expect(fieldOfPath(['levels', '1', 'targets', '2', 'name'])).toBe('who.1.2');
    expect(fieldOfPath(['levels', '0', 'after'])).toBe('after.0');
    expect(fieldOfPath(['match', 'severity'])).toBe('severity');
  });
});

describe('what is said of an escalation policy', () => {
  it('says in a sentence who is told when, and what happens when it goes quiet', () => {
    expect(policySentence(escalationPolicy.parse(definition))).toBe(
      'At once whoever is on call by primary; after 15 min ben@example.com, the channel ops and lead@example.com; ' +
        'then again twice, 30 min after the last level; until somebody acknowledges. When nothing happens for 1 h ' +
        'after that, whoever acknowledged is reminded. When nothing happens for 2 h, the acknowledgement is taken ' +
        'back and it begins anew.',
    );
  });

  it('says which levels reach nobody, and when none does', () => {
    const policy = escalationPolicy.parse(definition);
    expect(reachProblems(directory, policy, 0)).toEqual([
      "Level 1 reaches nobody now, so the next one begins at once: nobody is on call by 'primary'.",
    ]);
    const first = { ...policy, levels: policy.levels.slice(0, 1) };
    expect(reachProblems(directory, first, 0)).toEqual([
      "Reaches nobody now: nobody is on call by 'primary'.",
    ]);
    expect(reachProblems(directory, { ...policy, levels: policy.levels.slice(1) }, 0)).toEqual([]);
  });
});
