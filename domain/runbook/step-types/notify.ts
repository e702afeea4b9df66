import { z } from 'zod';
import { targetName } from '../../escalation/pages.ts';
import type { EscalationTarget } from '../../policies.ts';
import type { NotifyAction } from '../definition.ts';
import { shownValue, visible } from '../shown-text.ts';
import { fillTemplate } from '../template.ts';
import { text } from '../written.ts';
import type { StepTypeShape } from './step-type.ts';

const target = z.union(
  [
    z.strictObject({ channel: text('channel', 200) }),
    z.strictObject({ user: z.email() }),
    z.strictObject({ email: z.email() }),
  ],
  "write who is told as {channel: name}, {user: 'ann@example.com'} or {email: 'team@example.com'}",
);

const keys = {
  message: text('message', 2000).describe('What is said; may hold {{variables}}.'),
  to: z
    .array(target, 'write to as a list')
    .max(20)
    .default([])
    .describe("Who is told. Default: the first level of the incident's escalation policy."),
};

export const notifyType: StepTypeShape<NotifyAction, typeof keys> = {
  kind: 'notify',
  keys,
  templates: ['message'],
  defaultTimeoutMs: 60_000,
  read: (written) => ({
    kind: 'notify',
    targets: written.to.map(
      (one): EscalationTarget =>
        'channel' in one
          ? { type: 'channel', name: one.channel }
          : 'user' in one
            ? { type: 'user', email: one.user }
            : { type: 'email', address: one.email },
    ),
    message: written.message,
  }),
  validate: () => [],
  describe(action, values) {
    const names = action.targets.map((one) =>
      one.type === 'channel' ? `channel ${one.name}` : targetName(one),
    );
    const who = names.length > 0 ? names.join(', ') : 'the first level of the escalation policy';
    return `tell ${visible(who)}: ${fillTemplate(visible(action.message), values, shownValue)}`;
  },
};
