import type { EscalationTarget } from '../policies.ts';
import type { Role } from '../roles.ts';
import type { Severity } from '../severity.ts';

/** A validated runbook: what its YAML says, with every default filled in and every time in milliseconds. */
export interface RunbookDefinition {
  name: string;
  description: string;
  category?: string;
  tags: string[];
  triggers: RunbookTrigger[];
  /** By name. Variables that steps use without declaring them stand here too, as required inputs. */
  inputs: Record<string, RunbookInput>;
  execution: ExecutionRules;
  steps: StepDefinition[];
  /** Run after the last step; when one fails, everything is undone. They have no rollback of their own. */
  verify: StepDefinition[];
}

/** An alert calls the runbook when all of a trigger holds. `alertPattern` and the label values are globs. */
export interface RunbookTrigger {
  alertPattern: string;
  /** Absent: any severity. */
  severity?: Severity[];
  /** How long the alert has to fire before the runbook is proposed or run. */
  minDurationMs: number;
  labels: Record<string, string>;
}

export interface RunbookInput {
  description?: string;
  type: InputType;
  /** Values that it may have; absent: any. */
  options?: string[];
  /** A regular expression that the whole value must match. */
  pattern?: string;
  required: boolean;
  default?: string;
  /** The alert label that gives the value when nobody gave one; absent: the label of the input's own name. */
  fromLabel?: string;
  /** Where the worker or runner reads the value when the step begins; such an input is secret and given by nobody. */
  fromSecret?: SecretReference;
  /** A value such as '-rf' reads as an option to most commands; it is refused unless this is true. */
  allowLeadingDash: boolean;
  /** Masked in descriptions and output. */
  secret: boolean;
}

/** `text` takes anything; the others are checked before anything runs. */
export const inputTypes = ['text', 'number', 'boolean', 'host', 'url'] as const;
export type InputType = (typeof inputTypes)[number];

/**
 * Where a secret stands: `env:NAME` (a variable HOLDFAST_SECRET_NAME of the worker or runner), `file:NAME` (a file in
 * its secrets folder) or `ssm:/path` (AWS SSM Parameter Store). Read when it is used and never stored.
 */
export type SecretReference = string;

/** `manual`: people start it. `semi_auto`: an alert proposes it and people approve. `auto`: it runs. */
export const runbookModes = ['manual', 'semi_auto', 'auto'] as const;
export type RunbookMode = (typeof runbookModes)[number];

export interface ExecutionRules {
  mode: RunbookMode;
  approval: ApprovalRules;
  maxPerHour: number;
  cooldownMs: number;
  /** What only one execution at a time may work on; may hold `{{vars}}`. Absent: the service. */
  target?: string;
  /** Hosts (names, '*.example.com', addresses, networks) that may come out of a variable. */
  allowedHosts: string[];
  /** Environments (globs over the alert's label `environment` or `env`) that it may run in; empty: any. */
  environments: string[];
  /** When automation may start it; absent: at any hour. People may start it whenever they want. */
  hours?: BusinessHours;
  /** Runner for every step that names none. */
  runner?: string;
}

/** Days count from Monday = 1 to Sunday = 7; times are 'HH:MM' by the wall clock of `timeZone` (IANA). */
export interface BusinessHours {
  days: number[];
  from: string;
  to: string;
  timeZone: string;
}

/** Who has to agree. */
export interface ApprovalRules {
  /** How many different people. */
  needed: number;
  /** The least role on what it concerns. */
  role: Role;
  /** Slugs of teams; empty: of any team or none. */
  teams: string[];
  /** Whether the one who asked for the execution may not vote. */
  notRequester: boolean;
  timeoutMs: number;
  /** `escalate`: the next level of the escalation policy is asked, each for `timeoutMs`; after the last it expires. */
  onTimeout: 'expire' | 'escalate';
}

export const stepTypes = [
  'command',
  'ssh',
  'http',
  'kubernetes',
  'aws_ssm',
  'sql',
  'prometheus',
  'wait',
  'approval',
  'notify',
  'runbook',
] as const;
export type StepType = (typeof stepTypes)[number];

export interface StepDefinition {
  name: string;
  type: StepType;
  /** For one attempt. Of `wait`, `approval`, `notify` and `runbook`: not used. */
  timeoutMs: number;
  /** Attempts after the first. */
  retries: number;
  retryDelayMs: number;
  continueOnFail: boolean;
  /** Whether it may be run again when a crash left its outcome unknown. */
  idempotent: boolean;
  /** The runner that carries it out; absent: Holdfast's own worker. */
  runner?: string;
  /** All have to hold, otherwise the step is skipped. */
  conditions: StepCondition[];
  action: StepAction;
  /** Undoes the step; may run more than once. */
  rollback?: StepRollback;
}

export interface StepRollback {
  action: EffectAction;
  timeoutMs: number;
  runner?: string;
}

