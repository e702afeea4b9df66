import type { Request } from 'express';
import { HttpError } from '../auth/errors.ts';
import { InvalidRequestError, parseOrRefuse } from '../errors.ts';
import { decodeLogRecord, decodeSpan, readGroups } from './protobuf.ts';
import { logsRequest, tracesRequest } from './schema.ts';

/** Of answers. */
export const protobufType = 'application/x-protobuf';

/** What a request holds, each record as OTLP's JSON form has it once it is `read`. */
export interface Group {
  /** Attributes of the resource. */
  resource: readonly unknown[];
  records: readonly unknown[];
  read(record: unknown): unknown;
}

export function isProtobuf(request: Request): boolean {
  return ['application/x-protobuf', 'application/protobuf'].includes(mediaTypeOf(request));
}

/** Also of a request without a body, which is a valid one that holds nothing. */
function mediaTypeOf(request: Request): string {
  return (request.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** Throws InvalidRequestError for what is no OTLP request, HttpError (415) for another type than its two. */
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
    return readGroups(body).map(({ resource, records }) => ({
      resource: listIn(resource, 'attributes'),
      records,
      read: (record) => (record instanceof Uint8Array ? decode(record) : record),
    }));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InvalidRequestError([{ field: 'body', message: `not an OTLP request: ${reason}` }]);
  }
}

function fromJson(body: Buffer, kind: 'spans' | 'logs'): Group[] {
  let given: unknown;
  try {
    given = JSON.parse(body.toString('utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message.slice(0, 200) : String(error);
    throw new InvalidRequestError([{ field: 'body', message: `not valid JSON: ${reason}` }]);
  }
  const read = (record: unknown) => record;
  if (kind === 'spans') {
    return parseOrRefuse(tracesRequest, given).resourceSpans.map(({ resource, scopeSpans }) => ({
      resource: resource?.attributes ?? [],
      records: scopeSpans.flatMap(({ spans }) => spans),
      read,
    }));
  }
  return parseOrRefuse(logsRequest, given).resourceLogs.map(({ resource, scopeLogs }) => ({
    resource: resource?.attributes ?? [],
    records: scopeLogs.flatMap(({ logRecords }) => logRecords),
    read,
  }));
}

function listIn(holder: unknown, key: string): unknown[] {
  const list = typeof holder === 'object' && holder !== null ? Reflect.get(holder, key) : undefined;
  return Array.isArray(list) ? list : [];
}
