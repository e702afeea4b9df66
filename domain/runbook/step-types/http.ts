import { z } from 'zod';
import { type HttpAction, httpMethods, type JsonValue } from '../definition.ts';
import type { PlacedProblem } from '../problems.ts';
import { shownValue, visible } from '../shown-text.ts';
import { fillTemplate, placeholders } from '../template.ts';
import { fillUrl, shownUrl, urlTemplateProblem } from '../url-template.ts';
import { jsonValue, scalar, text } from '../written.ts';
import { type EffectTypeShape, present, type Values } from './step-type.ts';

const spellings = httpMethods.flatMap((method) => [
  method,
  method.toLowerCase(),
  `${method.slice(0, 1)}${method.slice(1).toLowerCase()}`,
]);
const status = z
  .int('write a status as a whole number')
  .min(100, 'a status lies between 100 and 599')
  .max(599, 'a status lies between 100 and 599');

const keys = {
  url: text('url', 4000).describe(
    'http or https. {{variables}} are encoded; a host that is one must be allowed.',
  ),
  method: z.enum(spellings, `write method as one of: ${httpMethods.join(', ')}`).default('GET'),
  headers: z
    .record(
      z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'a header name holds letters, digits and - alone'),
      scalar,
    )
    .optional(),
  body: z
    .union([z.string(), z.record(z.string(), jsonValue), z.array(jsonValue)])
    .optional()
    .describe('Text is sent as it is; a mapping or list as JSON.'),
  expected_status: z
    .union(
      [status, z.array(status).min(1)],
      'write expected_status as a status such as 200, or a list of them',
    )
    .optional()
    .describe('Default: any from 200 to 299.'),
  expect_json: z
    .record(z.string().min(1), jsonValue)
    .optional()
    .describe("Dotted path in the JSON answer → the value that must stand there: 'checks.0.state': up."),
  expect_body: text('expect_body', 4000).optional().describe('Text that the answer must contain.'),
};

export const httpType: EffectTypeShape<HttpAction, typeof keys> = {
  kind: 'http',
  keys,
  templates: ['url', 'headers', 'body', 'expect_json', 'expect_body'],
  inherited: [],
  defaultTimeoutMs: 30_000,
  read: (written) => ({
    kind: 'http',
    method: httpMethods.find((method) => method === written.method.toUpperCase()) ?? 'GET',
    url: written.url,
    headers: Object.fromEntries(
      Object.entries(written.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]),
    ),
    ...present({
      body:
        written.body === undefined
          ? undefined
          : typeof written.body === 'string'
            ? { text: written.body }
            : { json: written.body },
    }),
    expectedStatus: written.expected_status === undefined ? [] : [written.expected_status].flat(),
    expectJson: written.expect_json ?? {},
    ...present({ expectBody: written.expect_body }),
  }),
  *validate(_, action) {
    const url = urlTemplateProblem(action.url);
    if (url) yield { place: ['url'], message: url };
    yield* bodyProblems(action);
    for (const [name, value] of Object.entries(action.headers)) {
      if (/[\r\n\0]/.test(value)) {
        yield { place: ['headers', name], message: 'a header is one line; take the line break out' };
      }
      if (['host', 'content-length', 'transfer-encoding', 'connection'].includes(name)) {
        yield {
          place: ['headers', name],
          message: `the header '${name}' is set by the request itself; take it out`,
        };
      }
    }
  },
  render(action, values) {
    const { url, hostFromVariable } = fillUrl(action.url, values);
    const headers = fillHeaders(action, values);
    for (const [name, value] of Object.entries(headers)) {
      if (!/[^\t\x20-\x7e\x80-\xff]/.test(value)) continue;
      throw new RangeError(
        `the header '${name}' holds a character that a header cannot carry (a line break, or one beyond Latin-1)`,
      );
    }
    const body = action.body && fillBody(action.body, headers, values);
    return {
      kind: 'http',
      method: action.method,
      url,
      hostFromVariable,
      headers,
      ...present({ body }),
      expectedStatus: action.expectedStatus,
      expectJson: fillJson(action.expectJson, values) as Record<string, JsonValue>,
      ...(action.expectBody === undefined ? {} : { expectBody: fillTemplate(action.expectBody, values) }),
    };
  },
  describe(action, values) {
    const headers = fillHeaders(action, values);
    const body = action.body && fillBody(action.body, headers, values, shownValue);
    const expected = action.expectedStatus.length > 0 ? action.expectedStatus.join(' or ') : '2xx';
    return [
      `${action.method} ${shownUrl(action.url, values)}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${shownValue(value)}`),
      ...(body === undefined ? [] : ['', visible(body), '']),
      `expects status ${expected}`,
      ...Object.entries(fillJson(action.expectJson, values) as Record<string, JsonValue>).map(
        ([path, value]) => `expects ${visible(path)} = ${visible(JSON.stringify(value))}`,
      ),
      ...(action.expectBody === undefined
        ? []
        : [`expects the text ${visible(JSON.stringify(fillTemplate(action.expectBody, values)))}`]),
    ].join('\n');
  },
};

function* bodyProblems({ method, headers, body }: HttpAction): Generator<PlacedProblem> {
  if (body && (method === 'GET' || method === 'HEAD')) {
    yield {
      place: ['body'],
      message: `a ${method} request has no body; write method: POST, or take it out`,
    };
  }
  if (!body || !('text' in body) || placeholders(body.text).length === 0) return;
  if (!isForm(headers) && /^\s*[[{<]/.test(body.text)) {
    yield {
      place: ['body'],
      message:
        'a variable inside JSON or XML text could change its structure; write the body as a YAML mapping',
    };
  }
}

function fillHeaders(action: HttpAction, values: Values): Record<string, string> {
  const headers = Object.fromEntries(
    Object.entries(action.headers).map(([name, template]) => [name, fillTemplate(template, values)]),
  );
  if (action.body && 'json' in action.body && !Object.hasOwn(headers, 'content-type')) {
    headers['content-type'] = 'application/json';
  }
  return headers;
}

function fillBody(
  body: NonNullable<HttpAction['body']>,
  headers: Readonly<Record<string, string>>,
  values: Values,
  show?: (value: string) => string,
): string {
  if ('json' in body) return JSON.stringify(fillJson(body.json, values));
  return fillTemplate(body.text, values, isForm(headers) ? encodeURIComponent : show);
}

function isForm(headers: Readonly<Record<string, string>>): boolean {
  return headers['content-type']?.includes('application/x-www-form-urlencoded') ?? false;
}

function fillJson(value: JsonValue, values: Values): JsonValue {
  if (typeof value === 'string') return placeholders(value).length > 0 ? fillTemplate(value, values) : value;
  if (Array.isArray(value)) return value.map((item) => fillJson(item, values));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillJson(item, values)]));
}
