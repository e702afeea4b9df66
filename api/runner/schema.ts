import { z } from 'zod';

/** What a runner and Holdfast say to each other. activities/steps/ledger-remote.ts is the other side. */

export const runnerSelf = z
  .object({
    orgId: z.uuid(),
    queue: z.string().meta({ description: 'The queue whose steps the token stands for' }),
  })
  .meta({ description: 'Whose token it is' });

export const signOfLife = z.object({
  instance: z.string().min(1).max(200).meta({ description: 'Host and process id', example: 'edge-1 4711' }),
  version: z.string().min(1).max(50),
  startedAt: z.iso.datetime(),
  stopping: z.boolean().default(false).meta({ description: 'It ends in good order now' }),
});

const place = {
  executionId: z.uuid(),
  index: z.int().min(0).max(10_000),
  phase: z.enum(['step', 'undo']),
  attempt: z.int().min(1).max(10_000),
};
const text = (limit: number) => z.string().max(limit);
const key = text(200);
const machine = { startedAt: text(200), machine: text(400) };
const output = text(200_000);

export const attemptBody = z.object(place);
export const beginBody = z.object({
  ...place,
  carrier: z.object({ pid: z.int().positive(), ...machine }),
  abandoned: z.array(key).max(500),
});
export const noteBody = z.object({
  ...place,
  group: z.object({ pgid: z.int().positive(), ...machine, sudo: z.boolean() }),
});
export const outputBody = z.object({ ...place, output: output.optional() });
export const endBody = z.object({ ...place, ok: z.boolean(), error: text(20_000).optional(), output });
export const abandonBody = z.object({ ...place, keys: z.array(key).max(500) });

/** Of the runbook a runner needs the one action that it carries out (domain/runbook/attempt-view.ts). */
export const loadedAttempt = z
  .object({
    step: z.looseObject({}),
    scope: z.looseObject({}),
    own: z.looseObject({}).optional(),
    open: z.array(z.looseObject({})),
    before: z.array(z.looseObject({})),
    said: z.string(),
  })
  .meta({ description: 'What is to be carried out with its values, and what is known of its attempts' });

export const counts = z
  .object({ counts: z.boolean() })
  .meta({ description: 'False: another attempt has taken its place' });
