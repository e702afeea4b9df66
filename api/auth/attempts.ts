import { TooManyAttemptsError } from './errors.ts';

export interface Attempts {
  /** Counts one attempt. Throws TooManyAttemptsError when one of `keys` has had its share of the window. */
  take(keys: string[], now: number): void;
  /** A success gives the attempts of these keys back. */
  forget(keys: string[]): void;
}

/** So many attempts per key in so many milliseconds, counted in this process. */
export function createAttempts(limit: number, windowMs: number): Attempts {
  const windows = new Map<string, { count: number; endsAt: number }>();

  function dropEnded(now: number): void {
    for (const [key, window] of windows) if (window.endsAt <= now) windows.delete(key);
  }

  return {
    take(keys, now) {
      if (windows.size > 50_000) dropEnded(now);
      for (const key of keys) {
        const present = windows.get(key);
        const window = present && present.endsAt > now ? present : { count: 0, endsAt: now + windowMs };
        if (window.count >= limit) throw new TooManyAttemptsError(Math.ceil((window.endsAt - now) / 1000));
        windows.set(key, { ...window, count: window.count + 1 });
      }
    },
    forget(keys) {
      for (const key of keys) windows.delete(key);
    },
  };
}
