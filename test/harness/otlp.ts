import protobuf from 'protobufjs';

/** What senders of OTLP send, made apart from what Holdfast reads it with: by the published .proto files. */

export interface SpanGiven {
  service: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name?: string;
  /** OTLP's number: 2 server, 3 client, 4 producer, 5 consumer. */
  kind?: number;
  /** Epoch ms. */
  at?: number;
  failed?: string;
  attributes?: Record<string, string | number>;
}

export const traceId = (n: number) => n.toString(16).padStart(32, '0');
export const spanId = (n: number) => n.toString(16).padStart(16, '0');

/** An ExportTraceServiceRequest in OTLP's JSON form: a resource per span. */
export function tracesJson(spans: SpanGiven[]): object {
  return {
    resourceSpans: spans.map(({ service, at = Date.now(), failed, attributes = {}, ...span }) => ({
      resource: { attributes: [attribute('service.name', service)] },
      scopeSpans: [
        {
          scope: { name: 'test', version: '1' },
          spans: [
            {
              name: 'GET /',
              kind: 2,
              ...span,
              startTimeUnixNano: `${Math.round(at)}000000`,
              endTimeUnixNano: `${Math.round(at) + 20}000000`,
              attributes: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
              links: [{ traceId: traceId(1), spanId: spanId(1) }],
              status: failed === undefined ? {} : { code: 2, message: failed },
              flags: 257,
            },
          ],
        },
      ],
    })),
  };
}

export function attribute(key: string, value: string | number) {
  return { key, value: typeof value === 'string' ? { stringValue: value } : { intValue: value } };
}

const proto = `
syntax = "proto3";
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3;
  double double_value = 4; ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7; } }
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
message KeyValue { string key = 1; AnyValue value = 2; }
message Scope { string name = 1; string version = 2; }
message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
message Traces { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; string schema_url = 3; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5;
  int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
  repeated KeyValue attributes = 9; uint32 dropped_attributes_count = 10; repeated Link links = 13;
  Status status = 15; fixed32 flags = 16;
}
message Link { bytes trace_id = 1; bytes span_id = 2; }
message Status { string message = 2; int32 code = 3; }
message Logs { repeated ResourceLogs resource_logs = 1; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; string schema_url = 3; }
message ScopeLogs { Scope scope = 1; repeated LogRecord log_records = 2; string schema_url = 3; }
message LogRecord {
  fixed64 time_unix_nano = 1; int32 severity_number = 2; string severity_text = 3; AnyValue body = 5;
  repeated KeyValue attributes = 6; uint32 dropped_attributes_count = 7; fixed32 flags = 8; bytes trace_id = 9;
  bytes span_id = 10; fixed64 observed_time_unix_nano = 11; string event_name = 12;
}
message TraceResponse { TracePartialSuccess partial_success = 1; }
message TracePartialSuccess { int64 rejected_spans = 1; string error_message = 2; }
message Status4xx { int32 code = 1; string message = 2; }
`;
const { root } = protobuf.parse(proto);

/** The binary form of a request in JSON form. */
export function toProtobuf(type: 'Traces' | 'Logs', json: object): Buffer {
  const message = root.lookupType(type);
  const bytes = JSON.parse(JSON.stringify(json), (key, value) =>
    ['traceId', 'spanId', 'parentSpanId'].includes(key) ? [...Buffer.from(value, 'hex')] : value,
  );
  return Buffer.from(message.encode(message.fromObject(bytes)).finish());
}

export function fromProtobuf(type: 'TraceResponse' | 'Status4xx', body: Uint8Array): unknown {
  const message = root.lookupType(type);
  return message.toObject(message.decode(body), { longs: Number });
}
