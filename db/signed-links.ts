import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { sql } from 'kysely';
import { z } from 'zod';
import type { Database, Tx } from './database.ts';

/**
 * Links in mails and cards: they say who may do what to which thing until when, signed, so that nothing is stored until
 * one is used. A token is `<key id>.<claims>.<HMAC-SHA256 of 'key id.claims'>`, each in base64url. It holds the
 * reader's mail address, so it belongs in a message to that reader and nowhere else.
 */
export const linkActions = ['acknowledge', 'approve', 'reject', 'run', 'false_positive', 'view'] as const;
export type LinkAction = (typeof linkActions)[number];

/** No link lives longer, so that a signing key that was replaced this long ago can be retired. */
export const longestLinkMs = 7 * 24 * 3_600_000;

export interface LinkSubject {
  incidentNumber?: number;
  /** Of the incident, and the number of its last event, as the message told of it: a later click is as of then. */
  opening?: number;
  asOf?: number;
  executionId?: string;
  approvalId?: string;
}

export interface LinkGrant {
  orgId: string;
  action: LinkAction;
  subject: LinkSubject;
  /** The mail address that the link was sent to, or, where many read it, what stands for them: it acts in this name. */
  person: string;
  /** Names this link among the used ones. */
  nonce: string;
}

export type LinkProblem = 'invalid' | 'expired' | 'used';

/** For the person who opened the link. */
export const linkProblemTexts: Record<LinkProblem, string> = {
  invalid: 'This link is not valid. Open it from the message again, unbroken, or sign in.',
  expired: 'This link has expired. Sign in, or wait for the next message.',
  used: 'This link has been used already. Sign in to see how things stand.',
};

const claims = z.object({
  o: z.uuid(),
  a: z.enum(linkActions),
  s: z.object({
    i: z.int().positive().optional(),
    o: z.int().positive().optional(),
    f: z.int().nonnegative().optional(),
    e: z.uuid().optional(),
    p: z.uuid().optional(),
  }),
  u: z.string().min(1),
  /** Unix seconds. */
  x: z.int(),
  n: z.string().min(1).max(100),
});

/**
 * A token for `${publicUrl}/l/<token>`. The newest key signs; an organization without one gets it here.
 * `nonce` makes the same link again for a mail that is sent again, so that all its copies work once in all.
 * A link ends after `longestLinkMs` at the latest.
 */
export async function signLink(
  tx: Tx,
  link: {
    orgId: string;
    action: LinkAction;
    subject: LinkSubject;
    person: string;
    expiresAt: Date;
    nonce?: string;
    now?: number;
  },
): Promise<string> {
  const key = (await newestKey(tx, link.orgId)) ?? (await insertKey(tx, link.orgId));
  const latest = (link.now ?? Date.now()) + longestLinkMs;
  const content: z.infer<typeof claims> = {
    o: link.orgId,
    a: link.action,
    s: {
      ...(link.subject.incidentNumber !== undefined && { i: link.subject.incidentNumber }),
      ...(link.subject.opening !== undefined && { o: link.subject.opening }),
      ...(link.subject.asOf !== undefined && { f: link.subject.asOf }),
      ...(link.subject.executionId !== undefined && { e: link.subject.executionId }),
      ...(link.subject.approvalId !== undefined && { p: link.subject.approvalId }),
    },
    u: link.person,
    x: Math.floor(Math.min(link.expiresAt.getTime(), latest) / 1000),
    n: link.nonce ?? randomBytes(12).toString('base64url'),
  };
  const keyPart = Buffer.from(key.id.replaceAll('-', ''), 'hex').toString('base64url');
  const signed = `${keyPart}.${Buffer.from(JSON.stringify(content)).toString('base64url')}`;
  return `${signed}.${signature(key.secret, signed).toString('base64url')}`;
}

/**
 * What the token grants, or why it grants nothing. Changes nothing: a link that is looked at stays good.
 * Works before the organization is known, since the key says which it is.
 */
