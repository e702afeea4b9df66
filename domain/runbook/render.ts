import type { CommandAction, HttpAction, JsonValue, StepAction } from './definition.ts';
import { compileShellLine } from './shell-line.ts';
import { fillTemplate, placeholders } from './template.ts';
import { fillUrl } from './url-template.ts';

/** A step with its values in place: exactly what is run. */
export type RenderedAction = RenderedCommand | RenderedRequest;

export interface RenderedCommand {
  kind: 'command';
  argv: [string, ...string[]];
  requiresSudo: boolean;
}

export interface RenderedRequest {
  kind: 'http';
  method: HttpAction['method'];
  url: URL;
  /** True when the host has to be allowed by the runbook or the configuration. */
  hostFromVariable: boolean;
  headers: Record<string, string>;
  body?: string;
  expectedStatus: number[];
  expectJson: Record<string, JsonValue>;
  expectBody?: string;
}

/** Throws RangeError, with the reason for people, where the values do not fit: nothing has run then. */
export function renderAction(action: StepAction, values: Readonly<Record<string, string>>): RenderedAction {
  return action.kind === 'command' ? renderCommand(action, values) : renderRequest(action, values);
}

function renderCommand(action: CommandAction, values: Readonly<Record<string, string>>): RenderedCommand {
  const { form, requiresSudo } = action;
  if ('shell' in form) {
    const compiled = compileShellLine(form.shell);
    if ('problems' in compiled)
      throw new RangeError(compiled.problems.map(({ message }) => message).join('; '));
    const parameters = compiled.variables.map((name) => fillTemplate(`{{${name}}}`, values));
    return { kind: 'command', argv: ['/bin/sh', '-c', compiled.line, 'sh', ...parameters], requiresSudo };
  }
  const [program = '', ...rest] = form.argv.map((text) => fillTemplate(text, values));
  return { kind: 'command', argv: [program, ...rest], requiresSudo };
}

export function renderRequest(action: HttpAction, values: Readonly<Record<string, string>>): RenderedRequest {
  const { url, hostFromVariable } = fillUrl(action.url, values);
  const headers: Record<string, string> = {};
  for (const [name, template] of Object.entries(action.headers)) {
    const value = fillTemplate(template, values);
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      throw new RangeError(
        `the header '${name}' holds a character that a header cannot carry (a line break, or one beyond Latin-1)`,
      );
    }
    headers[name] = value;
  }
  const body = action.body && renderBody(action.body, headers, values);
  if (action.body && 'json' in action.body && !Object.hasOwn(headers, 'content-type')) {
    headers['content-type'] = 'application/json';
  }
  return {
    kind: 'http',
    method: action.method,
    url,
    hostFromVariable,
    headers,
    ...(body === undefined ? {} : { body }),
    expectedStatus: action.expectedStatus,
    expectJson: fillJson(action.expectJson, values) as Record<string, JsonValue>,
    ...(action.expectBody === undefined ? {} : { expectBody: fillTemplate(action.expectBody, values) }),
  };
}

function renderBody(
  body: NonNullable<HttpAction['body']>,
  headers: Readonly<Record<string, string>>,
  values: Readonly<Record<string, string>>,
): string {
  if ('json' in body) return JSON.stringify(fillJson(body.json, values));
  const isForm = headers['content-type']?.includes('application/x-www-form-urlencoded') ?? false;
  return fillTemplate(body.text, values, isForm ? encodeURIComponent : undefined);
}

function fillJson(value: JsonValue, values: Readonly<Record<string, string>>): JsonValue {
  if (typeof value === 'string') return placeholders(value).length > 0 ? fillTemplate(value, values) : value;
  if (Array.isArray(value)) return value.map((item) => fillJson(item, values));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillJson(item, values)]));
}
