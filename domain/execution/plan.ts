import type { NotificationTrigger } from '../notification-rules/rule.ts';
import type { EscalationTarget } from '../policies.ts';
import type { Role } from '../roles.ts';
import type { RunbookMode } from '../runbook/definition.ts';
import type { StepPart } from '../runbook/layout.ts';

/** What an execution runs, as far as the order of things depends on it. */
export interface ExecutionPlan {
  runbook: string;
  mode: RunbookMode;
  target: string;
  requestedBy: string;
  incident: { id: string; number: number } | null;
  /** Levels of the escalation policy: the first hears of what happens, an approval may go on to the others. */
  levels: EscalationTarget[][];
  /** Before the first step, where the mode asks for one. */
  approval: ApprovalPlan;
  /** Whether a signal counts as a vote of 'Temporal operator'. */
  approveBySignal: boolean;
  /** How long a runner has to take a step up before people hear that it is missing; then it is offered again. */
  runnerPatienceMs: number;
  steps: StepPlan[];
  /** What rules of notification wait for: that is announced. Absent where none does. */
  announces?: NotificationTrigger[];
}

/** Whom an approval takes, and how long it waits. */
export interface ApprovalPlan {
  id: string;
  needed: number;
  /** The least role that may vote. */
  role: Role;
  /** Slugs; empty: a member of any team, or of none. */
  teams: string[];
  notRequester: boolean;
  timeoutMs: number;
  onTimeout: 'expire' | 'escalate';
  /** What is asked; empty for the approval before the first step. */
  message: string;
  /** Who is told besides the first level: where not everybody may vote, those who may. */
  voters?: EscalationTarget[];
}

export interface StepPlan {
  name: string;
  part: StepPart;
  work: StepWork;
  timeoutMs: number;
  retries: number;
  retryDelayMs: number;
  continueOnFail: boolean;
  idempotent: boolean;
  /** Null where the step has no undo. */
  undoTimeoutMs: number | null;
  /** Null: Holdfast's own workers. */
  runner: string | null;
  undoRunner: string | null;
  /** Why it is not run, where its variables say so from the start. */
  skipped: string | null;
  /** Outcomes of earlier steps that it needs, all of them. */
  needs: { index: number; status: 'succeeded' | 'failed' | 'skipped' }[];
  /** Done by the execution that this one goes on from: not run again, and undone if it comes to that. */
  takenOver: boolean;
}

/** `effect`: an adapter carries it out. The others are the workflow's own. */
export type StepWork =
  | { kind: 'effect' }
  | { kind: 'wait'; durationMs: number }
  | { kind: 'approval'; approval: ApprovalPlan }
  /** No targets: the first level. */
  | { kind: 'notify'; targets: EscalationTarget[]; message: string };

/** As executions that began before there were approvals in mid-run wrote it into their histories. */
interface FormerPlan extends Omit<ExecutionPlan, 'levels' | 'approval' | 'runnerPatienceMs' | 'steps'> {
  approvers: EscalationTarget[];
  approvalId: string;
  approvalsNeeded: number;
  approvalTimeoutMs: number;
  steps: Pick<
    StepPlan,
    'name' | 'timeoutMs' | 'retries' | 'retryDelayMs' | 'continueOnFail' | 'idempotent' | 'undoTimeoutMs'
  >[];
}

/** The plan in the words of today: a history that is played again may hold one of before. */
export function planOf(given: ExecutionPlan | FormerPlan): ExecutionPlan {
  if (!('approvers' in given)) return given;
  const { approvers, approvalId, approvalsNeeded, approvalTimeoutMs, steps, ...same } = given;
  return {
    ...same,
    levels: [approvers],
    // none of its steps has a runner
    runnerPatienceMs: 0,
    approval: {
      id: approvalId,
      needed: approvalsNeeded,
      role: 'operator',
      teams: [],
      notRequester: false,
      timeoutMs: approvalTimeoutMs,
      onTimeout: 'expire',
      message: '',
    },
    steps: steps.map((step) => ({
      ...step,
      part: 'step',
      work: { kind: 'effect' },
      runner: null,
      undoRunner: null,
      skipped: null,
      needs: [],
      takenOver: false,
    })),
  };
}
