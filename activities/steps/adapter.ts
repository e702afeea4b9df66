import type { Finding } from '../../domain/dry-run.ts';
import type { RenderedAction } from '../../domain/runbook/rendered.ts';
import type { SecretSource } from '../secrets/secret-source.ts';
import type { EgressRules } from './egress.ts';
import type { StepOutput } from './output.ts';
import type { ProcessGroup } from './process-group.ts';

/**
 * What carries one kind of step out. What a step may say and how it is described stands in domain/runbook/, since that
 * needs no I/O. An adapter says when it is under way by writing to `output`; the heartbeat is its caller's.
 */
export interface StepAdapter<A extends RenderedAction> {
  /** Looks, without any effect, at what the step would need: connection, permission, target. Never throws. */
  check(action: A, context: CheckContext): Promise<Finding[]>;
  /** One attempt, which ends soon after `signal` is aborted. Nothing that it began goes on afterwards. */
  run(action: A, context: StepContext): Promise<StepResult>;
}

export type StepResult = { ok: true } | { ok: false; error: string };

export type { Finding };

export interface CheckContext {
  /** Milliseconds. */
  timeoutMs: number;
  signal: AbortSignal;
  egress: EgressRules;
  secrets: SecretSource;
  /** What commands see. */
  environment: Readonly<Record<string, string>>;
}

export interface StepContext extends CheckContext {
  output: StepOutput;
  /** The ledger's key of this attempt, by which what it left behind is known again. */
  key: string;
  /** Sent to the target; the same for every attempt of one step. */
  idempotencyKey: string;
  /** Writes a process group down; the command begins when this is done, and not at all if it throws. */
  started(group: ProcessGroup): Promise<void>;
}
