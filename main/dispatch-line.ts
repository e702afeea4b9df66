/** What workers have not seen after this came late: then the line is long enough, or too long. */
export const lateAfterMs = 300;

/** Where workers were quick and suddenly are not, all of it stands before what is worse. */
const longest = 100;

/** How many alerts may be under way. */
export interface DispatchLine {
  readonly length: number;
  /** What was found: whether all places were taken, and how many of those there came late. */
  look(found: { isFull: boolean; late: number }): void;
}

/**
 * Temporal hands tasks out in the order in which they came. What waits for a worker there is passed by nothing; what
 * waits in PostgreSQL is passed by what is worse. So the line at Temporal is only as long as keeps the workers busy: it
 * grows slowly as long as they see nearly all of it in time, and is halved when they see a third of it late, or when
 * nobody needs it, so that the next storm does not find it as long as the last one left it.
 * @param shortest how many it always holds
 * @param clock milliseconds
 */
export function createDispatchLine(
  shortest: number,
  clock: () => number = () => performance.now(),
): DispatchLine {
  let length = shortest;
  let changedAt = clock();
  return {
    get length() {
      return length;
    },
    look({ isFull, late }) {
      // what came of the last change is known no sooner
      if (clock() - changedAt < lateAfterMs) return;
      changedAt = clock();
      if (!isFull || late > length / 3) length = Math.max(shortest, Math.floor(length / 2));
      else if (late <= length / 10) length = Math.max(length, Math.min(longest, Math.ceil(length * 1.1)));
    },
  };
}
