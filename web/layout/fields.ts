import type { NotTriedError } from '../../db/preview-thread.ts';

/** A form field as layout/field.hbs draws it: what was typed stays, and what is wrong stands beside it. */
export interface Field {
  id: string;
  name: string;
  label: string;
  value: string;
  type: string;
  hint: string | null;
  problem: string | null;
  optional: boolean;
  readonly: boolean;
  /** Of a textarea; null for an input. */
  rows: number | null;
  /** Of a select; null for anything else. */
  options: { value: string; label: string; selected: boolean }[] | null;
}

/** Problems by field name, as a form's validation answers them. */
export type Problems = Record<string, string>;

/** Of a page that shows a form: refused where something in it is wrong, or where it cannot be tried. */
export function formStatus(problems: Problems, notTried?: NotTriedError | null): 200 | 422 | 503 {
  if (notTried?.why === 'busy') return 503;
  return notTried || Object.keys(problems).length > 0 ? 422 : 200;
}

export function field(
  name: string,
  label: string,
  given: { values?: Record<string, string>; problems?: Problems } & Partial<
    Pick<Field, 'hint' | 'optional' | 'readonly' | 'rows' | 'type' | 'id'>
  > & { choices?: { value: string; label: string }[] } = {},
): Field {
  const value = given.values?.[name] ?? '';
  return {
    id: given.id ?? `field-${name.replaceAll(/[^\w-]/g, '-')}`,
    name,
    label,
    value,
    type: given.type ?? 'text',
    hint: given.hint ?? null,
    problem: given.problems?.[name] ?? null,
    optional: given.optional ?? false,
    readonly: given.readonly ?? false,
    rows: given.rows ?? null,
    options: given.choices?.map((choice) => ({ ...choice, selected: choice.value === value })) ?? null,
  };
}

/** What a posted form holds under `name`: trimmed text, '' where it is absent. */
export function posted(body: unknown, name: string): string {
  if (typeof body !== 'object' || body === null) return '';
  const value = (body as Record<string, unknown>)[name];
  return typeof value === 'string' ? value.trim() : '';
}

/** All values of a repeated field, in order. */
export function postedAll(body: unknown, name: string): string[] {
  if (typeof body !== 'object' || body === null) return [];
  const value = (body as Record<string, unknown>)[name];
  if (typeof value === 'string') return [value.trim()];
  return Array.isArray(value) ? value.map((item) => (typeof item === 'string' ? item.trim() : '')) : [];
}
