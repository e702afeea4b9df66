import { z } from 'zod';
import { roles } from '../roles.ts';
import type { ApprovalRules } from './definition.ts';
import { flag, wholeNumber } from './written.ts';

/** Who has to agree: the same keys for the start of an execution and for a step that asks in its midst. */
export const approvalKeys = {
  approvals: wholeNumber('approvals', 1, 10)
    .optional()
    .describe('How many different people have to approve. Default: 1.'),
  approver_role: z
    .enum(roles, `write approver_role as one of: ${roles.join(', ')}`)
    .optional()
    .describe('The least role of an approver. Default: operator.'),
  approver_teams: z
    .array(
      z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'write a team by its short name, e.g. payments'),
      'write approver_teams as a list',
    )
    .max(20)
    .optional()
    .describe('Short names of teams that an approver is in one of. Default: any.'),
  not_requester: flag('not_requester')
    .optional()
    .describe('Whoever asked for the execution cannot approve it. Default: false.'),
  approval_timeout: z
    .number('write approval_timeout as a number of minutes')
    .min(0.05, 'approval_timeout must be at least 0.05 minutes')
    .max(10_080, 'approval_timeout must be at most 10080 minutes (a week)')
    .optional()
    .describe('Minutes until an unanswered approval is over. Default: 30.'),
  on_timeout: z
    .enum(['expire', 'escalate'], 'write on_timeout as expire or escalate')
    .optional()
    .describe('escalate: the next level of the escalation policy is asked, each for approval_timeout.'),
};

export const defaultApproval: ApprovalRules = {
  needed: 1,
  role: 'operator',
  teams: [],
  notRequester: false,
  timeoutMs: 1_800_000,
  onTimeout: 'expire',
};

export function readApproval(
  written: z.output<z.ZodObject<typeof approvalKeys>>,
  otherwise: ApprovalRules,
): ApprovalRules {
  return {
    needed: written.approvals ?? otherwise.needed,
    role: written.approver_role ?? otherwise.role,
    teams: written.approver_teams ?? otherwise.teams,
    notRequester: written.not_requester ?? otherwise.notRequester,
    timeoutMs:
      written.approval_timeout === undefined
        ? otherwise.timeoutMs
        : Math.round(written.approval_timeout * 60_000),
    onTimeout: written.on_timeout ?? otherwise.onTimeout,
  };
}

/** '2 approvals by operators of payments, not by who asked, within 30 min' */
export function approvalText(rules: ApprovalRules): string {
  const minutes = rules.timeoutMs / 60_000;
  return [
    `${rules.needed} ${rules.needed === 1 ? 'approval' : 'approvals'} by ${rules.role} or above`,
    ...(rules.teams.length === 0 ? [] : [`of ${rules.teams.join(' or ')}`]),
    ...(rules.notRequester ? ['not by who asked for it'] : []),
    `within ${Number(minutes.toFixed(2))} min`,
    ...(rules.onTimeout === 'escalate' ? ['then the next level is asked'] : []),
  ].join(', ');
}
