/** What a rule's own text may name, as `{{incident.number}}`. */
export const templateFields = [
  'trigger',
  'time',
  'alerts',
  'incident.number',
  'incident.title',
  'incident.severity',
  'incident.service',
  'incident.status',
  'incident.team',
  'incident.cause',
  'execution.runbook',
  'execution.target',
  'execution.status',
  'execution.reason',
] as const;
export type TemplateField = (typeof templateFields)[number];

export type TemplateFacts = Partial<Record<TemplateField, string>>;

const placeholder = /\{\{\s*([^{}]*?)\s*\}\}/g;

/** What a text names that there is not, and '{{' where no field is closed. */
export function unknownFields(text: string): string[] {
  const named = Array.from(text.matchAll(placeholder), ([, field = '']) => field);
  if (text.replaceAll(placeholder, '').includes('{{')) named.push('{{');
  return [...new Set(named.filter((field) => !isField(field)))];
}

/**
 * The text with its fields filled in, each once and as it is: what a fact holds is never looked at for fields again. A
 * fact that is missing, such as the runbook of an incident without one, leaves a dash.
 */
export function fillTemplate(text: string, facts: TemplateFacts): string {
  return text.replaceAll(placeholder, (written, field: string) =>
    isField(field) ? (facts[field] ?? '–') : written,
  );
}

function isField(field: string): field is TemplateField {
  return (templateFields as readonly string[]).includes(field);
}
