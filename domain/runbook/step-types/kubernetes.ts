import { z } from 'zod';
import { type KubernetesAction, type WorkloadKind, workloadKinds } from '../definition.ts';
import { shownValue, visible } from '../shown-text.ts';
import { fillTemplate, placeholders } from '../template.ts';
import { flag, secretReference, text, wholeNumber } from '../written.ts';
import { type EffectTypeShape, present } from './step-type.ts';

const operations = ['restart', 'scale', 'wait_ready'] as const;

const keys = {
  operation: z
    .enum(operations, `write operation as one of: ${operations.join(', ')}`)
    .describe(
      'restart: a rollout restart; scale: to `replicas`; wait_ready: change nothing, wait until ready.',
    ),
  workload: text('workload', 400).describe(
    "Its kind and name: 'deployment/checkout', 'statefulset/{{name}}', 'daemonset/agent'.",
  ),
  namespace: text('namespace', 200).default('default'),
  replicas: z
    .union(
      [wholeNumber('replicas', 0, 10_000), text('replicas', 100)],
      'write replicas as a whole number, or as a variable that holds one',
    )
    .optional(),
  kubeconfig: secretReference('kubeconfig')
    .optional()
    .describe('Default: the service account of the pod, or KUBECONFIG of the worker or runner.'),
  context: text('context', 200).optional().describe('A context of the kubeconfig.'),
  wait: flag('wait')
    .default(true)
    .describe('restart and scale end only once the workload is ready again (within `timeout`).'),
};

// https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const subdomain = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
const replicaCount = /^(?:0|[1-9]\d{0,3}|10000)$/;

export const kubernetesType: EffectTypeShape<KubernetesAction, typeof keys> = {
  kind: 'kubernetes',
  keys,
  templates: ['workload', 'namespace', 'replicas'],
  inherited: ['workload', 'namespace', 'kubeconfig', 'context', 'wait'],
  defaultTimeoutMs: 300_000,
  read(written) {
    const { kind, name } = splitWorkload(written.workload);
    return {
      kind: 'kubernetes',
      ...present({ kubeconfig: written.kubeconfig, context: written.context }),
      namespace: written.namespace,
      workload: kind ?? 'deployment',
      name,
      operation:
        written.operation === 'scale'
          ? { do: 'scale', replicas: String(written.replicas ?? '') }
          : { do: written.operation },
      wait: written.wait,
    };
  },
  *validate(written, action) {
    if (!splitWorkload(written.workload).kind) {
      yield {
        place: ['workload'],
        message: `write workload as its kind and name, e.g. deployment/checkout; kinds are ${workloadKinds.join(', ')}`,
      };
    } else if (placeholders(action.name).length === 0 && !subdomain.test(action.name)) {
      yield { place: ['workload'], message: `'${action.name}' is no name of a workload; ${nameRule}` };
    }
    if (placeholders(action.namespace).length === 0 && !label.test(action.namespace)) {
      yield { place: ['namespace'], message: `'${action.namespace}' is no name of a namespace; ${nameRule}` };
    }
    if (written.operation !== 'scale') {
      if (written.replicas !== undefined) {
        yield {
          place: ['replicas'],
          message: 'replicas belongs to operation: scale; take it out',
          atKey: true,
        };
      }
      return;
    }
    const replicas = String(written.replicas ?? '');
    if (written.replicas === undefined) {
      yield { place: [], message: "'replicas' is missing; add how many the workload is scaled to" };
    } else if (placeholders(replicas).length === 0 && !replicaCount.test(replicas)) {
      yield { place: ['replicas'], message: 'write replicas as a whole number from 0 to 10000' };
    }
    if (action.workload === 'daemonset') {
      yield {
        place: ['workload'],
        message: 'a daemonset cannot be scaled: it runs once on each node; write operation: restart',
      };
    }
  },
  render(action, values) {
    const namespace = fillTemplate(action.namespace, values);
    if (!label.test(namespace)) throw new RangeError(`'${namespace}' is no name of a namespace; ${nameRule}`);
    const name = fillTemplate(action.name, values);
    if (!subdomain.test(name)) throw new RangeError(`'${name}' is no name of a workload; ${nameRule}`);
    return {
      kind: 'kubernetes',
      ...present({ kubeconfig: action.kubeconfig, context: action.context }),
      namespace,
      workload: action.workload,
      name,
      operation:
        action.operation.do === 'scale'
          ? { do: 'scale', replicas: replicasOf(fillTemplate(action.operation.replicas, values)) }
          : action.operation,
      wait: action.wait,
    };
  },
  describe(action, values) {
    const fill = (template: string) => shownValue(fillTemplate(template, values));
    const workload = `${action.workload}/${fill(action.name)} in namespace ${fill(action.namespace)}`;
    const where = [
      ...(action.context === undefined ? [] : [` of context ${visible(action.context)}`]),
      ...(action.kubeconfig === undefined ? [] : [` by kubeconfig ${action.kubeconfig}`]),
    ].join('');
    const ready = action.wait ? ', then wait until it is ready' : '';
    const { operation } = action;
    if (operation.do === 'wait_ready') return `wait until ${workload}${where} is ready`;
    return operation.do === 'restart'
      ? `rollout restart of ${workload}${where}${ready}`
      : `scale ${workload}${where} to ${fill(operation.replicas)} replicas${ready}`;
  },
};

const nameRule = 'lower-case letters, digits and - alone, with a letter or digit at both ends';

function splitWorkload(workload: string): { kind?: WorkloadKind; name: string } {
  const slash = workload.indexOf('/');
  const kind = workloadKinds.find((one) => one === workload.slice(0, Math.max(0, slash)));
  return { ...present({ kind }), name: workload.slice(slash + 1) };
}

function replicasOf(value: string): number {
  if (!replicaCount.test(value)) {
    throw new RangeError(`'${value}' is no number of replicas; expected a whole number from 0 to 10000`);
  }
  return Number(value);
}
