import {
  type ChannelKind,
  channelKindNames,
  completeChannel,
  hiddenFields,
  type NotificationChannel,
} from '../../domain/notification-channel.ts';
import { type Field, field, type Problems, posted, postedAll } from '../layout/fields.ts';
import { nameProblem } from './matching.ts';

export const channelsPath = '/settings/channels';

export const channelKinds: readonly ChannelKind[] = ['email', 'slack', 'teams', 'pagerduty', 'webhook'];

/** What each kind has beside its name; the kind is chosen before the form. */
const fieldsOfKind: Record<ChannelKind, readonly ChannelField[]> = {
  email: ['addresses'],
  webhook: ['url', 'secret'],
  slack: ['token', 'channel', 'signingSecret', 'webhookUrl'],
  pagerduty: ['routingKey', 'webhookSecret', 'apiToken', 'notesFrom'],
  teams: ['webhookUrl'],
};
const channelFields = [
  'addresses',
  'url',
  'secret',
  'token',
  'channel',
  'signingSecret',
  'webhookUrl',
  'routingKey',
  'webhookSecret',
  'apiToken',
  'notesFrom',
] as const;
type ChannelField = (typeof channelFields)[number];

/** What the form holds as it was typed; what is hidden is never filled in from what is stored. */
export interface ChannelValues {
  name: string;
  kind: ChannelKind;
  fields: Record<ChannelField, string>;
  /** Hidden fields whose stored value is to be taken away. */
  removed: string[];
}

export function newChannel(kind: ChannelKind): ChannelValues {
  return postedChannel({ kind });
}

export function channelValues(name: string, channel: NotificationChannel): ChannelValues {
  const hidden = hiddenOf(channel.type);
  const shown: Record<string, string> = {};
  for (const [key, value] of Object.entries(channel)) {
    if (!hidden.includes(key)) shown[key] = Array.isArray(value) ? value.join('\n') : String(value);
  }
  return postedChannel({ ...shown, name, kind: channel.type });
}

export function postedChannel(body: unknown): ChannelValues {
  return {
    name: posted(body, 'name'),
    kind: channelKindOf(posted(body, 'kind')) ?? 'webhook',
    fields: Object.fromEntries(channelFields.map((name) => [name, posted(body, name)])) as Record<
      ChannelField,
      string
    >,
    removed: postedAll(body, 'remove'),
  };
}

export function channelKindOf(text: string): ChannelKind | undefined {
  return channelKinds.find((kind) => kind === text);
}

/** The channel with what it keeps of its hidden fields, or what is wrong by field. */
export function readChannel(
  values: ChannelValues,
  stored: NotificationChannel | null,
): { definition: NotificationChannel } | { problems: Problems } {
  const problems: Problems = {};
  const wrong = nameProblem(values.name);
  if (wrong) problems.name = wrong;
  const written = fieldsOfKind[values.kind].flatMap((key): [string, string | string[]][] => {
    const value = values.fields[key];
    if (key === 'addresses') return [[key, value.split(/[\s,;]+/).filter(Boolean)]];
    return value === '' ? [] : [[key, value]];
  });
  const parsed = completeChannel.safeParse({
    type: values.kind,
    ...keptHidden(values, stored),
    ...Object.fromEntries(written),
  });
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0] ?? 'name');
    problems[name] ??= remedies[name] ?? issue.message;
  }
  const incomplete = parsed.success ? slackProblem(parsed.data) : undefined;
  if (incomplete) problems[incomplete.field] ??= incomplete.remedy;
  return parsed.success && Object.keys(problems).length === 0 ? { definition: parsed.data } : { problems };
}

/** A hidden field that is left empty keeps what is stored; a webhook's secret by the rule of the database layer. */
function keptHidden(values: ChannelValues, stored: NotificationChannel | null): Record<string, unknown> {
  if (stored?.type !== values.kind || stored.type === 'webhook') return {};
  const kept = hiddenOf(stored.type).filter((name) => !values.removed.includes(name));
  return Object.fromEntries(Object.entries(stored).filter(([name]) => kept.includes(name)));
}

/** A bot needs to know where to write; without a bot there must be an incoming webhook. */
function slackProblem(channel: NotificationChannel): { field: ChannelField; remedy: string } | undefined {
  if (channel.type !== 'slack') return undefined;
  if (channel.token !== undefined && channel.channel === undefined) {
    return {
      field: 'channel',
      remedy: 'Write the channel that the bot writes to, such as #ops or C0123456789.',
    };
  }
  if (channel.token === undefined && channel.webhookUrl === undefined) {
    return { field: 'token', remedy: 'Write a bot token, or the address of an incoming webhook below.' };
  }
  return undefined;
}

