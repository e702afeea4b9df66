import { z } from 'zod';
import { durationText } from '../duration-text.ts';
import { stepTypes } from '../runbook/definition.ts';
import { isTimeZone } from '../wall-clock.ts';

/**
 * What a set of rules is for, widest first. `team` goes by slug, `runbook` by name, `target` by a glob over targets;
 * the organization has one set, whose name is ''. All sets that concern an execution hold at once, so that the
 * strictest wins.
 */
export const safetyScopes = ['organization', 'team', 'runbook', 'target'] as const;
export type SafetyScope = (typeof safetyScopes)[number];

const wildcards = z
  .array(z.string().trim().min(1, 'write a pattern, not an empty line').max(500))
  .min(1, 'leave an empty list out')
  .max(200);

const lists = z
  .strictObject({
    commands: wildcards.optional().meta({
      description: "Over a whole command, such as 'rm -rf *', or over its program, such as 'reboot'",
    }),
    hosts: wildcards
      .optional()
      .meta({ description: "Hosts of ssh and http steps and instances of aws_ssm, such as '*.example.com'" }),
    stepTypes: z.array(z.enum(stepTypes)).min(1, 'leave an empty list out').max(20).optional(),
  })
  .refine((given) => Object.values(given).some((list) => list !== undefined), {
    message: 'name commands, hosts or stepTypes',
  });

const clock = (latest: RegExp, example: string) =>
  z.string().regex(latest, `write a time by the 24-hour clock, such as '${example}'`);

export const businessHours = z.strictObject({
  days: z
    .array(z.int().min(1).max(7))
    .min(1, 'name at least one day')
    .max(7)
    .meta({ description: 'From Monday = 1 to Sunday = 7' }),
  from: clock(/^([01]\d|2[0-3]):[0-5]\d$/, '09:00'),
  to: clock(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, '17:00').meta({
    description: 'Not later than `from`: on the next day',
  }),
  timeZone: z
    .string()
    .refine(isTimeZone, "write an IANA time zone such as 'Europe/Berlin' or 'UTC'")
    .meta({ description: 'IANA name' }),
});

/** Everything may be left out: what one set does not say is left to the others. */
export const safetyRules = z.strictObject({
  maxPerHour: z
    .int()
    .min(0, 'write 0 or more; 0 lets nothing run')
    .max(10_000)
    .optional()
    .meta({ description: 'Executions that may begin to act within an hour' }),
  cooldown: durationText.optional().meta({
    description: "After a runbook has ended on a target, until it may run there again, such as '5m'",
  }),
  hours: businessHours.optional().meta({ description: 'When automation may act; people may always' }),
  allow: lists.optional().meta({ description: 'Nothing else may be run; of what is not named, anything' }),
  deny: lists.optional().meta({ description: 'Wins over `allow`' }),
});
export type SafetyRules = z.infer<typeof safetyRules>;

export interface ScopedRules {
  scope: SafetyScope;
  name: string;
  rules: SafetyRules;
}

/** Of the organization, until an Admin says otherwise. */
export const defaultMaxPerHour = 10;

/** So many in a row of one runbook on one target, and it runs there no more until a person has looked. */
export const circuitBreakerFailures = 3;

/** 'the organization', 'team red', 'runbook restart', 'target db-*' */
export function scopeText(scope: SafetyScope, name: string): string {
  return scope === 'organization' ? 'the organization' : `${scope} ${name}`;
}
