import type { RenderedAction } from '../../domain/runbook/rendered.ts';
import type { StepAdapter } from './adapter.ts';
import { commandAdapter } from './command.ts';
import { httpAdapter } from './http.ts';

/** What carries out each kind of action. */
export type StepAdapters = {
  [Kind in RenderedAction['kind']]?: StepAdapter<Extract<RenderedAction, { kind: Kind }>>;
};

export function createStepAdapters(): StepAdapters {
  return { command: commandAdapter, http: httpAdapter };
}

/** Throws RangeError where nothing carries the action out. */
export function adapterFor<A extends RenderedAction>(adapters: StepAdapters, action: A): StepAdapter<A> {
  // the map's type ties each kind to its action
  const adapter = adapters[action.kind] as StepAdapter<A> | undefined;
  if (!adapter) throw new RangeError(`nothing here carries out steps of the type ${action.kind}`);
  return adapter;
}
