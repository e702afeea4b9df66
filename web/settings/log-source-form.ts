import {
  type LogSourceDefinition,
  type LogSourceKind,
  logSourceDefinition,
  logSourceKindNames,
  logSourceKinds,
  mappedFields,
} from '../../domain/logs/log-source.ts';
import { type Field, field, type Problems, posted } from '../layout/fields.ts';
import { matchFields, matchOf, nameProblem } from './matching.ts';

/** What each kind has beside name, match, mapping and patience; `kind` is chosen before the form. */
const fieldsOfKind: Record<LogSourceKind, readonly ServerField[]> = {
  elasticsearch: ['url', 'index', 'user', 'credential', 'ca', 'linkUrl'],
  loki: ['url', 'tenant', 'user', 'credential', 'ca', 'linkUrl', 'datasource'],
  cloudwatch: ['region', 'logGroups'],
  splunk: ['url', 'index', 'user', 'credential', 'ca', 'linkUrl'],
  builtin: [],
};
const serverFields = [
  'url',
  'index',
  'user',
  'credential',
  'ca',
  'linkUrl',
  'tenant',
  'datasource',
  'region',
  'logGroups',
] as const;
type ServerField = (typeof serverFields)[number];

export type LogSourceValues = Record<
  ServerField | 'name' | 'kind' | 'severity' | 'service' | 'alert' | 'mapping' | 'timeoutSeconds',
  string
>;

export function newLogSource(kind: LogSourceKind): LogSourceValues {
  return { ...postedLogSource({ kind }), timeoutSeconds: '10' };
}

export function logSourceValues(name: string, definition: LogSourceDefinition): LogSourceValues {
  const written: Record<string, string> = {};
  for (const key of serverFields) {
    const value = (definition as Record<string, unknown>)[key];
    written[key] = Array.isArray(value) ? value.join('\n') : typeof value === 'string' ? value : '';
  }
  return {
    ...postedLogSource(written),
    name,
    kind: definition.kind,
    severity: definition.match?.severity ?? '',
    service: definition.match?.service ?? '',
    alert: definition.match?.alert ?? '',
    mapping: mappedFields
      .flatMap((mapped) => {
        const names = definition.fields?.[mapped];
        return names ? [`${mapped} = ${names.join(', ')}`] : [];
      })
      .join('\n'),
    timeoutSeconds: String(definition.timeoutSeconds),
  };
}

export function postedLogSource(body: unknown): LogSourceValues {
  const names = [
    'name',
    'kind',
    'severity',
    'service',
    'alert',
    'mapping',
    'timeoutSeconds',
    ...serverFields,
  ];
  return Object.fromEntries(names.map((name) => [name, posted(body, name)])) as LogSourceValues;
}

export function readLogSource(
  values: LogSourceValues,
): { definition: LogSourceDefinition } | { problems: Problems } {
  const problems: Problems = {};
  const wrong = nameProblem(values.name);
  if (wrong) problems.name = wrong;
  const mapping = readMapping(values.mapping);
  if (mapping.problem) problems.mapping = mapping.problem;
  const kind = kindOf(values.kind);
  const match = matchOf(values);
  const parsed = logSourceDefinition.safeParse({
    kind,
    ...Object.fromEntries(
      fieldsOfKind[kind].flatMap((key) => {
        const value = values[key];
        if (value === '') return [];
        return [[key, key === 'logGroups' ? value.split(/[\s,]+/).filter(Boolean) : value]];
      }),
    ),
    ...(match ? { match } : {}),
    ...(Object.keys(mapping.fields).length > 0 ? { fields: mapping.fields } : {}),
    timeoutSeconds: values.timeoutSeconds === '' ? 10 : Number(values.timeoutSeconds),
  });
  for (const issue of parsed.error?.issues ?? []) {
    const [first = 'name', second] = issue.path.map(String);
    const name = first === 'fields' ? 'mapping' : first === 'match' ? (second ?? 'service') : first;
    problems[name] ??= remedies[name] ?? issue.message;
  }
  return parsed.success && Object.keys(problems).length === 0 ? { definition: parsed.data } : { problems };
}

const remedies: Record<string, string> = {
  timeoutSeconds: 'Write a number of seconds from 1 to 25.',
  logGroups: 'Write one to fifty names of log groups, one per line, such as /aws/lambda/checkout.',
  region: 'Write a region such as eu-central-1.',
};

