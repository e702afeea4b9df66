import { z } from 'zod';
import {
  changeSourceKinds,
  changeStatuses,
  changeTypes,
  changeVerdicts,
} from '../../domain/changes/change.ts';
import { newChangeFields, saysWhat, saysWhatRemedy } from '../../domain/changes/new-change.ts';
import { longest } from '../../domain/changes/report.ts';
import { anyOf, instant, pageQuery } from '../endpoint.ts';

export const newChange = z
  .strictObject({
    ...newChangeFields,
    externalId: z.string().trim().min(1).max(longest.externalId).nullish().meta({
      description:
        'Your name of the change, your own in the whole organization: what has the same one is the same change, going on',
    }),
    author: z.string().trim().min(1).max(longest.name).nullish(),
  })
  .refine(saysWhat, saysWhatRemedy)
  .meta({ id: 'NewChange' });

export const manualChange = z
  .strictObject(newChangeFields)
  .refine(saysWhat, saysWhatRemedy)
  .meta({ id: 'ManualChange' });

export const changeRecorded = z.object({
  id: z.int(),
  new: z.boolean().meta({ description: 'False: the next step of a change that was known' }),
});

export const webhookAnswer = z
  .object({
    recorded: z.boolean(),
    id: z.int().nullable(),
    reason: z.string().meta({ description: 'Why nothing was recorded, or what was' }),
  })
  .meta({ id: 'ChangeWebhookAnswer' });

/** What every answer says of a change. */
export const changeFields = {
  id: z.int(),
  source: z.enum(changeSourceKinds),
  type: z.enum(changeTypes),
  status: z.enum(changeStatuses),
  service: z.string().nullable(),
  environment: z.string().nullable(),
  title: z.string(),
  version: z.string().nullable(),
  previousVersion: z.string().nullable(),
  author: z.string().nullable(),
  url: z.string().nullable(),
  at: instant,
};

const summary = {
  ...changeFields,
  confirmed: z.int().meta({ description: 'Incidents whose cause people say it was' }),
};
export const change = z.object(summary).meta({ id: 'Change' });

export const changeDetail = z
  .object({
    ...summary,
    externalId: z.string(),
    receivedAt: instant,
    sourceName: z.string().nullable(),
    data: z.record(z.string(), z.unknown()).meta({ description: 'What else the sender said' }),
    incidents: z
      .array(
        z.object({
          number: z.int(),
          title: z.string(),
          openedAt: instant,
          score: z.number().meta({ description: '0 to 1' }),
          reasons: z.array(z.string()),
          verdict: z.enum(changeVerdicts).nullable(),
          judgedBy: z.string().nullable(),
          judgedAt: instant.nullable(),
        }),
      )
      .meta({ description: 'That it may be behind, likeliest first' }),
    rollbacks: z
      .array(
        z.object({
          runbook: z.string(),
          inputs: z.record(z.string(), z.string()),
          reasons: z.array(z.string()),
        }),
      )
      .meta({ description: 'Runbooks that would take it back, best first' }),
  })
  .meta({ id: 'ChangeDetail' });

export const changeParams = z.object({
  id: z.coerce.number("write the change's number").int().positive().max(Number.MAX_SAFE_INTEGER),
});
export const webhookParams = z.object({ sourceId: z.uuid() });

/** Of a webhook one of these proves whose it is: GitHub's signature, Holdfast's, or the secret itself. */
export const webhookReads = {
  body: z
    .record(z.string(), z.unknown())
    .meta({ description: 'What GitHub, Jenkins, Argo CD or another pipeline sends, at most 5 MB' }),
  headers: z.object({
    'X-Hub-Signature-256': z
      .string()
      .optional()
      .meta({ description: 'GitHub: sha256=<hex HMAC of the body>' }),
    'X-GitHub-Event': z.string().optional().meta({ description: 'GitHub: what the message is about' }),
    'X-Holdfast-Signature': z.string().optional().meta({
      description: "Others: t=<unix seconds>,v1=<hex HMAC of 't.body'>, at most five minutes old",
    }),
    'X-Holdfast-Token': z.string().optional().meta({
      description:
        "Others: the secret; 'Authorization: Bearer <secret>', or as the password of Basic, does as well",
    }),
  }),
  query: z.object({
    token: z.string().optional().meta({ description: 'Jenkins: the secret, where no header can be set' }),
  }),
};

export const changeListQuery = z.object({
  ...pageQuery,
  service: z.string().max(longest.name).optional(),
  environment: z.string().max(longest.name).optional(),
  type: anyOf(changeTypes).optional(),
  status: anyOf(changeStatuses).optional(),
  source: anyOf(changeSourceKinds).optional(),
  risky: z
    .enum(['true', 'false'])
    .transform((word) => word === 'true')
    .optional()
    .meta({ description: 'Only those that failed, were rolled back, or were confirmed as causes' }),
  since: z.iso.datetime({ offset: true }).optional(),
  until: z.iso.datetime({ offset: true }).optional(),
});

export const frequencyQuery = z.object({
  days: z.coerce.number().int().min(1).max(365).default(7),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export const frequency = z.object({
  items: z.array(
    z.object({
      service: z.string().nullable(),
      changes: z.int(),
      failed: z.int().meta({ description: 'Failed or rolled back' }),
      confirmed: z.int().meta({ description: 'Confirmed as causes of incidents' }),
    }),
  ),
});
