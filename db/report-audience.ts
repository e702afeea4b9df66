import { sql } from 'kysely';
import { type ReportSettings, reportSettings, reportSettingsKey } from '../domain/reports/settings.ts';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';

/** Whose report it is, and who gets it. */
export interface ReportAudience {
  organization: string;
  /** Lower-case mail addresses, each once. */
  recipients: string[];
  timeZone: string;
}

/** For what an organization has not set; without recipients here either, reports go to its owners. */
export interface ReportDefaults {
  recipients: readonly string[];
  timeZone: string;
}

/** The recipients of the setting, else the default's, else the owners that can still sign in. */
export async function readReportAudience(
  tx: Tx,
  orgId: string,
  defaults: ReportDefaults,
): Promise<ReportAudience> {
  const settings = await readReportSettings(tx);
  const { name } = await tx
    .selectFrom('organizations')
    .select('name')
    .where('org_id', '=', orgId)
    .executeTakeFirstOrThrow();
  const named = [settings.recipients ?? [], defaults.recipients].find((list) => list.length > 0);
  const addresses = named ?? (await ownerAddresses(tx));
  return {
    organization: name,
    recipients: [...new Set(addresses.map((address) => address.toLowerCase()))],
    timeZone: settings.timeZone ?? defaults.timeZone,
  };
}

/** Throws ZodError if the stored setting is none. */
export async function readReportSettings(tx: Tx): Promise<ReportSettings> {
  const row = await tx
    .selectFrom('settings')
    .select('value')
    .where('key', '=', reportSettingsKey)
    .executeTakeFirst();
  return reportSettings.parse(row?.value ?? {});
}

/** Replaces the whole setting; what is absent of it has its default again. */
export async function putReportSettings(
  tx: Tx,
  change: { orgId: string; settings: ReportSettings; actor: string },
): Promise<void> {
  const before = await readReportSettings(tx);
  const value = JSON.stringify(change.settings);
  await tx
    .insertInto('settings')
    .values({ org_id: change.orgId, key: reportSettingsKey, value })
    .onConflict((conflict) =>
      conflict.columns(['org_id', 'key']).doUpdateSet({ value, updated_at: sql<Date>`now()` }),
    )
    .execute();
  await recordAudit(tx, {
    orgId: change.orgId,
    actor: change.actor,
    action: 'settings.changed',
    subject: `settings:${reportSettingsKey}`,
    data: { before, after: change.settings },
  });
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
