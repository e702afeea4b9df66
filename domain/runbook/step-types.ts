import type { EffectAction, FlowAction, StepAction, StepType } from './definition.ts';
import { approvalType } from './step-types/approval.ts';
import { awsSsmType } from './step-types/aws-ssm.ts';
import { commandType } from './step-types/command.ts';
import { httpType } from './step-types/http.ts';
import { kubernetesType } from './step-types/kubernetes.ts';
import { notifyType } from './step-types/notify.ts';
import { prometheusType } from './step-types/prometheus.ts';
import { runbookType } from './step-types/runbook.ts';
import { sqlType } from './step-types/sql.ts';
import { sshType } from './step-types/ssh.ts';
import type { AnyEffectType, AnyStepType } from './step-types/step-type.ts';
import { waitType } from './step-types/wait.ts';

/** Every kind of step. A new one is a file in step-types/ and a line here. */
export const effectTypes: Record<EffectAction['kind'], AnyEffectType> = {
  command: commandType,
  ssh: sshType,
  http: httpType,
  kubernetes: kubernetesType,
  aws_ssm: awsSsmType,
  sql: sqlType,
  prometheus: prometheusType,
};
const flowTypes: Record<FlowAction['kind'], AnyStepType> = {
  wait: waitType,
  approval: approvalType,
  notify: notifyType,
  runbook: runbookType,
};
export const stepTypeShapes: Record<StepType, AnyStepType> = { ...effectTypes, ...flowTypes };

export function isEffectType(type: StepType): type is EffectAction['kind'] {
  return Object.hasOwn(effectTypes, type);
}

export function isEffect(action: StepAction): action is EffectAction {
  return isEffectType(action.kind);
}
