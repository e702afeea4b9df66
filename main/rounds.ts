import { setTimeout as sleep } from 'node:timers/promises';

export interface Rounds {
  /** Aborted when it is to stop: a round that takes long looks at it. */
  readonly stopping: AbortSignal;
  /** Lets the round that is under way come to its end. */
  stop(): Promise<void>;
}

export interface RoundsOptions {
  /** Answers 'more' when there is work left that does not wait for the next round. */
  round: (stopping: AbortSignal) => Promise<'more' | undefined>;
  pauseMs: number;
  /** Whether there is a pause before the first round, too. */
  pauseFirst?: boolean;
  /** Told what a round threw; the next one comes all the same. */
  failed: (error: unknown) => void;
}

/** Does something again and again in the background, with a pause after each round, until it is stopped. */
export function startRounds({ round, pauseMs, pauseFirst = false, failed }: RoundsOptions): Rounds {
  const stopping = new AbortController();
  const { signal } = stopping;

  async function run(): Promise<void> {
    if (pauseFirst) await pause(pauseMs, signal);
    while (!signal.aborted) {
      try {
        if ((await round(signal)) === 'more') continue;
      } catch (error) {
        failed(error);
      }
      await pause(pauseMs, signal);
    }
  }

  const running = run();
  return {
    stopping: signal,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** Ends early, without an error, once `stopping` is aborted. */
export function pause(ms: number, stopping: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal: stopping }).catch(() => {});
}
