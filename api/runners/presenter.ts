import type { z } from 'zod';
import type { RunnerRecord, RunnerTokenRecord } from '../../db/runners.ts';
import { isSilent } from '../../domain/runner.ts';
import { iso, isoOrNull } from '../endpoint.ts';
import type { runner, runnerToken } from './schema.ts';

export function presentRunner(record: RunnerRecord, now: number): z.input<typeof runner> {
  const { queue, instance, version, startedAt, lastSeenAt } = record;
  return {
    queue,
    instance,
    version,
    startedAt: iso(startedAt),
    lastSeenAt: iso(lastSeenAt),
    silent: isSilent(lastSeenAt, now),
  };
}

export function presentRunnerToken(record: RunnerTokenRecord): z.input<typeof runnerToken> {
  const { id, queue, name, createdAt, createdBy, lastUsedAt } = record;
  return { id, queue, name, createdAt: iso(createdAt), createdBy, lastUsedAt: isoOrNull(lastUsedAt) };
}
