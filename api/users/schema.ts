import { z } from 'zod';
import { roles } from '../../domain/roles.ts';
import { identityParams } from '../chat/schema.ts';
import { instant } from '../endpoint.ts';

export const user = z
  .object({
    id: z.uuid(),
    email: z.string(),
    name: z.string(),
    disabledAt: instant.nullable(),
    memberships: z.array(
      z.object({
        teamId: z.string().nullable().meta({ description: 'Null: the whole organization' }),
        teamName: z.string().nullable(),
        teamSlug: z.string().nullable(),
        role: z.enum(roles),
      }),
    ),
  })
  .meta({ id: 'User' });

export const userParams = z.object({ id: z.uuid('write the id of a user') });
export const userIdentityParams = userParams.extend(identityParams.shape);

export const userBody = z.strictObject({
  email: z.email(),
  name: z.string().trim().min(1).max(200),
  role: z.enum(roles),
  teamId: z.uuid().nullable().default(null).meta({ description: 'Null: the whole organization' }),
});

export const membershipBody = z.strictObject({
  role: z.enum(roles),
  teamId: z.uuid().nullable().default(null).meta({ description: 'Null: the whole organization' }),
});

export const disabledBody = z.strictObject({ disabled: z.boolean() });

export const signInLink = z
  .object({ url: z.string(), expiresAt: instant })
  .meta({ id: 'SignInLink', description: 'Works once; shown this once' });

export const userMade = z.object({ id: z.uuid(), signInLink }).meta({ id: 'UserMade' });
