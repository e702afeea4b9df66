import type { V1DaemonSet, V1Deployment, V1StatefulSet } from '@kubernetes/client-node';
import type { WorkloadKind } from '../../domain/runbook/definition.ts';

/** A workload as the API server holds it. */
export type Workload =
  | { kind: 'deployment'; object: V1Deployment }
  | { kind: 'statefulset'; object: V1StatefulSet }
  | { kind: 'daemonset'; object: V1DaemonSet };

export interface Rollout {
  state: 'ready' | 'waiting' | 'failed';
  /** How far it is, for people. */
  words: string;
}

const says = (state: Rollout['state'], words: string): Rollout => ({ state, words });

/**
 * How far the controllers are with what the workload's spec asks for, decided as `kubectl rollout status` does
 * (kubectl's polymorphichelpers/rollout_status.go). In addition a workload that scales down is ready only when the
 * surplus pods are gone, and one whose pods are replaced by hand (OnDelete) when its pods are ready, old or new.
 */
export function rolloutOf(workload: Workload): Rollout {
  const { metadata, status } = workload.object;
  if ((metadata?.generation ?? 0) > (status?.observedGeneration ?? 0)) {
    return says('waiting', 'waiting until its controller sees the change');
  }
  if (workload.kind === 'deployment') return deploymentRollout(workload.object);
  if (workload.kind === 'statefulset') return statefulSetRollout(workload.object);
  return daemonSetRollout(workload.object);
}

function deploymentRollout({ spec, status }: V1Deployment): Rollout {
  const late = status?.conditions?.find(
    ({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded',
  );
  if (late) {
    return says(
      'failed',
      `it exceeded its progress deadline (ProgressDeadlineExceeded)${late.message ? `: ${late.message}` : ''}`,
    );
  }
  const wanted = spec?.replicas ?? 1;
  const updated = status?.updatedReplicas ?? 0;
  const all = status?.replicas ?? 0;
  const available = status?.availableReplicas ?? 0;
  if (updated < wanted) return says('waiting', `${updated} of ${wanted} replicas are updated`);
  if (all > updated) return says('waiting', `${all - updated} old replicas have yet to end`);
  if (all > wanted) return says('waiting', `${all - wanted} surplus replicas have yet to end`);
  if (available < updated) return says('waiting', `${available} of ${updated} replicas are available`);
  return says('ready', `${available} of ${wanted} replicas are available and up to date`);
}

function statefulSetRollout({ spec, status }: V1StatefulSet): Rollout {
  const wanted = spec?.replicas ?? 1;
  const ready = status?.readyReplicas ?? 0;
  const all = status?.replicas ?? 0;
  const updated = status?.updatedReplicas ?? 0;
  if (ready < wanted) return says('waiting', `${ready} of ${wanted} replicas are ready`);
  if (all > wanted) return says('waiting', `${all - wanted} surplus replicas have yet to end`);
  if (spec?.updateStrategy?.type === 'OnDelete')
    return says('ready', `${ready} of ${wanted} replicas are ready`);
  const partition = spec?.updateStrategy?.rollingUpdate?.partition;
  if (partition === undefined) {
    return status?.updateRevision === status?.currentRevision
      ? says('ready', `${ready} of ${wanted} replicas are ready and up to date`)
      : says('waiting', `${updated} of ${wanted} replicas are updated`);
  }
  // a partition holds the pods below it back on purpose
  const toUpdate = Math.max(0, wanted - partition);
  if (updated < toUpdate) return says('waiting', `${updated} of ${toUpdate} replicas are updated`);
  return says('ready', `${ready} of ${wanted} replicas are ready, ${updated} up to date`);
}

function daemonSetRollout({ spec, status }: V1DaemonSet): Rollout {
  const wanted = status?.desiredNumberScheduled ?? 0;
  const updated = status?.updatedNumberScheduled ?? 0;
  const available = status?.numberAvailable ?? 0;
  const byHand = spec?.updateStrategy?.type === 'OnDelete';
  if (!byHand && updated < wanted) return says('waiting', `${updated} of ${wanted} pods are updated`);
  if (available < wanted) return says('waiting', `${available} of ${wanted} pods are available`);
  return says('ready', `${available} of ${wanted} pods are available${byHand ? '' : ' and up to date'}`);
}

/** Why a restart would do nothing now. */
export function restartObstacle(workload: Workload): string | undefined {
  if (workload.kind === 'deployment') {
    return workload.object.spec?.paused
      ? 'its rollout is paused, so a restart would do nothing; resume it first (kubectl rollout resume)'
      : undefined;
  }
  return workload.object.spec?.updateStrategy?.type === 'OnDelete'
    ? 'its update strategy is OnDelete, so a restart would replace no pod until somebody deletes it; use RollingUpdate'
    : undefined;
}

export function replicasOf(workload: Workload): number | undefined {
  return workload.kind === 'daemonset' ? undefined : (workload.object.spec?.replicas ?? 1);
}

/** The word of the API's paths and of RBAC rules. */
export function resourceOf(kind: WorkloadKind): string {
  return `${kind}s`;
}
