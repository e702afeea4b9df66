import { describe, expect, it } from 'vitest';
import {
  newRotation,
  postedSchedule,
  readSchedule,
  scheduleFormView,
  scheduleValues,
  withRotations,
} from './schedule-form.ts';

const body = {
  name: 'payments',
  timeZone: 'Europe/Berlin',
  team: '',
  rotations: '2',
  'name.0': 'primary',
  'participants.0': 'Ana@example.com\nben@example.com, cleo@example.com\n',
  'every.0': '1',
  'unit.0': 'week',
  'startsAt.0': '2026-11-23T09:00',
  'endsAt.0': '',
  'hours.0': 'mon-fri 09:00-17:00\nsat,sun 20:00-06:00',
  'timeZone.0': '',
  'priority.0': '5',
  'calendar.0': '',
  'name.1': 'learning',
  'participants.1': 'dan@example.com',
  'every.1': '2',
  'unit.1': 'day',
  'startsAt.1': '2026-11-23T09:00',
  'priority.1': '0',
  'shadow.1': 'yes',
};
const given = { existing: true, teams: [], organization: true, people: [] };

describe('the form of a schedule', () => {
  it('reads rotations with turns, hours and shadows, and gives back what it read', () => {
    const read = readSchedule(postedSchedule(body));
    if ('problems' in read) throw new Error(JSON.stringify(read.problems));
    expect(read.definition).toMatchObject({
      timeZone: 'Europe/Berlin',
      team: null,
      rotations: [
        {
          name: 'primary',
          participants: [['ana@example.com'], ['ben@example.com', 'cleo@example.com']],
          turn: { every: 1, unit: 'week' },
          priority: 5,
          shadow: false,
          hours: [
            { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', to: '17:00' },
            { days: ['sat', 'sun'], from: '20:00', to: '06:00' },
          ],
        },
        { name: 'learning', shadow: true },
      ],
    });
    expect(readSchedule(scheduleValues('payments', read.definition))).toEqual(read);
  });

  it('reads days around the end of the week', () => {
    const read = readSchedule(postedSchedule({ ...body, 'hours.0': 'Sat-Mon 08:00 to 20:00' }));
    if ('problems' in read) throw new Error(JSON.stringify(read.problems));
    expect(read.definition.rotations[0]?.hours?.[0]?.days).toEqual(['mon', 'sat', 'sun']);
    expect(scheduleValues('payments', read.definition).rotations[0]?.hours).toBe('mon,sat,sun 08:00-20:00');
  });

  it('says where rotations hand over too often together', () => {
    const typed = scheduleValues('many', { timeZone: 'UTC', team: null, rotations: [] });
    const hourly = {
      ...newRotation('2026-11-23T09:00'),
      participants: 'ana@example.com',
      every: '1',
      unit: 'hour',
    };
    const rotations = Array.from({ length: 9 }, (_, index) => ({ ...hourly, name: `r${index}` }));
    const read = readSchedule({ ...typed, rotations });
    expect(read).toEqual({ problems: { 'every.0': expect.stringContaining('216 shifts a day') } });
  });

  it('names each field that is wrong and keeps what was typed', () => {
    const typed = postedSchedule({
      ...body,
      name: '',
      timeZone: 'Berlin',
      'participants.0': 'Ana',
      'hours.0': 'weekdays 9-17',
      'every.1': '0',
      'startsAt.1': 'tomorrow',
      'participants.1': '',
    });
    const read = readSchedule(typed);
    if (!('problems' in read)) throw new Error('read');
    expect(Object.keys(read.problems).sort()).toEqual([
      'every.1',
      'hours.0',
      'name',
      'participants.0',
      'participants.1',
      'startsAt.1',
      'timeZone',
    ]);
    const { rotations } = scheduleFormView(typed, read.problems, given);
    expect(rotations[0]?.limits[0]).toMatchObject({ value: 'weekdays 9-17', problem: expect.any(String) });
  });

  it('adds and takes out rotations without losing the others', () => {
    const typed = postedSchedule(body);
    const more = withRotations(typed, 'add-rotation', '2026-11-23T09:00');
    expect(more?.rotations.map(({ name }) => name)).toEqual(['primary', 'learning', '']);
    expect(withRotations(typed, 'remove-rotation.0', '')?.rotations).toEqual(typed.rotations.slice(1));
    expect(withRotations(typed, 'save', '')).toBeNull();
  });
});
