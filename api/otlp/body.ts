import type { Request } from 'express';
import { HttpError } from '../auth/errors.ts';
import { InvalidRequestError, parseOrRefuse } from '../errors.ts';
import { createMeter, type Meter } from './meter.ts';
import { decodeLogRecord, decodeResource, decodeSpan, readGroups } from './protobuf.ts';
import { logsRequest, tracesRequest } from './schema.ts';

/** Of answers. */
export const protobufType = 'application/x-protobuf';

/** What a request holds, each record as OTLP's JSON form has it once it is `read`. */
export interface Group {
  /** Attributes of the resource. Throws for broken bytes. */
  attributes(): readonly unknown[];
  records: readonly unknown[];
  /** Throws for broken bytes. */
  read(record: unknown): unknown;
}

export function isProtobuf(request: Request): boolean {
  return ['application/x-protobuf', 'application/protobuf'].includes(mediaTypeOf(request));
}

/** Also of a request without a body, which is a valid one that holds nothing. */
function mediaTypeOf(request: Request): string {
  return (request.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/**
 * Throws InvalidRequestError for what is no OTLP request, HttpError for another type than its two (415) and for more
 * than may come at once (413).
 */
export function groupsOf(request: Request, body: Buffer | undefined, kind: 'spans' | 'logs'): Group[] {
  if (isProtobuf(request)) return fromProtobuf(body ?? Buffer.alloc(0), kind);
  if (mediaTypeOf(request) !== 'application/json') {
    throw new HttpError(415, 'Unsupported media type', `send OTLP as ${protobufType} or as application/json`);
  }
  return fromJson(body ?? Buffer.from('{}'), kind);
}

function fromProtobuf(body: Buffer, kind: 'spans' | 'logs'): Group[] {
  const decode = kind === 'spans' ? decodeSpan : decodeLogRecord;
  try {
    return readGroups(body, createMeter()).map(({ resource, records }) => ({
      attributes: () => (resource ? listIn(decodeResource(resource), 'attributes') : []),
      records,
      read: (record) => (record instanceof Uint8Array ? decode(record) : record),
    }));
  } catch (error) {
    if (error instanceof HttpError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new InvalidRequestError([{ field: 'body', message: `not an OTLP request: ${reason}` }]);
  }
}

function fromJson(body: Buffer, kind: 'spans' | 'logs'): Group[] {
  refuseTooManyValues(body);
  let given: unknown;
  try {
    given = JSON.parse(body.toString('utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message.slice(0, 200) : String(error);
    throw new InvalidRequestError([{ field: 'body', message: `not valid JSON: ${reason}` }]);
  }
  const read = (record: unknown) => record;
  const meter = createMeter();
  if (kind === 'spans') {
    countIn(given, ['resourceSpans', 'scopeSpans', 'spans'], meter);
    return parseOrRefuse(tracesRequest, given).resourceSpans.map(({ resource, scopeSpans }) => ({
      attributes: () => resource?.attributes ?? [],
      records: scopeSpans.flatMap(({ spans }) => spans),
      read,
    }));
  }
  countIn(given, ['resourceLogs', 'scopeLogs', 'logRecords'], meter);
  return parseOrRefuse(logsRequest, given).resourceLogs.map(({ resource, scopeLogs }) => ({
    attributes: () => resource?.attributes ?? [],
    records: scopeLogs.flatMap(({ logRecords }) => logRecords),
    read,
  }));
}

/** Objects, lists and what is in them: 10 MB of usual attributes have two thirds of that. */
const mostValues = 600_000;
const brace = 0x7b;
const bracket = 0x5b;
const comma = 0x2c;

/** Counts before anything is made of them. Such characters in texts count too. Throws HttpError (413). */
function refuseTooManyValues(body: Buffer): void {
  let values = 0;
  // an iterator would take half a second for 10 MB
  for (let at = 0; at < body.length; at++) {
    const byte = body[at];
    if (byte !== brace && byte !== bracket && byte !== comma) continue;
    if (++values > mostValues) {
      throw new HttpError(413, 'Too much at once', 'too many values in one request: send smaller batches');
    }
  }
}

/** Counts groups, scopes and records before the schema looks at each. Throws HttpError (413). */
function countIn(given: unknown, [groups, scopes, records]: [string, string, string], meter: Meter): void {
  const found = listIn(given, groups);
  meter('groups', found.length);
  for (const group of found) {
    const inner = listIn(group, scopes);
    meter('groups', inner.length);
    for (const scope of inner) meter('records', listIn(scope, records).length);
  }
}

function listIn(holder: unknown, key: string): unknown[] {
  const list: unknown = typeof holder === 'object' && holder !== null ? Reflect.get(holder, key) : undefined;
  return Array.isArray(list) ? list : [];
}
