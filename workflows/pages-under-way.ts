import { ActivityFailure, type CancellationScope, isCancellation, patched } from '@temporalio/workflow';
import { ownScope } from './drive.ts';

interface Batch {
  scope: CancellationScope;
  held: boolean;
}

/** What wakes people and has not arrived: in one scope, so that it is called off as a whole. */
export function pagesUnderWay() {
  let batch: Batch = { scope: ownScope(), held: false };
  return {
    /** Calls off what is on its way (`any`), for good or for now; null: what begins from now on goes. */
    heed(off: 'stopped' | 'held' | null, { any }: { any: boolean }): void {
      if (off === 'stopped') batch.scope.cancel();
      else if (off === null) {
        if (batch.scope.consideredCancelled) batch = { scope: ownScope(), held: false };
      } else if (!batch.held && any && patched('quiet-holds-pages')) {
        // a history of before has what was on its way arrive in the middle of a snooze
        batch.held = true;
        batch.scope.cancel();
      }
    },
    /** `held`: called off for now. Whatever left before that is an outcome as any other. */
    async run<T>(begin: () => Promise<T>): Promise<T | { status: 'called off'; held: boolean }> {
      const own = batch;
      try {
        return await own.scope.run(begin);
      } catch (error) {
        if (!isCancellation(error) && !(own.held && gaveUp(error))) throw error;
        return { status: 'called off', held: own.held };
      }
    },
  };
}

/** The attempt that was under way failed, and there is none after it only because it was called off. */
function gaveUp(error: unknown): boolean {
  return error instanceof ActivityFailure && error.retryState === 'CANCEL_REQUESTED';
}
