import { z } from 'zod';
import { contactRules } from '../../domain/contact-rules.ts';
import { timeZone } from '../../domain/time-zone.ts';

const zone = timeZone.nullable().meta({
  description: "IANA name, in which on-call tells the person times; null: the organization's",
});

export const contactRulesParams = z.object({
  id: z
    .union([z.literal('me'), z.uuid()], "write the id of a user, or 'me'")
    .meta({ description: "Id of a user, or 'me'" }),
});

export const contactRulesBody = z.strictObject({
  rules: contactRules.meta({
    description:
      'How to reach the person, first match by severity wins; `after` counts from the page of the level. Empty: a mail at once',
  }),
  timeZone: zone.default(null),
  userId: z.string().optional().meta({ description: 'Ignored: as read' }),
  email: z.string().optional().meta({ description: 'Ignored: as read' }),
});

export const contactRulesShown = z
  .object({
    userId: z.uuid(),
    email: z.string(),
    rules: contactRules,
    timeZone: zone,
  })
  .meta({ id: 'ContactRules' });

export const contactTest = z
  .object({
    messages: z.array(
      z.object({
        key: z.string().meta({ description: 'Of the message in the log of notifications' }),
        method: z.object({}).loose().meta({ description: 'As the rules have it' }),
      }),
    ),
  })
  .meta({
    id: 'ContactTest',
    description: 'One message by each way that the rules name; the log tells what came of it',
  });
