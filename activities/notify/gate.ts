/**
 * How many messages are on their way to one destination at once: what is slow holds so many of a worker's slots and no
 * more. `enter` answers what is to be called when it is over; undefined: it is full.
 */
export function createGate() {
  const under = new Map<string, number>();
  return {
    enter(destination: string, atMost: number): (() => void) | undefined {
      const count = under.get(destination) ?? 0;
      if (count >= atMost) return undefined;
      under.set(destination, count + 1);
      return () => {
        const left = (under.get(destination) ?? 1) - 1;
        if (left === 0) under.delete(destination);
        else under.set(destination, left);
      };
    },
  };
}