const remedies: Record<string, string> = {
  url: 'Write an address that begins with https:// or http://.',
  secret: 'Use at least 8 characters, or leave it empty.',
  addresses: 'Write one to twenty mail addresses, one per line.',
  token: 'Write the whole bot token, which begins with xoxb-, or where it is kept, such as env:SLACK_TOKEN.',
  signingSecret:
    'Write the signing secret of the app, or where it is kept, such as env:SLACK_SIGNING_SECRET.',
  webhookUrl: 'Write the whole address of the webhook, or where it is kept, such as env:CHAT_WEBHOOK.',
  routingKey: 'Write the integration key of the service, or where it is kept, such as env:PAGERDUTY_KEY.',
  webhookSecret: 'Write the secret of the webhook subscription, at least 8 characters, or leave it empty.',
  apiToken: 'Write the whole API access key, or where it is kept, such as env:PAGERDUTY_API_KEY.',
  notesFrom:
    'With an API access key, write the mail address of a PagerDuty user; without one, leave it empty.',
};

export interface ChannelFormView {
  heading: string;
  kind: ChannelKind;
  kindName: string;
  action: string;
  deleteAction: string | null;
  name: Field;
  fields: { field: Field; isSet: boolean; removable: boolean; removed: boolean }[];
  hasProblems: boolean;
}

/** @param set hidden fields that are stored */
export function channelFormView(
  values: ChannelValues,
  problems: Problems,
  existing: boolean,
  set: readonly string[],
): ChannelFormView {
  const { kind } = values;
  const hidden = hiddenOf(kind);
  const own = `${channelsPath}/${encodeURIComponent(values.name)}`;
  const given = {
    // what was typed into a hidden field is not sent back either
    values: {
      ...Object.fromEntries(Object.entries(values.fields).filter(([name]) => !hidden.includes(name))),
      name: values.name,
    },
    problems,
  };
  return {
    heading: existing ? values.name : `New channel: ${channelKindNames[kind]}`,
    kind,
    kindName: channelKindNames[kind],
    action: existing ? own : `${channelsPath}/new`,
    deleteAction: existing ? `${own}/delete` : null,
    name: field('name', 'Name', {
      ...given,
      readonly: existing,
      hint: 'How policies, rules and contact rules call it',
    }),
    fields: fieldsOfKind[kind].map((key) => {
      const { label, ...more } = fieldText(key, kind);
      const isSet = set.includes(key);
      return {
        field: field(key, label, {
          ...given,
          ...more,
          ...(hidden.includes(key) ? { type: 'password' } : {}),
        }),
        isSet,
        removable: isSet && more.optional === true && kind !== 'webhook',
        removed: values.removed.includes(key),
      };
    }),
    hasProblems: Object.keys(problems).length > 0,
  };
}

/** Names of the hidden fields that are stored. */
export function hiddenSet(channel: NotificationChannel): string[] {
  const hidden = hiddenOf(channel.type);
  return Object.entries(channel).flatMap(([name, value]) =>
    hidden.includes(name) && value !== undefined ? [name] : [],
  );
}

function hiddenOf(kind: ChannelKind): readonly string[] {
  return hiddenFields[kind];
}

interface FieldText {
  label: string;
  hint: string;
  optional?: boolean;
  rows?: number;
  type?: string;
}

function fieldText(key: ChannelField, kind: ChannelKind): FieldText {
  switch (key) {
    case 'addresses':
      return { label: 'Mail addresses', rows: 3, hint: 'One per line; all get the same message' };
    case 'url':
      return {
        label: 'Address',
        type: 'url',
        hint: 'Gets a JSON POST, such as https://hooks.example.com/holdfast',
      };
    case 'secret':
      return {
        label: 'Signing secret',
        optional: true,
        hint: 'Signs the body and its time (X-Holdfast-Signature)',
      };
    case 'token':
      return {
        label: 'Bot token',
        optional: true,
        hint: 'Begins with xoxb-, or where it is kept: env:SLACK_TOKEN',
      };
    case 'channel':
      return {
        label: 'Channel',
        optional: true,
        hint: 'That the bot writes to, such as #ops or C0123456789',
      };
    case 'signingSecret':
      return {
        label: 'Signing secret of the app',
        optional: true,
        hint: 'For buttons and slash commands: shows that what comes back is from Slack',
      };
    case 'webhookUrl':
      return kind === 'teams'
        ? {
            label: 'Address of the workflow',
            hint: 'As the workflow in Teams shows it, or where it is kept: env:TEAMS_URL',
          }
        : {
            label: 'Incoming webhook',
            optional: true,
            hint: 'Instead of a bot: messages with links, without buttons or updates',
          };
    case 'routingKey':
      return {
        label: 'Integration key',
        hint: 'Of the Events API v2 integration, or where it is kept: env:PAGERDUTY_KEY',
      };
    case 'webhookSecret':
      return {
        label: 'Secret of the webhook subscription',
        optional: true,
        hint: 'For what people do in PagerDuty to count here',
      };
    case 'apiToken':
      return {
        label: 'API access key',
        optional: true,
        hint: 'Of the REST API, for notes to stand in PagerDuty too, or where it is kept: env:PAGERDUTY_API_KEY',
      };
    case 'notesFrom':
      return {
        label: 'Notes in the name of',
        optional: true,
        type: 'email',
        hint: 'Mail address of a PagerDuty user; each note begins with who wrote it here',
      };
  }
}
