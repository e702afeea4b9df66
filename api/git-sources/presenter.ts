import type { z } from 'zod';
import type { GitImport, GitSourceStanding } from '../../db/git-sources.ts';
import { iso, isoOrNull } from '../endpoint.ts';
import type { gitImport, gitSource } from './schema.ts';

export const webhookUrlOf = (publicUrl: string, id: string): string =>
  `${publicUrl}/api/v1/git-sources/${id}/webhook`;

export function presentGitSource(source: GitSourceStanding, publicUrl: string): z.input<typeof gitSource> {
  return {
    id: source.id,
    environment: source.environment,
    url: source.url,
    branch: source.branch,
    path: source.path,
    credential: source.credential,
    intervalSeconds: source.intervalMs / 1000,
    webhookUrl: webhookUrlOf(publicUrl, source.id),
    runbooks: source.runbooks,
    importedCommit: source.importedCommit,
    importedAt: isoOrNull(source.importedAt),
    checkedCommit: source.checkedCommit,
    checkedAt: isoOrNull(source.checkedAt),
    error: source.error,
    lastImport: source.lastImport && presentImport(source.lastImport),
    createdAt: iso(source.createdAt),
    createdBy: source.createdBy,
  };
}

export function presentImport(item: GitImport): z.input<typeof gitImport> {
  return {
    id: item.id,
    commit: item.commit,
    author: item.author,
    authorEmail: item.authorEmail,
    committedAt: iso(item.committedAt),
    subject: item.subject,
    status: item.status,
    problems: item.problems,
    changes: item.changes,
    at: iso(item.at),
  };
}
