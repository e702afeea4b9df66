import { approvalKeys, approvalText, readApproval } from '../approval-rules.ts';
import type { ApprovalAction } from '../definition.ts';
import { shownValue, visible } from '../shown-text.ts';
import { fillTemplate } from '../template.ts';
import { text } from '../written.ts';
import type { StepTypeShape } from './step-type.ts';

const keys = {
  message: text('message', 2000).describe('What is asked, for the approver; may hold {{variables}}.'),
  ...approvalKeys,
};

export const approvalType: StepTypeShape<ApprovalAction, typeof keys> = {
  kind: 'approval',
  keys,
  templates: ['message'],
  defaultTimeoutMs: 60_000,
  read: (written, { approval }) => ({
    kind: 'approval',
    message: written.message,
    rules: readApproval(written, approval),
  }),
  validate: () => [],
  describe: (action, values) =>
    `ask: ${fillTemplate(visible(action.message), values, shownValue)}\n${approvalText(action.rules)}`,
};
