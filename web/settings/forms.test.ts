import { describe, expect, it } from 'vitest';
import {
  escalationFormView,
  escalationValues,
  fieldOfPath,
  postedEscalation,
  readEscalation,
} from './escalation-form.ts';
import { postedReports, readReports, reportsFormView, reportValues } from './reports-form.ts';
import { postedSla, readSla } from './sla-form.ts';

describe('the form of an escalation policy', () => {
  const body = {
    name: 'night',
    severity: 'critical',
    service: '',
    alert: 'Pay*',
    after: ['0s', '15m', ''],
    targets: ['ana@example.com', 'user:ben@example.com\r\nchannel: ops-hook', ''],
    repeats: '2',
    repeatAfter: '',
  };

  it('reads levels, targets and match, and leaves empty levels out', () => {
    expect(readEscalation(postedEscalation(body))).toEqual({
      definition: {
        levels: [
          { after: '0s', targets: [{ type: 'email', address: 'ana@example.com' }] },
          {
            after: '15m',
            targets: [
              { type: 'user', email: 'ben@example.com' },
              { type: 'channel', name: 'ops-hook' },
            ],
          },
        ],
        repeats: 2,
        match: { severity: 'critical', alert: 'Pay*' },
      },
    });
  });

  it('takes no glob that would take long to match', () => {
    const read = readEscalation(postedEscalation({ ...body, alert: '*a'.repeat(300) }));
    expect(read).toEqual({ problems: { alert: 'write at most 500 characters' } });
  });

  it('gives back what it read, so that saving without a change changes nothing', () => {
    const read = readEscalation(postedEscalation(body));
    if (!('definition' in read)) throw new Error('not read');
    expect(readEscalation(escalationValues('night', read.definition))).toEqual(read);
  });

  it('names the field that is wrong and keeps what was typed', () => {
    const values = postedEscalation({
      ...body,
      after: ['0s', 'soon'],
      targets: ['nobody', ''],
      repeats: 'x',
    });
    const read = readEscalation(values);
    if (!('problems' in read)) throw new Error('taken');
    expect(Object.keys(read.problems).sort()).toEqual(['after.1', 'repeats', 'targets.0', 'targets.1']);
    const view = escalationFormView(values, read.problems, false);
    expect(view.levels[1]?.after).toMatchObject({
      value: 'soon',
      problem: 'Write a time such as 0s, 15m or 1h.',
    });
    expect(view.levels[0]?.targets.problem).toContain('“nobody”');
  });

  it('puts a reference to nothing beside the level that makes it', () => {
    expect(fieldOfPath(['levels', '1', 'targets', '0', 'name'])).toBe('targets.1');
    expect(fieldOfPath(['levels', '0', 'after'])).toBe('after.0');
    expect(fieldOfPath(['match', 'severity'])).toBe('severity');
  });
});

describe('the form of an SLA policy', () => {
  it('reads what it holds, and says what is no duration', () => {
    const body = {
      name: 'a',
      order: '10',
      severity: '',
      service: 'pay-*',
      alert: '',
      acknowledgeWithin: '2m',
      resolveWithin: '15m',
    };
    expect(readSla(postedSla(body))).toEqual({
      definition: { order: 10, match: { service: 'pay-*' }, acknowledgeWithin: '2m', resolveWithin: '15m' },
    });
    expect(readSla(postedSla({ ...body, name: 'a/b', resolveWithin: 'never' }))).toMatchObject({
      problems: { name: expect.any(String), resolveWithin: expect.any(String) },
    });
  });
});

describe('the form of the report settings', () => {
  it('reads one address per line, and gives back what it read', () => {
    const read = readReports(
      postedReports({
        recipients: 'a@example.com\r\n b@example.com \r\n\r\n',
        timeZone: ' Europe/Berlin ',
      }),
    );
    const settings = { recipients: ['a@example.com', 'b@example.com'], timeZone: 'Europe/Berlin' };
    expect(read).toEqual({ settings });
    expect(readReports(reportValues(settings))).toEqual({ settings });
  });

  it('sets nothing that is left empty', () => {
    expect(readReports(postedReports({ recipients: '\r\n', timeZone: '' }))).toEqual({ settings: {} });
  });

  it('names the address and the zone that are none, and keeps what was typed', () => {
    const values = postedReports({ recipients: 'a@example.com\nnobody', timeZone: 'Berlin' });
    const read = readReports(values);
    if (!('problems' in read)) throw new Error('taken');
    const view = reportsFormView(values, read.problems);
    expect(view.recipients).toMatchObject({
      value: 'a@example.com\nnobody',
      problem: '“nobody” is no mail address.',
    });
    expect(view.timeZone).toMatchObject({ value: 'Berlin', problem: expect.stringContaining('IANA') });
  });

  it('takes no offset for a zone and no more than 100 addresses', () => {
    const recipients = Array.from({ length: 101 }, (_, i) => `person${i}@example.com`).join('\n');
    expect(readReports(postedReports({ recipients, timeZone: '+02:00' }))).toMatchObject({
      problems: { recipients: expect.stringContaining('at most 100'), timeZone: expect.any(String) },
    });
  });
});
