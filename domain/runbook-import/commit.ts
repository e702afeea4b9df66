import { z } from 'zod';

/** The commit that an import was read from, as git tells of it: text from outside. */
export interface Commit {
  /** 40 or 64 hexadecimal digits. */
  id: string;
  author: string;
  authorEmail: string;
  /** ISO 8601. */
  committedAt: string;
  /** First line of its message. */
  subject: string;
}

/** Addresses that hosts write into commits made on their pages, which nobody reads. */
const unread = /(^|[.+])no-?reply([@.+]|$)|@users\.noreply\.|@noreply\.|\.(local|localdomain|invalid)$/i;

/** Where the author can be told that the push was refused; undefined where the commit names no address for that. */
export function addressOf(commit: Pick<Commit, 'authorEmail'>): string | undefined {
  const parsed = z.email().max(200).safeParse(commit.authorEmail.trim());
  return parsed.success && !unread.test(parsed.data) ? parsed.data : undefined;
}

export const shortCommit = (id: string): string => id.slice(0, 10);
