import { z } from 'zod';
import { webhookKinds } from '../../db/change-sources.ts';
import { changeMapping } from '../../domain/changes/mapping.ts';
import { instant } from '../endpoint.ts';

export const changeSourceParams = z.object({ id: z.uuid() });

const team = z.string().min(1).max(100).nullable();
const settings = {
  name: z.string().trim().min(1, 'write a name').max(100),
  team: team.default(null).meta({
    description: "Slug of the team whose its changes are; null: each is the team's that owns its service",
  }),
  ...changeMapping.shape,
};
export const changeSourceBody = z.strictObject(settings).meta({
  id: 'ChangeSourceChange',
  description:
    'services: service by repository, job or application; environment: of what says none; deploys: globs over the names of workflows and jobs that deploy; fields: where the body of a generic source says what',
});
export const newChangeSource = z
  .strictObject({ ...settings, kind: z.enum(webhookKinds) })
  .meta({ id: 'NewChangeSource' });

const source = {
  id: z.uuid(),
  kind: z.enum(webhookKinds),
  name: z.string(),
  team,
  services: z.record(z.string(), z.string()),
  environment: z.string().nullable(),
  deploys: z.array(z.string()),
  fields: z.record(z.string(), z.string()),
  webhookUrl: z.string(),
  changes: z.int().meta({ description: 'Of the last 30 days' }),
  createdAt: instant,
  lastSeenAt: instant.nullable().meta({ description: 'When a message of it was last taken' }),
};
export const changeSource = z.object(source).meta({ id: 'ChangeSource' });

const secret = z.string().meta({ description: 'Shown this once' });
export const changeSourceCreated = z.object({ ...source, secret }).meta({ id: 'ChangeSourceCreated' });
export const secretShown = z.object({ webhookUrl: z.string(), secret });
