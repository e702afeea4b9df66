import { describe, expect, test } from 'vitest';
import { metricMeaning } from './metric-kind.ts';

describe('what a metric means, by its name', () => {
  test.each([
    ['latency', 'latency', 1],
    ['latency p99', 'latency', 1],
    ['http_server_request_duration_seconds', 'latency', 1],
    ['ResponseTime', 'latency', 1],
    ['http.server.response_time', 'latency', 1],
    ['latency-50', 'latency', 1],
    ['availability', 'errors', -1],
    ['success_rate', 'errors', -1],
    ['error', 'errors', 1],
    ['http_requests_5xx_total', 'errors', 1],
    ['rpc_failures_per_second', 'errors', 1],
    ['requests', 'traffic', 0],
    ['workload', 'traffic', 0],
    ['throughput', 'traffic', 0],
    ['cpu', 'saturation', 1],
    ['container_cpu_usage_seconds_total', 'saturation', 1],
    ['mem', 'saturation', 1],
    ['container_memory_working_set_bytes', 'saturation', 1],
    ['cpu_idle', 'saturation', -1],
    ['free_memory', 'saturation', -1],
    ['queue_depth', 'saturation', 1],
    ['http_responses_total', 'traffic', 0],
    ['container_network_receive_bytes_total', 'traffic', 0],
    ['unhealthy_hosts', 'errors', 1],
    ['something else', 'other', 0],
  ])('%s is %s', (name, kind, bad) => {
    expect(metricMeaning(name)).toEqual({ kind, bad });
  });

  test('its unit decides where the name says nothing', () => {
    expect(metricMeaning('checkout', 'ms')).toEqual({ kind: 'latency', bad: 1 });
    expect(metricMeaning('checkout')).toEqual({ kind: 'other', bad: 0 });
  });
});