export async function verifyLink(
  db: Pick<Database, 'unscoped' | 'read'>,
  token: string,
  now: number = Date.now(),
): Promise<LinkGrant | { problem: LinkProblem }> {
  const [keyPart, contentPart, signaturePart, ...rest] = token.split('.');
  const keyId = uuidOf(keyPart ?? '');
  if (!keyId || !contentPart || !signaturePart || rest.length > 0 || token.length > 2000) {
    return { problem: 'invalid' };
  }
  const { rows } = await db.unscoped((tx) =>
    sql<{
      org_id: string;
      secret: Buffer;
    }>`select org_id, secret from find_signing_key(${keyId}::uuid)`.execute(tx),
  );
  const key = rows[0];
  if (!key) return { problem: 'invalid' };
  const expected = signature(key.secret, `${keyPart}.${contentPart}`);
  const given = Buffer.from(signaturePart, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return { problem: 'invalid' };
  const content = claims.safeParse(JSON.parse(Buffer.from(contentPart, 'base64url').toString()));
  // a key signs for its own organization only
  if (!content.success || content.data.o !== key.org_id) return { problem: 'invalid' };
  const { a, s, u, x, n } = content.data;
  if (x * 1000 <= now) return { problem: 'expired' };
  const problem = await db.read({ orgId: key.org_id }, (tx) => problemOf(tx, { nonce: n, person: u }));
  if (problem) return { problem };
  return {
    orgId: key.org_id,
    action: a,
    subject: {
      ...(s.i !== undefined && { incidentNumber: s.i }),
      ...(s.o !== undefined && { opening: s.o }),
      ...(s.f !== undefined && { asOf: s.f }),
      ...(s.e !== undefined && { executionId: s.e }),
      ...(s.p !== undefined && { approvalId: s.p }),
    },
    person: u,
    nonce: n,
  };
}

/** Whoever was disabled acts no more, in a mail as elsewhere; an address that is no user's acts by its policy. */
async function problemOf(
  tx: Tx,
  { nonce, person }: { nonce: string; person: string },
): Promise<LinkProblem | undefined> {
  const used = await tx
    .selectFrom('used_links')
    .select('nonce')
    .where('nonce', '=', nonce)
    .executeTakeFirst();
  if (used) return 'used';
  const disabled = await tx
    .selectFrom('users')
    .select('id')
    .where('email', '=', person.toLowerCase())
    .where('disabled_at', 'is not', null)
    .executeTakeFirst();
  return disabled && 'invalid';
}

/**
 * Spends the link: true the first time, false ever after. Call it in the transaction in which the link acts: a
 * second click waits for the first one's end, and the link stays good if acting throws.
 */
export async function useLink(tx: Tx, grant: Pick<LinkGrant, 'orgId' | 'nonce'>): Promise<boolean> {
  const inserted = await tx
    .insertInto('used_links')
    .values({ org_id: grant.orgId, nonce: grant.nonce })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return inserted.numInsertedOrUpdatedRows === 1n;
}

/**
 * From now on a new key signs. The keys before it go on verifying until no link of theirs can be alive, and are
 * retired by a later rotation; `compromised` retires them all at once, and with them every link that is out.
 */
export async function rotateSigningKey(
  tx: Tx,
  { orgId, compromised = false }: { orgId: string; compromised?: boolean },
): Promise<{ keyId: string; retired: number }> {
  const key = await insertKey(tx, orgId);
  const { rows } = await sql<{ id: string }>`
    update signing_keys k set retired_at = now()
    where k.retired_at is null and k.id <> ${key.id} and (${compromised} or exists (
      select 1 from signing_keys next
      where next.created_at > k.created_at
        and next.created_at < now() - ${longestLinkMs} * interval '1 millisecond'))
    returning k.id`.execute(tx);
  return { keyId: key.id, retired: rows.length };
}

async function newestKey(tx: Tx, orgId: string): Promise<{ id: string; secret: Buffer } | undefined> {
  return await tx
    .selectFrom('signing_keys')
    .select(['id', 'secret'])
    .where('org_id', '=', orgId)
    .where('retired_at', 'is', null)
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
}

async function insertKey(tx: Tx, orgId: string): Promise<{ id: string; secret: Buffer }> {
  return await tx
    .insertInto('signing_keys')
    // clock_timestamp: of two keys in one transaction one is the newer
    .values({
      org_id: orgId,
      secret: randomBytes(32),
      created_at: sql<Date>`clock_timestamp()`,
    })
    .returning(['id', 'secret'])
    .executeTakeFirstOrThrow();
}

function signature(secret: Buffer, signed: string): Buffer {
  return createHmac('sha256', secret).update(signed).digest();
}

function uuidOf(part: string): string | undefined {
  const hex = Buffer.from(part, 'base64url').toString('hex');
  return hex.length === 32 ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') : undefined;
}
