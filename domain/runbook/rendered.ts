import type { HttpMethod, JsonValue, SecretReference, WorkloadKind } from './definition.ts';

/** A step with its values in place: exactly what an adapter carries out. Times are milliseconds. */
export type RenderedAction =
  | RenderedCommand
  | RenderedSsh
  | RenderedRequest
  | RenderedKubernetes
  | RenderedAwsSsm
  | RenderedSql
  | RenderedPrometheus;

export interface RenderedCommand {
  kind: 'command';
  argv: [string, ...string[]];
  requiresSudo: boolean;
}

export interface RenderedSsh {
  kind: 'ssh';
  host: string;
  port: number;
  /** True when the host has to be allowed by the runbook or the configuration. */
  hostFromVariable: boolean;
  user: string;
  key: SecretReference;
  hostKeys: string[];
  /** Quoted for the remote shell where it becomes a line. */
  argv: [string, ...string[]];
  requiresSudo: boolean;
}

export interface RenderedRequest {
  kind: 'http';
  method: HttpMethod;
  url: URL;
  /** True when the host has to be allowed by the runbook or the configuration. */
  hostFromVariable: boolean;
  headers: Record<string, string>;
  body?: string;
  expectedStatus: number[];
  expectJson: Record<string, JsonValue>;
  expectBody?: string;
}

export interface RenderedKubernetes {
  kind: 'kubernetes';
  kubeconfig?: SecretReference;
  context?: string;
  namespace: string;
  workload: WorkloadKind;
  name: string;
  operation: { do: 'restart' } | { do: 'scale'; replicas: number } | { do: 'wait_ready' };
  wait: boolean;
}

export interface RenderedAwsSsm {
  kind: 'aws_ssm';
  region: string;
  instanceIds: string[];
  document: string;
  parameters: Record<string, string[]>;
}

export interface RenderedSql {
  kind: 'sql';
  connection: SecretReference;
  statements: { text: string; parameters: string[] }[];
  readOnly: boolean;
  maxRows: number;
  expectRows?: { least?: number; most?: number };
}

export interface RenderedPrometheus {
  kind: 'prometheus';
  url?: URL;
  hostFromVariable: boolean;
  query: string;
  intervalMs: number;
  forMs: number;
}
