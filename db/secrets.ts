import { createHash, randomBytes } from 'node:crypto';

/** What a secret opens stands before it, so that one that leaked is recognized. */
export const secretPrefixes = {
  apiToken: 'hft_',
  ingestKey: 'hfi_',
  runnerToken: 'hfr_',
  session: 'hfs_',
  signInLink: 'hfl_',
  share: 'hfv_',
  calendarFeed: 'hfc_',
} as const;

/** 256 random bits as text. */
export function newSecret(kind: keyof typeof secretPrefixes): string {
  return secretPrefixes[kind] + randomBytes(32).toString('base64url');
}

/**
 * What is stored of a token, key or session. Plain SHA-256, since the secrets are random: there is nothing to
 * guess that a slow hash would protect, and looking them up by hash compares in no observable time.
 */
export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret, 'utf8').digest();
}
