import { recordAudit } from '../../db/audit.ts';
import type { Database } from '../../db/database.ts';
import { rotateSigningKey } from '../../db/signed-links.ts';
import { type Endpoint, personEndpoint } from '../endpoint.ts';
import { rotateBody, rotated } from './schema.ts';

/** The keys that sign the links in mails. */
export function signingKeyEndpoints({ db }: { db: Pick<Database, 'write'> }): Endpoint[] {
  return [
    personEndpoint({
      method: 'post',
      path: '/api/v1/signing-keys/rotate',
      tag: 'Signing keys',
      summary: 'Sign the links in mails with a new key from now on',
      access: 'owner',
      body: rotateBody,
      status: 200,
      response: rotated,
      handle: async ({ principal: { orgId, email }, body }) =>
        await db.write({ orgId }, async (tx) => {
          const compromised = body?.compromised ?? false;
          const key = await rotateSigningKey(tx, { orgId, compromised });
          await recordAudit(tx, {
            orgId,
            actor: email,
            action: 'signing_key.rotated',
            subject: `signing_key:${key.keyId}`,
            data: { compromised, retired: key.retired },
          });
          return key;
        }),
    }),
  ];
}
