import { z } from 'zod';
import { alertmanagerAlert, alertmanagerWebhook } from '../../domain/alertmanager.ts';

/** What is documented; parseAlertmanagerWebhook checks it alert by alert, so that a bad one loses no other. */
export const webhookBody = z.unknown().meta({
  override: ({ jsonSchema }: { jsonSchema: Record<string, unknown> }) => {
    Object.assign(jsonSchema, { $ref: '#/components/schemas/AlertmanagerWebhook' });
  },
});

export const documentedWebhook = alertmanagerWebhook
  .extend({ alerts: z.array(alertmanagerAlert.meta({ id: 'AlertmanagerAlert' })) })
  .meta({ id: 'AlertmanagerWebhook', description: "Alertmanager's webhook, version 4" });

export const accepted = z
  .object({
    received: z.int(),
    new: z.int().meta({ description: 'Episodes that began' }),
    updated: z.int().meta({ description: 'Firing alerts that were known' }),
    resolved: z.int(),
    ignored: z.int().meta({ description: 'Resolves of what was not open' }),
    rejected: z.array(z.object({ index: z.int(), field: z.string(), message: z.string() })),
  })
  .meta({ id: 'AlertsAccepted', description: 'Stored durably' });