/** Lines such as 'service = svc.name, app'. */
function readMapping(text: string): { fields: Record<string, string[]>; problem?: string } {
  const fields: Record<string, string[]> = {};
  for (const line of text
    .split('\n')
    .map((one) => one.trim())
    .filter(Boolean)) {
    const [, mapped = '', names = ''] = /^(\w+)\s*[=:]\s*(.+)$/.exec(line) ?? [];
    if (!mappedFields.some((known) => known === mapped)) {
      return {
        fields,
        problem: `Write lines such as 'service = svc.name, app', for ${mappedFields.join(', ')}.`,
      };
    }
    fields[mapped] = names
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean);
  }
  return { fields };
}

export function kindOf(text: string): LogSourceKind {
  return logSourceKinds.find((kind) => kind === text) ?? 'builtin';
}

export interface LogSourceFormView {
  heading: string;
  action: string;
  probeAction: string | null;
  deleteAction: string | null;
  kind: LogSourceKind;
  kindName: string;
  name: Field;
  server: Field[];
  match: Field[];
  mapping: Field;
  timeoutSeconds: Field;
}

export const logSourcesPath = '/settings/log-sources';

export function logSourceFormView(
  values: LogSourceValues,
  problems: Problems,
  existing: boolean,
): LogSourceFormView {
  const given = { values, problems };
  const kind = kindOf(values.kind);
  const own = `${logSourcesPath}/${encodeURIComponent(values.name)}`;
  return {
    heading: existing ? values.name : `New log source: ${logSourceKindNames[kind]}`,
    action: existing ? own : `${logSourcesPath}/new`,
    probeAction: existing ? `${own}/probe` : null,
    deleteAction: existing ? `${own}/delete` : null,
    kind,
    kindName: logSourceKindNames[kind],
    name: field('name', 'Name', { ...given, readonly: existing, hint: 'Letters, digits, - and _' }),
    server: fieldsOfKind[kind].map((key) => {
      const { label, ...more } = serverField(key, kind);
      return field(key, label, { ...given, ...more });
    }),
    match: matchFields(given),
    mapping: field('mapping', 'Fields', {
      ...given,
      rows: 4,
      optional: true,
      hint: "Where lines differ from the usual names: 'service = svc.name, app', one field per line",
    }),
    timeoutSeconds: field('timeoutSeconds', 'Seconds to wait', { ...given, type: 'number', hint: '1 to 25' }),
  };
}

interface ServerFieldText {
  label: string;
  hint: string;
  optional?: boolean;
  rows?: number;
}

function serverField(key: ServerField, kind: LogSourceKind): ServerFieldText {
  switch (key) {
    case 'url':
      return { label: 'Address', hint: addressHints[kind] ?? 'https://…' };
    case 'index':
      return { label: 'Indexes', optional: true, hint: 'Names or patterns with *, separated by commas' };
    case 'user':
      return { label: 'User', optional: true, hint: 'Empty where the credential is a key or token' };
    case 'credential':
      return {
        label: 'Credential',
        optional: true,
        hint: 'Where the key, token or password is: env:LOGS_KEY, file:logs-key or ssm:/logs/key',
      };
    case 'ca':
      return {
        label: 'Authority',
        optional: true,
        hint: 'Where its certificate in PEM is, such as file:logs-ca.pem',
      };
    case 'linkUrl':
      return { label: 'Links lead to', optional: true, hint: linkHints[kind] ?? 'https://…' };
    case 'tenant':
      return { label: 'Tenant', optional: true, hint: 'X-Scope-OrgID, where Loki serves several' };
    case 'datasource':
      return { label: 'Data source in Grafana', optional: true, hint: 'Its uid or name; loki where empty' };
    case 'region':
      return { label: 'Region', hint: 'Such as eu-central-1' };
    case 'logGroups':
      return { label: 'Log groups', rows: 3, hint: 'One per line, such as /aws/lambda/checkout' };
  }
}

const addressHints: Partial<Record<LogSourceKind, string>> = {
  elasticsearch: 'Such as https://es.example.com:9200',
  loki: 'Such as http://loki.example.com:3100',
  splunk: 'Of the management port, such as https://splunk.example.com:8089',
};
const linkHints: Partial<Record<LogSourceKind, string>> = {
  elasticsearch: 'Kibana, with its space: https://kibana.example.com/s/ops',
  loki: 'Grafana: https://grafana.example.com',
  splunk: 'Splunk Web: https://splunk.example.com',
};
