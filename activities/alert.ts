import { log } from '@temporalio/activity';
import { z } from 'zod';
import { markStale, recordProbe } from '../db/alert-silence.ts';
import { type LockTimes, observeAlert, type Sighting } from '../db/correlation.ts';
import { createCorrelationContexts } from '../db/correlation-context.ts';
import type { Database } from '../db/database.ts';
import type { AlertView } from '../domain/alert-lifecycle.ts';

export interface AlertActivityDeps {
  db: Database;
  /** Tells an incident's workflow that its feed is unread, and starts it where it does not run. */
  signalFeedUnread: (incident: { orgId: string; incidentId: string; number: number }) => Promise<void>;
  fetch: typeof fetch;
  /** Of the lock around opening an incident: how long it was waited for and held, in seconds. */
  lockMetrics: { waited: (seconds: number) => void; held: (seconds: number) => void };
}

/** The part of Alertmanager's API v2 that is read: GET /api/v2/alerts. */
const activeAlerts = z.array(z.object({ fingerprint: z.string() }));
const probeTimeoutMs = 10_000;

export function createAlertActivities({ db, signalFeedUnread, fetch, lockMetrics }: AlertActivityDeps) {
  const contextOf = createCorrelationContexts(db);
  return {
    /** Looks at the alert's row, correlates it when it is new, and tells its incident what has changed. */
    async observeAlert(args: {
      orgId: string;
      alertId: number;
      before: Pick<AlertView, 'status' | 'severity'> | null;
    }): Promise<Sighting> {
      const { orgId } = args;
      const context = await contextOf(orgId);
      const lock: LockTimes = {};
      const sighting = await db.write({ orgId }, (tx) => observeAlert(tx, { ...args, context, lock }));
      if (lock.waitedMs !== undefined) lockMetrics.waited(lock.waitedMs / 1000);
      if (lock.takenAt !== undefined) lockMetrics.held((performance.now() - lock.takenAt) / 1000);
      if (sighting.owesSignal) {
        await signalFeedUnread({ orgId, incidentId: sighting.incident.id, number: sighting.incident.number });
      }
      return sighting;
    },

    /**
     * A firing alert was not repeated in time. Where its Alertmanager can be asked, it says whether the alert
     * still fires; where not, the alert is stale, which is not resolved.
     */
    async checkSilence(args: {
      orgId: string;
      alertId: number;
      name: string;
      fingerprint: string;
      lastSeenAt: number;
      alertmanagerUrl: string | null;
    }): Promise<void> {
      const { orgId, alertId } = args;
      const firing =
        args.alertmanagerUrl === null ? null : await askAlertmanager(fetch, args.alertmanagerUrl, args);
      await db.write({ orgId }, async (tx) => {
        if (firing === null) await markStale(tx, alertId, args.lastSeenAt);
        else await recordProbe(tx, alertId, args.lastSeenAt, firing);
      });
    },
  };
}

export type AlertActivities = ReturnType<typeof createAlertActivities>;
export type { Sighting };

/** Whether Alertmanager still knows the alert as firing; null when it cannot be asked. */
async function askAlertmanager(
  fetch: typeof globalThis.fetch,
  baseUrl: string,
  alert: { name: string; fingerprint: string },
): Promise<boolean | null> {
  const url = new URL(`${baseUrl.replace(/\/$/, '')}/api/v2/alerts`);
  url.searchParams.set('filter', `alertname=${JSON.stringify(alert.name)}`);
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(probeTimeoutMs) });
    if (!response.ok) throw new Error(`answered ${response.status}`);
    return activeAlerts
      .parse(await response.json())
      .some(({ fingerprint }) => fingerprint === alert.fingerprint);
  } catch (error) {
    log.warn('Alertmanager could not be asked about a silent alert', {
      url: url.origin,
      error: String(error),
    });
    return null;
  }
}
