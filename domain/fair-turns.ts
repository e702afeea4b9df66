/** There is no turn to be had now: too many wait already, or it was waited for in vain. */
export class NoTurnError extends Error {
  override name = 'NoTurnError';
}

export interface TurnLimits {
  /** Works that are under way at once. */
  atOnce: number;
  /** Works that may wait, of one party and of all together. */
  waiting: { ofOne: number; ofAll: number };
}

/**
 * Gives work its turn. Parties (organizations) come one after the other, whoever asks for most; within a party it goes
 * by the order of asking.
 * @returns what runs the work of a party as soon as it is its turn and answers as it does; throws NoTurnError where
 *   too many wait, and when the signal is aborted before the work has begun
 */
export function fairTurns({ atOnce, waiting }: TurnLimits) {
  const lines = new Map<string, (() => void)[]>();
  let underWay = 0;
  let inLine = 0;

  async function turnOf(party: string, signal: AbortSignal | undefined): Promise<void> {
    if (underWay < atOnce) {
      underWay++;
      return;
    }
    const line = lines.get(party) ?? [];
    if (inLine >= waiting.ofAll || line.length >= waiting.ofOne) throw new NoTurnError('too many wait');
    lines.set(party, line);
    inLine++;
    const turn = Promise.withResolvers<void>();
    line.push(turn.resolve);
    const leave = (): void => {
      const place = line.indexOf(turn.resolve);
      // the turn may have come in the same moment: then it is used
      if (place < 0) return;
      line.splice(place, 1);
      if (line.length === 0) lines.delete(party);
      inLine--;
      turn.reject(new NoTurnError('nobody waits any longer', { cause: signal?.reason }));
    };
    signal?.addEventListener('abort', leave);
    try {
      await turn.promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  /** Hands the turn over, so that nobody gets in between. */
  function next(): void {
    const [first] = lines;
    if (!first) {
      underWay--;
      return;
    }
    const [party, line] = first;
    const begin = line.shift();
    lines.delete(party);
    if (line.length > 0) lines.set(party, line);
    inLine--;
    begin?.();
  }

  return async <T>(party: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
    if (signal?.aborted) throw new NoTurnError('nobody waits any longer', { cause: signal.reason });
    await turnOf(party, signal);
    try {
      return await work();
    } finally {
      next();
    }
  };
}
