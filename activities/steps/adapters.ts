import type { RenderedAction } from '../../domain/runbook/rendered.ts';
import type { StepAdapter } from './adapter.ts';
import { createAwsSsmStep } from './aws-ssm.ts';
import { commandAdapter } from './command.ts';
import { httpAdapter } from './http.ts';
import { createKubernetesStep } from './kubernetes.ts';
import { findPod } from './kubernetes-access.ts';
import { createPrometheusAdapter } from './prometheus.ts';
import { createSqlAdapter } from './sql.ts';
import { createSshAdapter } from './ssh.ts';

/** What carries out each kind of action. Libraries that weigh much are loaded when the first step needs them. */
export type StepAdapters = {
  [Kind in RenderedAction['kind']]: StepAdapter<Extract<RenderedAction, { kind: Kind }>>;
};

export interface StepAdapterOptions {
  /** As process.env, for what tools read by themselves: KUBECONFIG, a pod's variables. */
  environment?: Readonly<Record<string, string | undefined>>;
  /** HOLDFAST_SSH_KNOWN_HOSTS; absent: the machine's own. */
  sshKnownHosts?: string;
  /** HOLDFAST_AWS_ENDPOINT. */
  awsEndpoint?: string | undefined;
  /** PROMETHEUS_URL. */
  prometheusUrl?: string | undefined;
}

export function createStepAdapters(options: StepAdapterOptions = {}): StepAdapters {
  const {
    environment = {},
    sshKnownHosts = '/etc/ssh/ssh_known_hosts',
    awsEndpoint,
    prometheusUrl,
  } = options;
  return {
    command: commandAdapter,
    http: httpAdapter,
    ssh: createSshAdapter({ knownHosts: sshKnownHosts }),
    kubernetes: createKubernetesStep({ kubeconfig: environment.KUBECONFIG, podRoot: findPod(environment) }),
    aws_ssm: createAwsSsmStep({ endpoint: awsEndpoint }),
    sql: createSqlAdapter(),
    prometheus: createPrometheusAdapter({ url: prometheusUrl }),
  };
}

export function adapterFor<A extends RenderedAction>(adapters: StepAdapters, action: A): StepAdapter<A> {
  // the map's type ties each kind to its action
  return adapters[action.kind] as unknown as StepAdapter<A>;
}
