/** Begins a call when the one before it has ended. */
export type InTurn = <T>(call: () => Promise<T>) => Promise<T>;

/**
 * For the local activities of one workflow: one after the other, in the order in which they were asked for. While
 * a workflow runs they resolve as they end; when its history is played again, those of one workflow task resolve as
 * they were begun. Two at once may so issue what follows from them in another order than the history has it, and
 * the workflow is stuck for good.
 */
export function takeTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (call) => {
    const next = last.then(call);
    last = next.catch(() => {}); // whoever asked hears of it
    return next;
  };
}
