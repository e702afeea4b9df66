import { type NotificationChannel, notificationChannel } from '../../domain/notification-channel.ts';
import { type Field, field, type Problems, posted } from '../layout/fields.ts';
import { nameProblem } from './matching.ts';

export interface ChannelValues extends Record<string, string> {
  name: string;
  type: string;
  url: string;
  /** Never filled in from what is stored. */
  secret: string;
  addresses: string;
}

export function channelValues(name: string, channel: NotificationChannel): ChannelValues {
  return {
    name,
    type: channel.type,
    url: channel.type === 'webhook' ? channel.url : '',
    secret: '',
    addresses: channel.type === 'email' ? channel.addresses.join('\n') : '',
  };
}

export function postedChannel(body: unknown): ChannelValues {
  return {
    name: posted(body, 'name'),
    type: posted(body, 'type'),
    url: posted(body, 'url'),
    secret: posted(body, 'secret'),
    addresses: posted(body, 'addresses'),
  };
}

export function readChannel(
  values: ChannelValues,
): { definition: NotificationChannel } | { problems: Problems } {
  const problems: Problems = {};
  const wrong = nameProblem(values.name);
  if (wrong) problems.name = wrong;
  const parsed = notificationChannel.safeParse(
    values.type === 'email'
      ? { type: 'email', addresses: values.addresses.split(/[\s,;]+/).filter(Boolean) }
      : { type: 'webhook', url: values.url, ...(values.secret ? { secret: values.secret } : {}) },
  );
  if (parsed.success && !wrong) return { definition: parsed.data };
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0] ?? 'type');
    problems[name] ??= remedies[name] ?? issue.message;
  }
  return { problems };
}

const remedies: Record<string, string> = {
  url: 'Write an address that begins with https:// or http://.',
  secret: 'Use at least 8 characters, or leave it empty.',
  addresses: 'Write one to twenty mail addresses, one per line.',
  type: 'Choose webhook or mail.',
};

export interface ChannelFormView {
  heading: string;
  action: string;
  deleteAction: string | null;
  name: Field;
  type: Field;
  url: Field;
  secret: Field;
  addresses: Field;
}

export function channelFormView(
  values: ChannelValues,
  problems: Problems,
  existing: boolean,
  hasSecret: boolean,
): ChannelFormView {
  const given = { values: { ...values, secret: '' }, problems };
  const base = '/settings/channels';
  const own = `${base}/${encodeURIComponent(values.name)}`;
  return {
    heading: existing ? values.name : 'New channel',
    action: existing ? own : `${base}/new`,
    deleteAction: existing ? `${own}/delete` : null,
    name: field('name', 'Name', { ...given, readonly: existing, hint: 'How escalation policies call it' }),
    type: field('type', 'Type', {
      ...given,
      choices: [
        { value: 'webhook', label: 'Webhook' },
        { value: 'email', label: 'Mail' },
      ],
    }),
    url: field('url', 'Address', {
      ...given,
      type: 'url',
      optional: true,
      hint: 'Of a webhook: gets a signed JSON POST',
    }),
    secret: field('secret', 'Signing secret', {
      ...given,
      type: 'password',
      optional: true,
      hint: hasSecret
        ? 'One is set; it is kept while this is empty and the address stays the same'
        : 'Of a webhook: signs the body (X-Holdfast-Signature)',
    }),
    addresses: field('addresses', 'Mail addresses', {
      ...given,
      optional: true,
      rows: 3,
      hint: 'Of a mail channel, one per line',
    }),
  };
}
