import type { Tx } from '../../db/database.ts';
import { readOrganizationZone } from '../../db/report-audience.ts';

/** In which a person reads times: their own zone, else the organization's, else `fallback`. */
export async function readerZone(tx: Tx, userId: string, fallback: string): Promise<string> {
  const user = await tx
    .selectFrom('users')
    .select('time_zone as timeZone')
    .where('id', '=', userId)
    .executeTakeFirst();
  return user?.timeZone ?? (await readOrganizationZone(tx, fallback));
}
