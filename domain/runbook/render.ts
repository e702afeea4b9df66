import type { EffectAction } from './definition.ts';
import type { RenderedAction } from './rendered.ts';
import { effectTypes } from './step-types.ts';

/** Throws RangeError, with the reason for people, where the values do not fit: nothing has run then. */
export function renderAction(action: EffectAction, values: Readonly<Record<string, string>>): RenderedAction {
  return effectTypes[action.kind].render(action, values);
}
