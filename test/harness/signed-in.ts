import type { Database } from '../../db/database.ts';
import { createSession, createUser, setMembership } from '../../db/identity.ts';
import type { Role } from '../../domain/roles.ts';

/** A new user with a role in the organization (in a team with `teamId`) and a session of an hour. */
export async function signedIn(
  db: Pick<Database, 'write'>,
  user: { orgId: string; email: string; role: Role; teamId?: string | null },
): Promise<{ userId: string; token: string; csrfToken: string }> {
  const { orgId, email, role, teamId = null } = user;
  return await db.write({ orgId }, async (tx) => {
    const userId = await createUser(tx, { orgId, email, name: role, actor: 'test' });
    await setMembership(tx, { orgId, userId, teamId, role, actor: 'test' });
    const expiresAt = new Date(Date.now() + 3_600_000);
    const session = await createSession(tx, { orgId, userId, userAgent: 'test', expiresAt, actor: email });
    return { userId, ...session };
  });
}
