import { fairTurns, NoTurnError } from '../../domain/fair-turns.ts';
import { HttpError } from '../auth/errors.ts';

/** Changes that one source, or one ingest key, may tell of in a minute: a build farm's, not a loop's. */
export const changesPerMinute = 600;

const minute = 60_000;
/** Transactions of senders that are under way at once: the others of the pool are people's and alerts'. */
const limits = { atOnce: 2, waiting: { ofOne: 32, ofAll: 128 } };

/**
 * Lets in what tells of changes, counted in this process. What is over is refused with 503 and when to come again, as
 * telemetry is.
 */
export function createChangeIntake(perMinute = changesPerMinute) {
  const inTurn = fairTurns(limits);
  const used = new Map<string, number>();
  let since = 0;

  return {
    /** One change of this sender, at `now` (epoch ms). Throws HttpError (503). */
    count(sender: string, now: number): void {
      if (now - since >= minute) {
        used.clear();
        since = now;
      }
      const before = used.get(sender) ?? 0;
      if (before >= perMinute) {
        throw busy(`more than ${perMinute} changes a minute`, Math.ceil((since + minute - now) / 1000));
      }
      used.set(sender, before + 1);
    },

    /** Organizations come one after the other, whoever sends most. Throws HttpError (503). */
    async turn<T>(orgId: string, work: () => Promise<T>): Promise<T> {
      try {
        return await inTurn(orgId, work);
      } catch (error) {
        if (!(error instanceof NoTurnError)) throw error;
        throw busy('more changes come than can be stored', 2);
      }
    },
  };
}

function busy(what: string, seconds: number): HttpError {
  return new HttpError(503, 'Busy', `${what}: send it again in ${seconds} s`, {
    headers: { 'Retry-After': String(seconds) },
  });
}
