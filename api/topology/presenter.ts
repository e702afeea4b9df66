import type { z } from 'zod';
import type { DependencyRecord } from '../../db/services.ts';
import { isoOrNull } from '../endpoint.ts';
import type { serviceDependency } from './schema.ts';

export function presentDependency(record: DependencyRecord): z.input<typeof serviceDependency> {
  const { from, to, declared, observedIn, calls, errors } = record;
  return { from, to, declared, observedIn, calls, errors, lastSeenAt: isoOrNull(record.lastSeenAt) };
}
