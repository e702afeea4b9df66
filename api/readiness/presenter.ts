import type { z } from 'zod';
import type { ReadinessFinding } from '../../domain/readiness/readiness.ts';
import { iso } from '../endpoint.ts';
import type { readinessShown } from './schema.ts';

export function presentFinding(finding: ReadinessFinding): z.input<typeof readinessShown>['items'][number] {
  const { kind, severity, subject, schedule, text, remedy, at } = finding;
  return { kind, severity, subject, schedule, text, remedy, at: at === null ? null : iso(new Date(at)) };
}
