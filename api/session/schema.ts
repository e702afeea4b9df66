import { z } from 'zod';
import { roles } from '../../domain/roles.ts';
import { instant } from '../endpoint.ts';

export const me = z
  .object({
    email: z.string(),
    name: z.string(),
    memberships: z.array(
      z.object({
        teamId: z.string().nullable().meta({ description: 'Null: the whole organization' }),
        teamName: z.string().nullable(),
        teamSlug: z.string().nullable(),
        role: z.enum(roles),
      }),
    ),
    csrfToken: z
      .string()
      .nullable()
      .meta({ description: 'For X-CSRF-Token where a cookie signs in; null with an API token' }),
  })
  .meta({ id: 'Me' });

export const signInBody = z.strictObject({
  email: z.string().min(1).max(320),
  password: z.string().min(1).max(1000),
});
export const signedIn = z
  .object({ csrfToken: z.string(), expiresAt: instant })
  .meta({ id: 'SignedIn', description: 'The session is in the cookie' });

export const session = z
  .object({
    id: z.uuid(),
    userAgent: z.string(),
    createdAt: instant,
    lastSeenAt: instant,
    expiresAt: instant,
    isThis: z.boolean(),
  })
  .meta({ id: 'Session' });

export const apiToken = z
  .object({ id: z.uuid(), name: z.string(), createdAt: instant, lastUsedAt: instant.nullable() })
  .meta({ id: 'ApiToken' });
export const tokenBody = z.strictObject({ name: z.string().trim().min(1).max(100) });
export const newToken = z
  .object({ id: z.uuid(), token: z.string().meta({ description: 'Shown this once' }) })
  .meta({ id: 'NewApiToken' });

export const idParams = z.object({ id: z.uuid('write an id') });

export const password = z
  .string()
  .min(12, 'write at least 12 characters')
  .max(1000)
  .meta({ description: 'At least 12 characters' });
export const passwordBody = z.strictObject({ password });
