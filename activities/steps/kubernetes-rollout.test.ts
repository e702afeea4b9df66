import type { V1DaemonSet, V1Deployment, V1StatefulSet } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { rolloutOf, type Workload } from './kubernetes-rollout.ts';

const metadata = { generation: 2 };
const deployment = (
  status: Partial<V1Deployment['status']>,
  spec: Partial<V1Deployment['spec']> = {},
): Workload => ({
  kind: 'deployment',
  object: {
    metadata,
    spec: { replicas: 3, selector: {}, template: {}, ...spec },
    status: { observedGeneration: 2, ...status },
  } as V1Deployment,
});
const statefulSet = (
  status: Partial<V1StatefulSet['status']>,
  updateStrategy: NonNullable<V1StatefulSet['spec']>['updateStrategy'] = { type: 'RollingUpdate' },
): Workload => ({
  kind: 'statefulset',
  object: {
    metadata,
    spec: { replicas: 3, selector: {}, template: {}, serviceName: '', updateStrategy },
    status: { observedGeneration: 2, replicas: 3, ...status },
  } as V1StatefulSet,
});
const daemonSet = (status: Partial<V1DaemonSet['status']>, type = 'RollingUpdate'): Workload => ({
  kind: 'daemonset',
  object: {
    metadata,
    spec: { selector: {}, template: {}, updateStrategy: { type } },
    status: { observedGeneration: 2, ...status },
  } as V1DaemonSet,
});

describe('a deployment', () => {
  const settled = { replicas: 3, updatedReplicas: 3, availableReplicas: 3 };
  it.each([
    [
      'whose controller has not seen the change',
      { ...settled, observedGeneration: 1 },
      'waiting',
      'until its controller',
    ],
    ['without any status', { observedGeneration: 0 }, 'waiting', 'until its controller'],
    [
      'with fewer updated than wanted',
      { ...settled, updatedReplicas: 1 },
      'waiting',
      '1 of 3 replicas are updated',
    ],
    ['with old replicas left', { ...settled, replicas: 4 }, 'waiting', '1 old replicas'],
    [
      'with surplus replicas left',
      { replicas: 5, updatedReplicas: 5, availableReplicas: 5 },
      'waiting',
      '2 surplus',
    ],
    [
      'with fewer available than updated',
      { ...settled, availableReplicas: 2 },
      'waiting',
      '2 of 3 replicas are available',
    ],
    ['with all available', settled, 'ready', '3 of 3'],
  ])('%s', (_, status, state, words) => {
    expect(rolloutOf(deployment(status))).toMatchObject({ state, words: expect.stringContaining(words) });
  });

  it('that exceeded its progress deadline has failed, once the controller saw the change', () => {
    const conditions = [
      {
        type: 'Progressing',
        status: 'False',
        reason: 'ProgressDeadlineExceeded',
        message: 'ReplicaSet "a" has timed out',
      },
    ];
    expect(rolloutOf(deployment({ ...settled, conditions }))).toEqual({
      state: 'failed',
      words: 'it exceeded its progress deadline (ProgressDeadlineExceeded): ReplicaSet "a" has timed out',
    });
    expect(rolloutOf(deployment({ conditions, observedGeneration: 1 })).state).toBe('waiting');
  });

  it('scaled to nothing is ready when nothing is left', () => {
    expect(rolloutOf(deployment({}, { replicas: 0 })).state).toBe('ready');
    expect(rolloutOf(deployment(settled, { replicas: 0 })).state).toBe('waiting');
  });
});

describe('a stateful set', () => {
  const rolling = { type: 'RollingUpdate', rollingUpdate: { partition: 0 } };
  it.each([
    [
      'with fewer ready than wanted',
      { readyReplicas: 2, updatedReplicas: 3 },
      rolling,
      'waiting',
      '2 of 3 replicas are ready',
    ],
    [
      'with fewer updated than wanted',
      { readyReplicas: 3, updatedReplicas: 2 },
      rolling,
      'waiting',
      '2 of 3 replicas are updated',
    ],
    [
      'with surplus replicas',
      { readyReplicas: 3, replicas: 4, updatedReplicas: 3 },
      rolling,
      'waiting',
      '1 surplus',
    ],
    [
      'with all updated and ready',
      { readyReplicas: 3, updatedReplicas: 3 },
      rolling,
      'ready',
      '3 up to date',
    ],
    [
      'whose partition holds the others back',
      { readyReplicas: 3, updatedReplicas: 1 },
      { type: 'RollingUpdate', rollingUpdate: { partition: 2 } },
      'ready',
      '1 up to date',
    ],
    [
      'between two revisions',
      { readyReplicas: 3, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b' },
      { type: 'RollingUpdate' },
      'waiting',
      '1 of 3 replicas are updated',
    ],
    [
      'updated by hand, by its readiness alone',
      { readyReplicas: 3, currentRevision: 'a', updateRevision: 'b' },
      { type: 'OnDelete' },
      'ready',
      '3 of 3 replicas are ready',
    ],
  ])('%s', (_, status, strategy, state, words) => {
    expect(rolloutOf(statefulSet(status, strategy))).toMatchObject({
      state,
      words: expect.stringContaining(words),
    });
  });
});

describe('a daemon set', () => {
  it.each([
    [
      'with fewer updated than scheduled',
      { updatedNumberScheduled: 1, numberAvailable: 2 },
      'RollingUpdate',
      'waiting',
      '1 of 2 pods are updated',
    ],
    [
      'with fewer available than scheduled',
      { updatedNumberScheduled: 2, numberAvailable: 1 },
      'RollingUpdate',
      'waiting',
      '1 of 2 pods are available',
    ],
    [
      'with all available',
      { updatedNumberScheduled: 2, numberAvailable: 2 },
      'RollingUpdate',
      'ready',
      '2 of 2 pods',
    ],
    [
      'updated by hand, by its availability alone',
      { updatedNumberScheduled: 0, numberAvailable: 2 },
      'OnDelete',
      'ready',
      '2 of 2 pods',
    ],
  ])('%s', (_, status, type, state, words) => {
    expect(rolloutOf(daemonSet({ desiredNumberScheduled: 2, ...status }, type))).toMatchObject({
      state,
      words: expect.stringContaining(words),
    });
  });
});
