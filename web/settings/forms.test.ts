import { describe, expect, it } from 'vitest';
import { postedReports, readReports, reportsFormView, reportValues } from './reports-form.ts';
import { postedSla, readSla } from './sla-form.ts';

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
      definition: {
        order: 10,
        match: { service: 'pay-*' },
        acknowledgeWithin: '2m',
        resolveWithin: '15m',
        calendar: '24x7',
        atRiskPercent: 80,
      },
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

  it('reads whom the report of a team goes to, a line each', () => {
    const values = postedReports({ teams: 'payments: ana@example.com, ben@example.com\r\n' });
    const settings = { teams: { payments: ['ana@example.com', 'ben@example.com'] } };
    expect(readReports(values, ['payments'])).toEqual({ settings });
    expect(readReports(reportValues(settings), ['payments'])).toEqual({ settings });
    expect(readReports(values, ['search'])).toEqual({
      problems: { teams: 'There is no team payments: there are search.' },
    });
    expect(readReports({ ...values, teams: 'payments: nobody' }, ['payments'])).toEqual({
      problems: { teams: '“nobody” is no mail address.' },
    });
  });

  it('takes no offset for a zone and no more than 100 addresses', () => {
    const recipients = Array.from({ length: 101 }, (_, i) => `person${i}@example.com`).join('\n');
    expect(readReports(postedReports({ recipients, timeZone: '+02:00' }))).toMatchObject({
      problems: { recipients: expect.stringContaining('at most 100'), timeZone: expect.any(String) },
    });
  });
});
