import { z } from 'zod';

/**
 * OTLP's JSON form (camel case, ids in hexadecimal, 64-bit numbers as text or number), which the binary one is brought
 * into too. Of a value that is not as it should be only its record is refused.
 */
/** A list whose entries are looked at one by one, later: millions may be in it. */
const list = z.custom<unknown[]>(Array.isArray, 'write a list');

const group = { resource: z.object({ attributes: list.optional() }).nullish() };

/** The records are checked one by one. */
export const tracesRequest = z.object({
  resourceSpans: z
    .array(
      z.object({
        ...group,
        scopeSpans: z.array(z.object({ spans: list.default([]) })).default([]),
      }),
    )
    .default([]),
});

export const logsRequest = z.object({
  resourceLogs: z
    .array(
      z.object({
        ...group,
        scopeLogs: z.array(z.object({ logRecords: list.default([]) })).default([]),
      }),
    )
    .default([]),
});

const nanoseconds = z.union([z.string().regex(/^\d{1,20}$/), z.number().nonnegative()]);

/** What is no pair of key and value is passed over: an attribute that nobody can read says nothing. */
const attributes = list.default([]);

const eventsRead = 128;

export const otlpSpan = z.object({
  traceId: z
    .string()
    .regex(/^(?!0+$)[0-9a-f]{32}$/i, 'traceId is not 32 hexadecimal digits')
    .transform((id) => id.toLowerCase()),
  spanId: z
    .string()
    .regex(/^(?!0+$)[0-9a-f]{16}$/i, 'spanId is not 16 hexadecimal digits')
    .transform((id) => id.toLowerCase()),
  parentSpanId: z
    .string()
    .regex(/^([0-9a-f]{16})?$/i, 'parentSpanId is not 16 hexadecimal digits')
    // zeros mean none
    .transform((id) => id.toLowerCase().replace(/^0+$/, ''))
    .nullish(),
  name: z.string().default(''),
  kind: z.union([z.int(), z.string()]).nullish(),
  startTimeUnixNano: nanoseconds,
  endTimeUnixNano: nanoseconds.nullish(),
  attributes,
  events: list
    .default([])
    .transform((events) => events.slice(0, eventsRead))
    .pipe(z.array(z.object({ name: z.string().optional(), attributes }).catch({ attributes: [] }))),
  status: z
    .object({ code: z.union([z.int(), z.string()]).optional(), message: z.string().optional() })
    .nullish(),
});
export type OtlpSpan = z.output<typeof otlpSpan>;

export const otlpLogRecord = z.object({
  timeUnixNano: nanoseconds.nullish(),
  observedTimeUnixNano: nanoseconds.nullish(),
  severityNumber: z.union([z.int(), z.string()]).nullish(),
  severityText: z.string().nullish(),
  body: z.unknown().optional(),
  attributes,
  traceId: z.string().nullish(),
  spanId: z.string().nullish(),
});

/** Milliseconds since 1970 from nanoseconds, with their fraction; null outside of 1970 to 9999. */
export function millisecondsOf(nano: string | number | null | undefined): number | null {
  const ms = Number(nano ?? 0) / 1e6;
  return ms > 0 && ms < 253_402_300_800_000 ? ms : null;
}

export type AttributeValue = string | number | boolean;
export type Attributes = ReadonlyMap<string, AttributeValue>;

const attributesRead = 128;
const longestText = 32_768;

/** The first 128 attributes; lists and maps as JSON. */
export function attributesOf(given: readonly unknown[]): Attributes {
  const read = new Map<string, AttributeValue>();
  for (const pair of given.slice(0, attributesRead)) {
    if (typeof pair !== 'object' || pair === null || !('key' in pair) || typeof pair.key !== 'string')
      continue;
    const value = 'value' in pair ? plainOf(pair.value) : undefined;
    if (value === undefined || value === null) continue;
    read.set(pair.key.slice(0, 200), typeof value === 'object' ? JSON.stringify(value) : value);
  }
  return read;
}

type Plain = AttributeValue | null | undefined | Plain[] | { [key: string]: Plain };
const deepest = 8;

/** An AnyValue as the value that it holds; undefined for none. */
export function plainOf(value: unknown, depth = 0): Plain {
  if (typeof value !== 'object' || value === null || depth > deepest) return undefined;
  if ('stringValue' in value) return String(value.stringValue).slice(0, longestText);
  if ('boolValue' in value) return Boolean(value.boolValue);
  if ('intValue' in value) return Number(value.intValue);
  if ('doubleValue' in value) return Number(value.doubleValue);
  if ('arrayValue' in value) return listIn(value.arrayValue).map((item) => plainOf(item, depth + 1) ?? null);
  if (!('kvlistValue' in value)) return undefined;
  const pairs = listIn(value.kvlistValue).flatMap((pair): [string, Plain][] =>
    typeof pair === 'object' && pair !== null && 'key' in pair && 'value' in pair
      ? [[String(pair.key), plainOf(pair.value, depth + 1)]]
      : [],
  );
  return Object.fromEntries(pairs);
}

function listIn(holder: unknown): unknown[] {
  if (typeof holder !== 'object' || holder === null || !('values' in holder)) return [];
  return Array.isArray(holder.values) ? holder.values.slice(0, 1000) : [];
}
