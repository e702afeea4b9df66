import type { WaitAction } from '../definition.ts';
import { seconds, toMs } from '../written.ts';
import type { StepTypeShape } from './step-type.ts';

const keys = { duration: seconds(0.1, 'duration').describe('Seconds.') };

export const waitType: StepTypeShape<WaitAction, typeof keys> = {
  kind: 'wait',
  keys,
  templates: [],
  defaultTimeoutMs: 60_000,
  read: (written) => ({ kind: 'wait', durationMs: toMs(written.duration) }),
  validate: () => [],
  describe: (action) => `wait ${action.durationMs / 1000} s`,
};
