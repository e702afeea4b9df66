import { z } from 'zod';
import { logTemplateMatch } from './log-source.ts';
import { type AlertTrace, defaultLabelMapping, type LabelMapping, logFields } from './query.ts';

export const templateKinds = ['elasticsearch', 'loki', 'cloudwatch', 'splunk'] as const;
export type TemplateKind = (typeof templateKinds)[number];

/** What a template of each kind is written in. */
export const templateLanguages: Record<TemplateKind, string> = {
  elasticsearch: 'Lucene query string',
  loki: 'LogQL',
  cloudwatch: 'Logs Insights',
  splunk: 'SPL',
};

const placeholder = /\{\{\s*([\w.]+)\s*\}\}/g;
const values = ['alert', ...logFields];
const placeholderHint = `write {{alert}}, {{${logFields.join('}}, {{')}}} or {{labels.name}}`;

/** A query that is asked instead of the standard one, for incidents that match. */
export const logTemplate = z
  .strictObject({
    kind: z.enum(templateKinds),
    /** Of the log source; absent: of every source of this kind. */
    source: z.string().min(1).max(100).optional(),
    match: logTemplateMatch.default({}),
    /** In the language of the kind. */
    query: z.string().trim().min(1).max(4000),
  })
  .superRefine(({ kind, query }, context) => {
    const message = templateProblem(kind, query);
    if (message !== undefined) context.addIssue({ code: 'custom', path: ['query'], message });
  });
export type LogTemplate = z.infer<typeof logTemplate>;

/** What is wrong with it, and what to write instead. */
function templateProblem(kind: TemplateKind, query: string): string | undefined {
  if (kind === 'loki' && !query.startsWith('{'))
    return 'begin with a stream selector, such as {app={{service}}}';
  if (kind === 'cloudwatch' && !/^(?:filter|parse|fields)\s/.test(query)) {
    return "begin with a command that chooses or adds, such as 'filter service = {{service}}'";
  }
  if (kind === 'cloudwatch' && /\|\s*(?:stats|limit|sort|dedup|display|diff|pattern)\b/.test(query)) {
    return 'choose lines only: how many there are and in which order is added';
  }
  const found = [...query.matchAll(placeholder)];
  for (const match of found) {
    const name = match[1] ?? '';
    if (!values.includes(name) && !/^labels\.[A-Za-z_]\w*$/.test(name)) {
      return `{{${name}}} stands for nothing: ${placeholderHint}`;
    }
    const before = query.slice(0, match.index);
    if (insideLiteral(kind, before)) {
      return `{{${name}}} stands for a whole quoted value: take away the quotes or slashes around it`;
    }
    if (
      !/(?:^|[\s=(,[:])$/.test(before) ||
      !/^(?:$|[\s),\]}|])/.test(query.slice(match.index + match[0].length))
    ) {
      return kind === 'loki' && before.endsWith('~')
        ? `compare {{${name}}} with '=': after '~' its characters would be a pattern`
        : `{{${name}}} stands for a whole value: leave nothing directly before or after it`;
    }
    if (kind === 'loki' && /~\s*$/.test(before)) {
      return `compare {{${name}}} with '=' or '|=': after '~' its characters would be a pattern`;
    }
  }
  const rest = query.replaceAll(placeholder, '');
  return /\{\{|\}\}/.test(rest) ? `not understood between {{ and }}: ${placeholderHint}` : undefined;
}

/** Whether a string or a regular expression is open at the end of `text`. */
function insideLiteral(kind: TemplateKind, text: string): boolean {
  const marks = kind === 'cloudwatch' || kind === 'splunk' ? `"'\`` : '"`';
  const slashes = kind === 'elasticsearch' || kind === 'cloudwatch';
  let open = '';
  for (let i = 0; i < text.length; i++) {
    const character = text[i] ?? '';
    if (open !== '') {
      if (character === '\\' && open !== '`') i++;
      else if (character === open) open = '';
    } else if (marks.includes(character)) open = character;
    else if (slashes && character === '/' && /(?:^|[\s(:~])$/.test(text.slice(0, i))) open = '/';
  }
  return open !== '';
}

export type RenderedTemplate = { statement: string } | { missing: string };

/**
 * The template with the values of `alert`, each as one literal of the source's language. `missing` says in words what
 * the alert lacks, or what cannot be written in that language.
 */
export function renderTemplate(
  template: LogTemplate,
  alert: Pick<AlertTrace, 'labels'>,
  quote: (value: string) => string | null,
  mapping: LabelMapping = defaultLabelMapping,
): RenderedTemplate {
  const missing: string[] = [];
  const statement = template.query.replaceAll(placeholder, (_whole, name: string) => {
    const value = labelValue(name, alert.labels, mapping);
    if (!value) {
      missing.push(`the alert has no ${name}`);
      return '';
    }
    const literal = quote(value);
    if (literal === null)
      missing.push(`the value of ${name} cannot be written in ${templateLanguages[template.kind]}`);
    return literal ?? '';
  });
  return missing[0] === undefined ? { statement } : { missing: missing[0] };
}

function labelValue(name: string, labels: Record<string, string>, mapping: LabelMapping): string | undefined {
  const candidates =
    name === 'alert'
      ? ['alertname']
      : name.startsWith('labels.')
        ? [name.slice('labels.'.length)]
        : (mapping[name as keyof LabelMapping] ?? []);
  const value = candidates.map((label) => labels[label]?.trim()).find(Boolean);
  return value?.toWellFormed().replaceAll('\u0000', '').slice(0, 500);
}
