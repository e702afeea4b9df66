import { type ReportSettings, reportSettings, reportSettingsKey } from '../domain/reports/settings.ts';
import type { Tx } from './database.ts';
import { putSetting, readSetting } from './settings.ts';

/** Whose report it is, and who gets it. */
export interface ReportAudience {
  organization: string;
  /** Name of the team whose report it is; null: the organization's. */
  team: string | null;
  /** Lower-case mail addresses, each once. */
  recipients: string[];
  timeZone: string;
}

/** For what an organization has not set; without recipients here either, reports go to its owners. */
export interface ReportDefaults {
  recipients: readonly string[];
  timeZone: string;
}

/** IANA name: the organization's own, else `fallback`. */
export async function readOrganizationZone(tx: Tx, fallback: string): Promise<string> {
  return (await readReportSettings(tx)).timeZone ?? fallback;
}

/**
 * The recipients of the setting, else the default's, else the owners that can still sign in; of a team's report those
 * that the setting names for it.
 */
export async function readReportAudience(
  tx: Tx,
  orgId: string,
  defaults: ReportDefaults,
  teamId: string | null = null,
): Promise<ReportAudience> {
  const settings = await readReportSettings(tx);
  const { name } = await tx
    .selectFrom('organizations')
    .select('name')
    .where('org_id', '=', orgId)
    .executeTakeFirstOrThrow();
  const team =
    teamId === null
      ? null
      : await tx
          .selectFrom('teams')
          .select(['slug', 'name'])
          .where('id', '=', teamId)
          .executeTakeFirstOrThrow();
  const named = [settings.recipients ?? [], defaults.recipients].find((list) => list.length > 0);
  const addresses = team ? (settings.teams?.[team.slug] ?? []) : (named ?? (await ownerAddresses(tx)));
  return {
    organization: name,
    team: team?.name ?? null,
    recipients: [...new Set(addresses.map((address) => address.toLowerCase()))],
    timeZone: settings.timeZone ?? defaults.timeZone,
  };
}

/** Ids of the teams whose reports somebody gets, by slug. */
export async function teamsWithReports(tx: Tx): Promise<string[]> {
  const slugs = Object.keys((await readReportSettings(tx)).teams ?? {});
  if (slugs.length === 0) return [];
  const teams = await tx
    .selectFrom('teams')
    .select('id')
    .where('slug', 'in', slugs)
    .orderBy('slug')
    .execute();
  return teams.map(({ id }) => id);
}

/** More zones than that are counted in the organization's. */
const mostZones = 12;

/** The zones that people have set, those of these addresses first, and of which of the addresses they are. */
export async function readerZones(
  tx: Tx,
  addresses: readonly string[],
): Promise<{ zones: string[]; byAddress: Map<string, string> }> {
  const people = await tx
    .selectFrom('users')
    .select(['email', 'time_zone as zone'])
    .where('time_zone', 'is not', null)
    .where('disabled_at', 'is', null)
    .orderBy('email')
    .execute();
  const wanted = new Set(addresses);
  const known = people
    .flatMap(({ email, zone }) => (zone === null ? [] : [{ email, zone }]))
    .sort((a, b) => Number(wanted.has(b.email)) - Number(wanted.has(a.email)));
  const zones = [...new Set(known.map(({ zone }) => zone))].slice(0, mostZones);
  const own = known.filter(({ email, zone }) => wanted.has(email) && zones.includes(zone));
  return { zones, byAddress: new Map(own.map(({ email, zone }) => [email, zone])) };
}

/** Throws ZodError if the stored setting is none. */
export async function readReportSettings(tx: Tx): Promise<ReportSettings> {
  return reportSettings.parse((await readSetting(tx, reportSettingsKey)) ?? {});
}

/** Replaces the whole setting; what is absent of it has its default again. */
export async function putReportSettings(
  tx: Tx,
  change: { orgId: string; settings: ReportSettings; actor: string },
): Promise<void> {
  const before = await readReportSettings(tx);
  await putSetting(tx, { ...change, key: reportSettingsKey, before });
}

async function ownerAddresses(tx: Tx): Promise<string[]> {
  const rows = await tx
    .selectFrom('memberships as m')
    .innerJoin('users as u', 'u.id', 'm.user_id')
    .select('u.email')
    .where('m.role', '=', 'owner')
    .where('m.team_id', 'is', null)
    .where('u.disabled_at', 'is', null)
    .orderBy('u.email')
    .limit(100)
    .execute();
  return rows.map((row) => row.email);
}
