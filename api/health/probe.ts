import { setTimeout as delay } from 'node:timers/promises';

export interface Dependency {
  name: string;
  /** Resolves when the dependency answers. */
  probe(): Promise<void>;
}

export interface DependencyState {
  name: string;
  state: 'up' | 'down';
  milliseconds: number;
  error?: string;
}

/** Asks all at once; what has not answered in `timeoutMs` is down. The error is shown, so it is kept short. */
export async function probeAll(dependencies: Dependency[], timeoutMs = 3000): Promise<DependencyState[]> {
  return await Promise.all(
    dependencies.map(async ({ name, probe }) => {
      const began = performance.now();
      const ended = () => Math.round(performance.now() - began);
      const timer = new AbortController();
      try {
        await Promise.race([
          probe(),
          delay(timeoutMs, undefined, { signal: timer.signal }).then(() => {
            throw new Error(`no answer in ${timeoutMs} ms`);
          }),
        ]);
        return { name, state: 'up' as const, milliseconds: ended() };
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return { name, state: 'down' as const, milliseconds: ended(), error: reason.slice(0, 200) };
      } finally {
        timer.abort();
      }
    }),
  );
}
