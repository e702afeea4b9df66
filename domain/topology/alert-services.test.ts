import { describe, expect, test } from 'vitest';
import { observedInAlert } from './alert-services.ts';
import { serviceName, serviceOfHost } from './service-name.ts';

function calls(service: string | null, labels: Record<string, string>): string[] {
  return observedInAlert({ service, labels }).dependencies.map(({ from, to }) => `${from} → ${to}`);
}

describe('what the labels of an alert show', () => {
  test('its own service', () => {
    expect(observedInAlert({ service: 'checkout', labels: { job: 'node' } })).toEqual({
      services: [{ name: 'checkout', kind: 'service' }],
      dependencies: [],
    });
    expect(observedInAlert({ service: null, labels: {} })).toEqual({ services: [], dependencies: [] });
  });

  test.each([
    [
      'Istio',
      null,
      { source_workload: 'productpage', destination_service: 'reviews.shop.svc.cluster.local' },
    ],
    [
      'Istio, canonical',
      'istio-proxy',
      { source_canonical_service: 'productpage', destination_canonical_service: 'reviews' },
    ],
    ['Linkerd', 'productpage', { dst_service: 'reviews' }],
    ["Tempo's service graph", null, { client: 'productpage', server: 'reviews' }],
    ['Envoy', 'productpage', { upstream_cluster: 'outbound|9080||reviews.shop.svc.cluster.local' }],
    ['OpenTelemetry', 'productpage', { peer_service: 'reviews' }],
  ])('%s: who calls whom', (_, service, labels) => {
    expect(calls(service, labels)).toEqual(['productpage → reviews']);
  });

  test('no call of a service to itself, to an address, to what is unknown or behind a passthrough', () => {
    expect(calls('reviews', { destination_service: 'reviews.shop.svc' })).toEqual([]);
    expect(calls('web', { peer_service: '10.0.0.7:5432' })).toEqual([]);
    expect(calls('web', { destination_workload: 'unknown', destination_service: 'unknown' })).toEqual([]);
    expect(calls('web', { upstream_cluster: 'PassthroughCluster' })).toEqual([]);
  });
});

test('a name is what can be stored and means something', () => {
  expect(serviceName(' check\u0000out\n')).toBe('checkout');
  expect(serviceName('x'.repeat(500))).toHaveLength(200);
  expect(serviceName(`${'x'.repeat(199)}🔥`)).toHaveLength(200);
  expect(serviceName('unknown_service:node')).toBeNull();
  expect(serviceName('\u0000')).toBeNull();
});

test('a host inside Kubernetes is its service, any other stands for itself, an address for nothing', () => {
  expect(serviceOfHost('reviews.shop.svc.cluster.local:9080')).toEqual({ name: 'reviews', isHost: false });
  expect(serviceOfHost('reviews')).toEqual({ name: 'reviews', isHost: false });
  expect(serviceOfHost('api.stripe.com.')).toEqual({ name: 'api.stripe.com', isHost: true });
  expect(serviceOfHost('192.168.1.7')).toBeNull();
  expect(serviceOfHost('[::1]:8080')).toBeNull();
});
