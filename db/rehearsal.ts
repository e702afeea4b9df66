import { type Edited, withEdited } from '../domain/rehearsal/edited.ts';
import { readableFrom } from '../domain/rehearsal/feed.ts';
import type { MadeUpIncident } from '../domain/rehearsal/request.ts';
import type { Configuration, Failure } from '../domain/rehearsal/situation.ts';
import { readRulesInForce, rulesForAlert } from './correlation-rules.ts';
import type { Database, Scope, Tx } from './database.ts';
import { listOwnerAddresses, readDirectory } from './directory.ts';
import { listNotificationRules } from './notification-rules.ts';
import { listPastIncidents } from './past-incidents.ts';
import { listEscalationPolicies, listNotificationChannels, UnknownReferenceError } from './policies.ts';
import { createPreviewThread } from './preview-thread.ts';
import { readOwnZones } from './reader-zones.ts';
import type { RehearsalTask, Rehearsed } from './rehearsal-thread.ts';
import { asActive, listSilences } from './silences.ts';
import { listSlaCalendars } from './sla-calendars.ts';
import { listSlaPolicies } from './sla-policies.ts';
import { listTeams } from './teams.ts';

export interface RehearsalRequest {
  edited: Edited;
  /** One incident that is made up, or a week (epoch milliseconds). */
  what: { incident: MadeUpIncident; failures: Failure[] } | { from: number; to: number };
  /** IANA name, of the organization: nights are there for whoever has said no zone. */
  organizationZone: string;
}

export type RehearsalAnswer = Rehearsed & {
  /** There were more incidents in the week than are looked at: the latest are left out. */
  incidentsCut: boolean;
  /** How many of the week were looked at. */
  incidentsSeen: number;
};

const dayMs = 86_400_000;
const weekMs = 7 * dayMs;
const incidentsLimit = 500;
/** As HOLDFAST_REOPEN_WINDOW is where nobody sets it; rules of correlation that say one go before it. */
const usualReopenWindowMs = 15 * 60_000;

const noPolicy =
  "Nobody would be told of this incident: no escalation policy is for it, and there is none named 'default', which takes what no other matches. Put one at /api/v1/escalation-policies/default, or by Settings, Escalation.";

/**
 * Rehearses what somebody has edited, beside all that stands, in a thread of its own. Nothing is stored or sent.
 * Throws NotTriedError, and UnknownReferenceError where no policy is for an incident that is made up.
 */
export function createRehearsal(db: Pick<Database, 'read'>) {
  const tryOut = createPreviewThread<RehearsalTask, Rehearsed>({
    file: new URL('./rehearsal-thread.ts', import.meta.url),
    messages: {
      busy: 'Another rehearsal is under way: try again in some seconds.',
      tooMuch: 'This rehearsal takes too long: rehearse a single situation, or a policy with fewer passes.',
    },
  });

  return async (
    scope: Scope,
    { edited, what, organizationZone: timeZone }: RehearsalRequest,
    left: AbortSignal,
  ): Promise<RehearsalAnswer> => {
    let incidentsCut = false;
    let incidentsSeen = 0;
    const read = () =>
      db.read(scope, async (tx): Promise<RehearsalTask> => {
        if ('incident' in what) {
          const { incident, failures } = what;
          const { openedAt } = incident;
          const standing = await readStanding(tx, { from: openedAt, to: openedAt + weekMs });
          const team = incident.team ?? (await teamOf(tx, incident.feed[0]?.alert.labels ?? {}));
          const configuration = withEdited(standing, edited);
          const made = { ...incident, team };
          if (readableFrom(made, configuration, openedAt) === Infinity) {
            throw new UnknownReferenceError('policy', noPolicy);
          }
          return { kind: 'situation', incident: made, failures, configuration };
        }
        const { from, to } = what;
        const standing = await readStanding(tx, { from, to: to + dayMs });
        const found = await listPastIncidents(tx, {
          from: new Date(from),
          to: new Date(to),
          limit: incidentsLimit + 1,
        });
        incidentsCut = found.length > incidentsLimit;
        const incidents = found.slice(0, incidentsLimit);
        incidentsSeen = incidents.length;
        const zones = await readOwnZones(tx);
        const configured = { standing, edited: isEmpty(edited) ? standing : withEdited(standing, edited) };
        return { kind: 'week', incidents, ...configured, zones, timeZone };
      });
    const rehearsed = await tryOut(scope.orgId, read, left);
    return { ...rehearsed, incidentsCut, incidentsSeen };
  };
}

/** What incidents go by as it stands, with who is on call from `from` to `to` (epoch milliseconds). */
export async function readStanding(
  tx: Tx,
  { from, to }: { from: number; to: number },
): Promise<Configuration> {
  const silences = await listSilences(tx, { now: new Date(from) });
  const { organization } = await readRulesInForce(tx);
  return {
    policies: await listEscalationPolicies(tx),
    slaPolicies: await listSlaPolicies(tx),
    calendars: new Map((await listSlaCalendars(tx)).map(({ name, definition }) => [name, definition])),
    rules: await listNotificationRules(tx),
    silences: silences.map(asActive).filter((silence) => silence.from < to),
    directory: await readDirectory(tx, 'all', { at: from, to }),
    slack: await readSlack(tx),
    reopenWindowMs: organization.reopenWindowMs ?? usualReopenWindowMs,
    owners: await listOwnerAddresses(tx),
  };
}

/** Slug of the team that owns what has these labels, as correlation finds it; null: nobody in particular. */
async function teamOf(tx: Tx, labels: Record<string, string>): Promise<string | null> {
  const { teamId } = rulesForAlert(await readRulesInForce(tx), labels);
  return (await listTeams(tx)).find(({ id }) => id === teamId)?.slug ?? null;
}

function isEmpty({ overrides = [], ...things }: Edited): boolean {
  return overrides.length === 0 && Object.keys(things).length === 0;
}

/** Which channels have a bot, and whom it would find. */
async function readSlack(tx: Tx): Promise<Configuration['slack']> {
  const channels = await listNotificationChannels(tx);
  const linked = await tx
    .selectFrom('user_identities as l')
    .innerJoin('users as u', 'u.id', 'l.user_id')
    .select('u.email')
    .where('l.provider', '=', 'slack')
    .execute();
  const bots = channels.filter(
    ({ definition }) => definition.type === 'slack' && definition.token !== undefined,
  );
  return {
    bots: new Set(bots.map(({ name }) => name)),
    people: new Set(linked.map(({ email }) => email.toLowerCase())),
  };
}
