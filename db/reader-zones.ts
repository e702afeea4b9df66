import type { Tx } from './database.ts';

/** In which people read times: their own zones (IANA) by lower-case mail address, of those of them who have set one. */
export async function readOwnZones(tx: Tx, emails: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (emails.length === 0) return new Map();
  const rows = await tx
    .selectFrom('users')
    .select(['email', 'time_zone as timeZone'])
    .where(
      'email',
      'in',
      emails.map((email) => email.toLowerCase()),
    )
    .where('time_zone', 'is not', null)
    .execute();
  return new Map(rows.flatMap(({ email, timeZone }) => (timeZone === null ? [] : [[email, timeZone]])));
}
