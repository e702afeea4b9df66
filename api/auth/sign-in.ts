import { adoptTimeZone } from '../../db/contact-rules.ts';
import type { Database } from '../../db/database.ts';
import {
  createSession,
  endSession,
  findSignIn,
  findSignInLink,
  getPerson,
  useSignInLink,
} from '../../db/identity.ts';
import { createAttempts } from './attempts.ts';
import { UnauthenticatedError } from './errors.ts';
import { verifyPassword } from './passwords.ts';
import type { Principal } from './principal.ts';

export interface SignedIn {
  /** For setSessionCookie. */
  token: string;
  csrfToken: string;
  expiresAt: Date;
}

/** Where an attempt comes from: the address limits attempts, the agent is shown in the list of sessions. */
export interface Visitor {
  address: string;
  userAgent: string;
}

/** Who opens a link comes for the first time: their browser knows in which zone (IANA) they read times. */
export interface LinkVisitor extends Visitor {
  timeZone?: string | undefined;
}

export interface SignIn {
  /** Throws UnauthenticatedError, TooManyAttemptsError. */
  byPassword(given: { email: string; password: string }, visitor: Visitor): Promise<SignedIn>;
  /** Who the link is for, or undefined when it was used or has expired. Does not use it. */
  lookAtLink(token: string): Promise<{ email: string; name: string } | undefined>;
  /** Uses the link up. Throws UnauthenticatedError, TooManyAttemptsError. */
  byLink(token: string, visitor: LinkVisitor): Promise<SignedIn>;
  signOut(principal: Principal): Promise<void>;
}

const sessionDays = 30;
const attemptsPerWindow = 10;
const windowMs = 60_000;

export function createSignIn(deps: { db: Pick<Database, 'unscoped' | 'read' | 'write'> }): SignIn {
  const attempts = createAttempts(attemptsPerWindow, windowMs);

  async function begin(
    orgId: string,
    userId: string,
    visitor: LinkVisitor,
    linkId?: string,
  ): Promise<SignedIn> {
    const expiresAt = new Date(Date.now() + sessionDays * 86_400_000);
    return await deps.db.write({ orgId }, async (tx) => {
      const person = await getPerson(tx, userId);
      if (!person || person.disabledAt) throw new UnauthenticatedError('this user is disabled');
      if (linkId !== undefined && !(await useSignInLink(tx, linkId))) throw linkGone();
      const { userAgent, timeZone } = visitor;
      if (timeZone !== undefined) await adoptTimeZone(tx, { orgId, userId, timeZone });
      const session = await createSession(tx, { orgId, userId, userAgent, expiresAt, actor: person.email });
      return { ...session, expiresAt };
    });
  }

  return {
    async byPassword({ email, password }, visitor) {
      const keys = [`address ${visitor.address}`, `email ${email.trim().toLowerCase()}`];
      attempts.take(keys, Date.now());
      const candidates = await findSignIn(deps.db, email);
      for (const candidate of candidates) {
        if (await verifyPassword(candidate.passwordHash, password)) {
          attempts.forget(keys);
          return await begin(candidate.orgId, candidate.userId, visitor);
        }
      }
      if (candidates.length === 0) await verifyPassword(undefined, password);
      throw new UnauthenticatedError('the mail address or the password is wrong');
    },

    async lookAtLink(token) {
      const link = await findSignInLink(deps.db, token);
      if (!link) return undefined;
      const person = await deps.db.read({ orgId: link.orgId }, (tx) => getPerson(tx, link.userId));
      return person && { email: person.email, name: person.name };
    },

    async byLink(token, visitor) {
      const keys = [`address ${visitor.address}`];
      attempts.take(keys, Date.now());
      const link = await findSignInLink(deps.db, token);
      if (!link) throw linkGone();
      const signedIn = await begin(link.orgId, link.userId, visitor, link.linkId);
      attempts.forget(keys);
      return signedIn;
    },

    async signOut(principal) {
      const { orgId, userId, email, session } = principal;
      if (!session) return;
      await deps.db.write({ orgId }, (tx) =>
        endSession(tx, { orgId, userId, sessionId: session.id, actor: email }),
      );
    },
  };
}

function linkGone(): UnauthenticatedError {
  return new UnauthenticatedError(
    'the sign-in link was used already or has expired: ask for another one, or sign in with the password',
  );
}
