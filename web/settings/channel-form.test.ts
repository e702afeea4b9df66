import { describe, expect, it } from 'vitest';
import type { NotificationChannel } from '../../domain/notification-channel.ts';
import {
  channelFormView,
  channelKinds,
  channelValues,
  hiddenSet,
  newChannel,
  postedChannel,
  readChannel,
} from './channel-form.ts';

const ofEachKind: NotificationChannel[] = [
  { type: 'email', addresses: ['ana@example.com', 'ben@example.com'] },
  { type: 'webhook', url: 'https://hooks.example.com/a', secret: 'hidden-signing' },
  { type: 'slack', token: 'xoxb-hidden', channel: '#ops', signingSecret: 'hidden-signing' },
  { type: 'slack', webhookUrl: 'env:SLACK_WEBHOOK' },
  { type: 'pagerduty', routingKey: 'hidden-routing-key', webhookSecret: 'hidden-webhook' },
  {
    type: 'pagerduty',
    routingKey: 'hidden-routing-key',
    apiToken: 'hidden-api-token',
    notesFrom: 'ana@example.com',
  },
  { type: 'teams', webhookUrl: 'https://hidden.example.com/workflows/1' },
];

const problemsOf = (body: object, stored: NotificationChannel | null = null) => {
  const read = readChannel(postedChannel({ name: 'ops', ...body }), stored);
  return 'problems' in read ? read.problems : {};
};

describe('the form of a channel', () => {
  it('shows the fields of the chosen kind alone', () => {
    const shown = channelKinds.map((kind) => [
      kind,
      channelFormView(newChannel(kind), {}, false, []).fields.map(({ field }) => field.name),
    ]);
    expect(Object.fromEntries(shown)).toEqual({
      email: ['addresses'],
      slack: ['token', 'channel', 'signingSecret', 'webhookUrl'],
      teams: ['webhookUrl'],
      pagerduty: ['routingKey', 'webhookSecret', 'apiToken', 'notesFrom'],
      webhook: ['url', 'secret'],
    });
  });

  it.each(ofEachKind)('never shows what is hidden, says that it is set, and keeps it: $type', (channel) => {
    const values = channelValues('ops', channel);
    const view = channelFormView(values, {}, true, hiddenSet(channel));
    expect(JSON.stringify(view)).not.toMatch(/hidden\.example|xoxb-hidden|hidden-|env:SLACK_WEBHOOK/);
    expect(view.fields.filter(({ isSet }) => isSet).map(({ field }) => field.name)).toEqual(
      expect.arrayContaining(hiddenSet(channel)),
    );
    const read = readChannel(values, channel);
    // a webhook's secret is kept where it is stored, by the address
    const { secret: _, ...kept } = { secret: '', ...channel };
    expect(read).toEqual({ definition: kept });
  });

  it('sends back nothing that was typed into a hidden field', () => {
    const values = postedChannel({ name: 'ops', kind: 'pagerduty', routingKey: 'typed-just-now' });
    expect(JSON.stringify(channelFormView(values, { name: 'taken' }, false, []))).not.toContain(
      'typed-just-now',
    );
  });

  it('takes away what is hidden when that is asked for', () => {
    const both: NotificationChannel = {
      type: 'slack',
      token: 'xoxb-1234',
      channel: '#ops',
      webhookUrl: 'env:HOOK',
    };
    const values = { ...channelValues('ops', both), removed: ['webhookUrl'] };
    expect(readChannel(values, both)).toEqual({
      definition: { type: 'slack', token: 'xoxb-1234', channel: '#ops' },
    });
  });

  it('reads addresses however they are parted', () => {
    const read = readChannel(
      postedChannel({
        name: 'leads',
        kind: 'email',
        addresses: 'a@example.com, b@example.com\nc@example.com',
      }),
      null,
    );
    expect(read).toEqual({
      definition: { type: 'email', addresses: ['a@example.com', 'b@example.com', 'c@example.com'] },
    });
  });

  it('says beside the field what each kind wants', () => {
    expect(Object.keys(problemsOf({ kind: 'webhook', url: 'javascript:alert(1)', secret: 'short' }))).toEqual(
      ['url', 'secret'],
    );
    expect(problemsOf({ kind: 'slack' })).toEqual({ token: expect.stringContaining('bot token') });
    expect(problemsOf({ kind: 'slack', token: 'xoxb-1234' })).toEqual({
      channel: expect.stringContaining('#ops'),
    });
    expect(problemsOf({ kind: 'pagerduty' })).toEqual({
      routingKey: expect.stringContaining('integration key'),
    });
    const pagerduty = { kind: 'pagerduty', routingKey: 'r'.repeat(32) };
    expect(problemsOf({ ...pagerduty, apiToken: 'u+key-of-the-api' })).toEqual({
      notesFrom: expect.stringContaining('mail address of a PagerDuty user'),
    });
    expect(problemsOf({ ...pagerduty, notesFrom: 'ana@example.com' })).toEqual({
      apiToken: expect.stringContaining('API access key'),
    });
    expect(problemsOf({ kind: 'teams', webhookUrl: 'x' })).toEqual({
      webhookUrl: expect.stringContaining('address of the webhook'),
    });
    // of another kind nothing is kept
    expect(
      Object.keys(problemsOf({ kind: 'teams' }, { type: 'slack', webhookUrl: 'env:SLACK_HOOK' })),
    ).toEqual(['webhookUrl']);
  });
});