/**
 * `matches` is a glob. `step` names an earlier step of the same runbook. `scope` stands in a layout alone: it is the
 * scope of the runbook that called the step's own one, where the condition comes from there.
 */
export type StepCondition = { scope?: number } & (
  | { variable: string; equals: string }
  | { variable: string; notEquals: string }
  | { variable: string; matches: string }
  | { step: string; status: 'succeeded' | 'failed' | 'skipped' }
);

/** What an adapter carries out, on a worker or a runner. */
export type EffectAction =
  | CommandAction
  | SshAction
  | HttpAction
  | KubernetesAction
  | AwsSsmAction
  | SqlAction
  | PrometheusAction;
/** What the execution's workflow does itself. */
export type FlowAction = WaitAction | ApprovalAction | NotifyAction | RunbookAction;
export type StepAction = EffectAction | FlowAction;

/** Text with `{{vars}}` still in it. */
export type Template = string;

/** `shell`: one line for /bin/sh; `argv`: a program and its arguments, no shell. */
export type CommandForm = { shell: Template } | { argv: Template[] };

export interface CommandAction {
  kind: 'command';
  form: CommandForm;
  requiresSudo: boolean;
}

export interface SshAction {
  kind: 'ssh';
  host: Template;
  port: number;
  user: Template;
  /** A private key in OpenSSH or PEM format. */
  key: SecretReference;
  /** Public host keys ('ssh-ed25519 AAAA…') or fingerprints ('SHA256:…'); empty: the worker's known_hosts decides. */
  hostKeys: string[];
  form: CommandForm;
  requiresSudo: boolean;
}

export const httpMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type HttpMethod = (typeof httpMethods)[number];

export interface HttpAction {
  kind: 'http';
  method: HttpMethod;
  url: Template;
  headers: Record<string, Template>;
  /** Text as it is sent; a mapping in YAML was made JSON, with `{{vars}}` inside its strings. */
  body?: { text: Template } | { json: JsonValue };
  /** One of these must come back; empty: any 2xx. */
  expectedStatus: number[];
  /** Dotted path (`checks.0.state`) → the value that must stand there. */
  expectJson: Record<string, JsonValue>;
  /** Text that the answer must contain. */
  expectBody?: Template;
}

export const workloadKinds = ['deployment', 'statefulset', 'daemonset'] as const;
export type WorkloadKind = (typeof workloadKinds)[number];

export interface KubernetesAction {
  kind: 'kubernetes';
  /** A kubeconfig; absent: the service account of the pod, or the worker's own KUBECONFIG. */
  kubeconfig?: SecretReference;
  context?: string;
  namespace: Template;
  workload: WorkloadKind;
  name: Template;
  operation:
    | { do: 'restart' }
    /** A number, or a variable that holds one. */
    | { do: 'scale'; replicas: Template }
    | { do: 'wait_ready' };
  /** Whether restart and scale end only once the workload is ready again. */
  wait: boolean;
}

export interface AwsSsmAction {
  kind: 'aws_ssm';
  region: Template;
  instanceIds: Template[];
  /** The SSM document. */
  document: string;
  /** Parameter → its values; a shell line in `commands` takes variables quoted, as `command` does. */
  parameters: Record<string, Template[]>;
}

export interface SqlAction {
  kind: 'sql';
  /** A PostgreSQL URL. */
  connection: SecretReference;
  /** Run in one transaction, in order; `{{vars}}` are bind parameters. */
  statements: Template[];
  readOnly: boolean;
  /** Rows that all statements together may change or return; one more and the transaction is rolled back. */
  maxRows: number;
  /** Rows that the last statement must return or change; absent: any number. */
  expectRows?: { least?: number; most?: number };
}

export interface PrometheusAction {
  kind: 'prometheus';
  /** Absent: PROMETHEUS_URL of the worker. */
  url?: Template;
  /** Holds when it returns at least one sample that is not `false` (0 of a `bool` comparison or scalar 0). */
  query: Template;
  /** How often it is asked. */
  intervalMs: number;
  /** How long it has to hold without a break. */
  forMs: number;
}

export interface WaitAction {
  kind: 'wait';
  durationMs: number;
}

export interface ApprovalAction {
  kind: 'approval';
  /** What is asked, for the approver. */
  message: Template;
  rules: ApprovalRules;
}

export interface NotifyAction {
  kind: 'notify';
  /** Empty: the first level of the incident's escalation policy. */
  targets: EscalationTarget[];
  message: Template;
}

export interface RunbookAction {
  kind: 'runbook';
  runbook: string;
  /** Input of the nested runbook → its value. */
  inputs: Record<string, Template>;
}

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** Where a runbook file is wrong, which rule it breaks, and what mends it. Lines and columns count from 1. */
export interface RunbookProblem {
  file: string;
  line: number;
  col: number;
  message: string;
}
