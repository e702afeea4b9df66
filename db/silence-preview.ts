import { sql } from 'kysely';
import type { PastAlert } from '../domain/silences/preview.ts';
import type { Silence, SilenceableAlert } from '../domain/silences/silence.ts';
import { teamOfAlert } from './alert-team.ts';
import type { Database, Scope, Tx } from './database.ts';
import { createPreviewThread } from './preview-thread.ts';
import type { SilenceToTry, TriedSilence } from './silence-preview-thread.ts';
import { kindColumns, listOpenKinds } from './silences.ts';
import { teamIdOf } from './teams.ts';
import { ofVisibleIncident } from './visible-incident.ts';

/** What a silence would have caught in the last 30 days, and would catch now. */
export interface FoundBySilence extends TriedSilence {
  since: Date;
  /** There were more alerts than are looked at: the oldest are left out. */
  cut: boolean;
}

const lookBackMs = 30 * 86_400_000;
const alertsLimit = 20_000;

/**
 * Tries a silence on the alerts of the last 30 days, in a thread of its own.
 * Throws UnknownReferenceError for a team that there is not, NotTriedError.
 */
export function createSilencePreview(db: Pick<Database, 'read'>, clock: () => number = Date.now) {
  const tryOut = createPreviewThread<SilenceToTry, TriedSilence>({
    file: new URL('./silence-preview-thread.ts', import.meta.url),
    messages: {
      busy: 'Other silences are being tried: try again in some seconds.',
      tooMuch: 'Trying this silence takes too long: write shorter patterns, or fewer of them.',
    },
  });

  return async (scope: Scope, silence: Silence, left: AbortSignal): Promise<FoundBySilence> => {
    const since = new Date(clock() - lookBackMs);
    let cut = false;
    const read = () =>
      db.read(scope, async (tx) => {
        await teamIdOf(tx, silence.team);
        const alerts = await listAlertsSince(tx, silence, since);
        cut = alerts.length > alertsLimit;
        return { silence, alerts: alerts.slice(0, alertsLimit), open: await listOpenKinds(tx, [silence]) };
      });
    return { ...(await tryOut(scope.orgId, read, left)), since, cut };
  };
}

/** Newest first, with the labels that the silence looks at; none of incidents that the scope does not see. */
async function listAlertsSince(tx: Tx, silence: Silence, since: Date): Promise<PastAlert[]> {
  const { rows } = await sql<SilenceableAlert & { received_at: Date }>`
    select ${kindColumns([silence])}, a.received_at
    from alerts a left join teams t on t.id = ${teamOfAlert('a')}
    where a.received_at > ${since} and ${ofVisibleIncident('a')}
    order by a.received_at desc, a.id desc limit ${alertsLimit + 1}`.execute(tx);
  return rows.map(({ received_at, ...alert }) => ({ ...alert, at: received_at.getTime() }));
}
