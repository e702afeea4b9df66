import type { z } from 'zod';
import type { ChangeSource } from '../../db/change-sources.ts';
import { iso, isoOrNull, withoutUndefined } from '../endpoint.ts';
import type { changeSource } from './schema.ts';

export const changeWebhookUrl = (publicUrl: string, id: string): string =>
  `${publicUrl}/api/v1/changes/webhooks/${id}`;

export function presentChangeSource(source: ChangeSource, publicUrl: string): z.input<typeof changeSource> {
  const { services, environment, deploys, fields } = source.mapping;
  return {
    id: source.id,
    kind: source.kind,
    name: source.name,
    team: source.team,
    services,
    environment,
    deploys,
    fields: withoutUndefined(fields),
    webhookUrl: changeWebhookUrl(publicUrl, source.id),
    changes: source.changes,
    createdAt: iso(source.createdAt),
    lastSeenAt: isoOrNull(source.lastSeenAt),
  };
}
