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
  required: boolean;
  default?: string;
  /** The alert label that gives the value when nobody gave one; absent: the label of the input's own name. */
  fromLabel?: string;
  /** A value such as '-rf' reads as an option to most commands; it is refused unless this is true. */
  allowLeadingDash: boolean;
  /** Masked in descriptions and output. */
  secret: boolean;
}

/** `manual`: people start it. `semi_auto`: an alert proposes it and people approve. `auto`: it runs. */
export const runbookModes = ['manual', 'semi_auto', 'auto'] as const;
export type RunbookMode = (typeof runbookModes)[number];

export interface ExecutionRules {
  mode: RunbookMode;
  approvalsNeeded: number;
  approvalTimeoutMs: number;
  maxPerHour: number;
  cooldownMs: number;
  /** What only one execution at a time may work on; may hold `{{vars}}`. Absent: the service. */
  target?: string;
  /** Hosts (names, '*.example.com', addresses, networks) that a URL whose host is a variable may have. */
  allowedHosts: string[];
}

export type StepType = 'command' | 'http';

export interface StepDefinition {
  name: string;
  type: StepType;
  timeoutMs: number;
  /** Attempts after the first. */
  retries: number;
  retryDelayMs: number;
  continueOnFail: boolean;
  /** Whether it may be run again when a crash left its outcome unknown. */
  idempotent: boolean;
  action: StepAction;
  /** Undoes the step; may run more than once. */
  rollback?: { action: StepAction; timeoutMs: number };
}

export type StepAction = CommandAction | HttpAction;

/** Text with `{{vars}}` still in it. */
export type Template = string;

export interface CommandAction {
  kind: 'command';
  /** `shell`: one line for /bin/sh; `argv`: a program and its arguments, no shell. */
  form: { shell: Template } | { argv: Template[] };
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

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** Where a runbook file is wrong, which rule it breaks, and what mends it. Lines and columns count from 1. */
export interface RunbookProblem {
  file: string;
  line: number;
  col: number;
  message: string;
}
