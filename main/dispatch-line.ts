/** What workers have not seen after this came late: then the line is long enough, or too long. */
export const lateAfterMs = 300;

const longest = 200;
const growth = 1.25;

/** How many alerts may be under way. */
export interface DispatchLine {
  readonly length: number;
  /** What was found: whether all places were taken, and how many of those there came late. */
  look(found: { isFull: boolean; late: number }): void;
}

/**
 * Temporal hands tasks out in the order in which they came. What waits for a worker there is passed by nothing; what
 * waits in PostgreSQL is passed by what is worse. So the line at Temporal is only as long as keeps the workers busy: it
 * grows as long as they see two thirds of it in time and shrinks when they do not, which leaves it some `lateAfterMs`
 * long, and when nobody needs it, so that the next storm does not find it as long as the last one left it.
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
      length =
        isFull && late <= length / 3
          ? Math.max(length, Math.min(longest, Math.ceil(length * growth)))
          : Math.max(shortest, Math.floor(length / growth));
    },
  };
}
