import { z } from 'zod';

export const rotateBody = z
  .strictObject({
    compromised: z.boolean().default(false).meta({
      description: 'End every link that is out at once; otherwise they stay good until they expire',
    }),
  })
  .optional();

export const rotated = z
  .object({
    keyId: z.uuid().meta({ description: 'The key that signs from now on' }),
    retired: z.int().meta({ description: 'Keys whose links are no longer accepted' }),
  })
  .meta({ id: 'SigningKeyRotated' });
