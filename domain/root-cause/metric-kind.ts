/** What a metric tells of a service. `errors` are failed requests, whether counted or as a share that succeeded. */
export const metricKinds = ['latency', 'errors', 'saturation', 'traffic', 'other'] as const;
export type MetricKind = (typeof metricKinds)[number];

export interface MetricMeaning {
  kind: MetricKind;
  /** The direction of trouble: 1 when high is bad, -1 when low is, 0 when either may be. */
  bad: 1 | -1 | 0;
}

/**
 * Guessed from the words of its name and its unit, in the vocabulary of Prometheus, OpenTelemetry and CloudWatch:
 * nobody labels metrics with what they mean. The order decides: 'http_request_duration_seconds' is latency though
 * it names requests, 'request_errors_total' is errors, 'cpu_seconds_total' is saturation though it is in seconds.
 */
export function metricMeaning(name: string, unit = ''): MetricMeaning {
  const words = wordsOf(name);
  const has = (pattern: RegExp): boolean => words.some((word) => pattern.test(word));
  if (has(healthy)) return { kind: 'errors', bad: -1 };
  if (has(failed)) return { kind: 'errors', bad: 1 };
  if (has(slow)) return { kind: 'latency', bad: 1 };
  if (has(idle)) return { kind: 'saturation', bad: -1 };
  if (has(resource)) return { kind: 'saturation', bad: 1 };
  if (has(demand)) return { kind: 'traffic', bad: 0 };
  if (has(quantile) || timeUnit.test(unit) || has(timeUnit)) return { kind: 'latency', bad: 1 };
  return { kind: 'other', bad: 0 };
}

/** 'http.server.requestDuration' -> http, server, request, duration. */
function wordsOf(name: string): string[] {
  return name
    .slice(0, 300)
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replaceAll(/response[^a-z0-9]time/g, 'responsetime')
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}

const healthy = /^(availab|success|succe|uptime|up$|health|ready|ok$|apdex|2xx)/;
const failed =
  /^(err|fail|fault|exception|5xx|4xx|500|503|timeout|reject|abort|drop|loss|lost|retr(y|ies|ans)|throttl|refus|un(avail|health|ready)|panic|crash|restart|oom|dead|down)/;
const slow = /^(latenc|duration|responsetime|elapsed|delay|lag|rtt|slow|wait)/;
const idle = /^(idle|free|available|remaining)$/;
const resource =
  /^(cpu|mem|heap|gc|rss|disk|io|iops|fs|swap|load|util|satur|thread|goroutine|pool|conn|queue|backlog|pending|inflight|socket|fd|usage|working|concurren)/;
const demand =
  /^(request|response|req|rps|qps|tps|throughput|workload|traffic|call|invocation|hit|ops|operation|message|net|receive|transmit|rx|tx|rate|count|volume|session)/;
const quantile = /^(p?(50|75|90|95|99|999)|avg|mean|median)$/;
const timeUnit = /^(s|ms|us|ns|sec|seconds?|milliseconds?|microseconds?|millis)$/i;
