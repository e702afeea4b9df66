import protobuf from 'protobufjs';
import type { Counted, Meter } from './meter.ts';

/**
 * What Holdfast reads of OTLP 1.x in its binary form; fields that are not named here are skipped.
 * https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto
 */
const proto = `
syntax = "proto3";
message AnyValue {
  oneof value {
    string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
    ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7;
  }
}
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
message KeyValue { string key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; }
message SpanStatus { string message = 2; int32 code = 3; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9;
  repeated Event events = 11; SpanStatus status = 15;
}
message LogRecord {
  fixed64 time_unix_nano = 1; int32 severity_number = 2; string severity_text = 3; AnyValue body = 5;
  repeated KeyValue attributes = 6; bytes trace_id = 9; bytes span_id = 10; fixed64 observed_time_unix_nano = 11;
}
message TracePartialSuccess { int64 rejected_spans = 1; string error_message = 2; }
message TraceResponse { TracePartialSuccess partial_success = 1; }
message LogsPartialSuccess { int64 rejected_log_records = 1; string error_message = 2; }
message LogsResponse { LogsPartialSuccess partial_success = 1; }
message RpcStatus { int32 code = 1; string message = 2; }
`;
const { root } = protobuf.parse(proto);
const resourceType = root.lookupType('Resource');
const spanType = root.lookupType('Span');
const logRecordType = root.lookupType('LogRecord');

/** Records of one resource, not yet read: what a body holds is walked first and decoded record by record. */
export interface EncodedGroup {
  resource: Uint8Array | undefined;
  records: Uint8Array[];
}

/**
 * An ExportTraceServiceRequest or ExportLogsServiceRequest, whose outer messages have the same numbers: groups (1) of
 * a resource (1) and scopes (2) with records (2). Each field that is met is counted by `meter`, which throws when
 * there are too many. Throws RangeError or Error for what is no protobuf.
 */
export function readGroups(body: Uint8Array, meter: Meter): EncodedGroup[] {
  return messagesIn(body, 1, meter, 'groups').map((group) => ({
    resource: messagesIn(group, 1, meter, 'groups').at(-1),
    records: messagesIn(group, 2, meter, 'groups').flatMap((scope) => messagesIn(scope, 2, meter, 'records')),
  }));
}

/** The length-delimited fields `number` of a message, as they stand. */
function messagesIn(message: Uint8Array, number: number, meter: Meter, what: Counted): Uint8Array[] {
  const reader = protobuf.Reader.create(message);
  const found: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === number && (tag & 7) === 2) {
      meter(what, 1);
      found.push(reader.bytes());
    } else {
      meter('others', 1);
      reader.skipType(tag & 7);
    }
  }
  return found;
}

/** The attributes of a resource. */
export function decodeResource(resource: Uint8Array): unknown {
  return toPlain(resourceType, resource);
}

export function decodeSpan(record: Uint8Array): unknown {
  return toPlain(spanType, record);
}

export function decodeLogRecord(record: Uint8Array): unknown {
  return toPlain(logRecordType, record);
}

/** Of one record with all that is in it: some 5 ms of decoding. */
const mostValues = 10_000;

/**
 * As OTLP's JSON form has it: ids in hexadecimal, 64-bit numbers as text. Two bytes may become an object, so the
 * values are counted before they are made. Throws RangeError for too many.
 */
function toPlain(type: protobuf.Type, message: Uint8Array): unknown {
  const reader = protobuf.Reader.create(message);
  countValues(type, reader, { end: reader.len, left: mostValues });
  const plain = type.toObject(type.decode(message), { longs: String, enums: Number });
  for (const key of ['traceId', 'spanId', 'parentSpanId']) {
    const value = plain[key];
    if (value instanceof Uint8Array) plain[key] = Buffer.from(value).toString('hex');
  }
  return plain;
}

/** Returns how many more there may be. */
function countValues(
  type: protobuf.Type,
  reader: protobuf.Reader,
  { end, left }: { end: number; left: number },
): number {
  let rest = left;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (--rest < 0) throw new RangeError(`more than ${mostValues} values in one record`);
    const inner = type.fieldsById[tag >>> 3]?.resolve().resolvedType;
    if (inner instanceof protobuf.Type && (tag & 7) === 2) {
      const length = reader.uint32();
      rest = countValues(inner, reader, { end: reader.pos + length, left: rest });
    } else reader.skipType(tag & 7);
  }
  return rest;
}

/** @param type as 'TraceResponse', 'RpcStatus' */
export function encode(type: 'TraceResponse' | 'LogsResponse' | 'RpcStatus', plain: object): Buffer {
  const message = root.lookupType(type);
  return Buffer.from(message.encode(message.fromObject(plain)).finish());
}
