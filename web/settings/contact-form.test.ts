import { describe, expect, it } from 'vitest';
import type { NotificationChannel } from '../../domain/notification-channel.ts';
import { contactFormView, contactValues, postedContact, readContact, withRows } from './contact-form.ts';

const email = 'ana@example.com';
const bot: NotificationChannel = { type: 'slack', token: 'env:SLACK_TOKEN', channel: '#ops' };
const given = { email, channels: [{ name: 'ops-bot', definition: bot }], organizationZone: 'UTC' };

const body = {
  rules: '2',
  timeZone: 'Europe/Berlin',
  'severities.0': ['critical', 'high'],
  'after.0': ['0s', '5m'],
  'method.0': ['slack:ops-bot', 'email-to'],
  'address.0': ['', 'ana@home.example'],
  'after.1': '0s',
  'method.1': 'email:',
  'address.1': '',
};

describe('the form of contact rules', () => {
  it('reads rules with their ways in order, and gives back what it read', () => {
    const read = readContact(postedContact(body));
    if ('problems' in read) throw new Error(JSON.stringify(read.problems));
    expect(read).toEqual({
      timeZone: 'Europe/Berlin',
      rules: [
        {
          severities: ['critical', 'high'],
          steps: [
            { after: '0s', method: { type: 'slack', channel: 'ops-bot' } },
            { after: '5m', method: { type: 'email', address: 'ana@home.example' } },
          ],
        },
        { steps: [{ after: '0s', method: { type: 'email' } }] },
      ],
    });
    expect(readContact(contactValues(read.rules, read.timeZone))).toEqual(read);
  });

  it('names the field that is wrong', () => {
    const typed = postedContact({
      ...body,
      timeZone: 'Berlin',
      'after.0': ['soon', '5m'],
      'address.0': ['', 'nobody'],
    });
    const read = readContact(typed);
    if (!('problems' in read)) throw new Error('read');
    expect(Object.keys(read.problems).sort()).toEqual(['address.0.1', 'after.0.0', 'timeZone']);
    const [rule] = contactFormView(typed, read.problems, given).rules;
    expect(rule?.steps[0]?.after).toMatchObject({ value: 'soon', problem: expect.stringContaining('0s') });
    expect(rule?.steps[1]?.address).toMatchObject({ value: 'nobody', problem: expect.any(String) });
  });

  it('adds and takes out rows without losing what was typed', () => {
    const typed = postedContact({ ...body, 'after.0': ['soon', '5m'] });
    expect(withRows(typed, 'add-step.0')?.rules[0]?.steps.map(({ after }) => after)).toEqual([
      'soon',
      '5m',
      '5m',
    ]);
    expect(withRows(typed, 'remove-step.0.0')?.rules[0]?.steps).toEqual(typed.rules[0]?.steps.slice(1));
    expect(withRows(typed, 'remove-rule.0')?.rules).toEqual(typed.rules.slice(1));
    expect(withRows(typed, 'add-rule')?.rules).toHaveLength(3);
    expect(withRows(typed, 'save')).toBeNull();
  });

  it('goes on showing a channel that is not there any more', () => {
    const values = contactValues(
      [{ steps: [{ after: '0s', method: { type: 'channel', name: 'gone' } }] }],
      null,
    );
    const method = contactFormView(values, {}, given).rules[0]?.steps[0]?.method;
    expect(method?.options?.find(({ selected }) => selected)).toMatchObject({
      value: 'channel:gone',
      label: expect.stringContaining('not there any more'),
    });
  });
});
