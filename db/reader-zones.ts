import type { Tx } from './database.ts';

/**
 * In which people read times: their own zones (IANA) by lower-case mail address, of those who have set one; of everybody, or
 * of these alone.
 */
export async function readOwnZones(tx: Tx, emails?: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (emails?.length === 0) return new Map();
  const everybody = tx
    .selectFrom('users')
    .select(['email', 'time_zone as timeZone'])
    .where('time_zone', 'is not', null);
  const lower = emails?.map((email) => email.toLowerCase());
  const rows = await (lower ? everybody.where('email', 'in', lower) : everybody).execute();
  return new Map(
    rows.flatMap(({ email, timeZone }) => (timeZone === null ? [] : [[email.toLowerCase(), timeZone]])),
  );
}
