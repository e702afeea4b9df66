import { z } from 'zod';
import { roles } from '../../domain/roles.ts';
import { stepTypes } from '../../domain/runbook/definition.ts';
import { safetyRuleNames } from '../../domain/safety/refusal.ts';
import { instant } from '../endpoint.ts';

export const dryRunParams = z.object({ name: z.string().min(1).max(200) });

export const dryRunBody = z
  .strictObject({
    inputs: z.record(z.string(), z.string()).default({}),
    incident: z
      .int()
      .min(1)
      .max(2_147_483_647)
      .optional()
      .meta({ description: 'Number: its alert gives values to inputs' }),
    environment: z.string().min(1).max(200).optional().meta({ description: "In place of the alert's own" }),
  })
  .optional();

const finding = z
  .object({ ok: z.boolean(), what: z.string(), detail: z.string() })
  .meta({ id: 'Finding', description: 'One thing that was looked at: a connection, a permission, a target' });

const runner = z.string().nullable().meta({ description: "Null: Holdfast's own worker" });

export const dryRunReport = z
  .object({
    runbook: z.string(),
    version: z.int(),
    target: z.string(),
    environment: z.string().nullable(),
    permission: z.object({ needed: z.enum(roles), held: z.enum(roles).nullable() }),
    refusal: z
      .object({ rule: z.enum(safetyRuleNames), reason: z.string(), until: instant.nullable() })
      .nullable()
      .meta({ description: 'What the rules of safety say now' }),
    lock: z
      .object({ heldBy: z.uuid(), runbook: z.string(), waiting: z.int() })
      .nullable()
      .meta({ description: 'The execution that works on the target, and how many wait for it' }),
    approvals: z.array(
      z.object({
        when: z.string(),
        who: z.string(),
        able: z.int().meta({ description: 'How many people may give one' }),
        rules: z.object({
          needed: z.int(),
          role: z.enum(roles),
          teams: z.array(z.string()),
          notRequester: z.boolean(),
          timeoutMs: z.int(),
          onTimeout: z.enum(['expire', 'escalate']),
        }),
      }),
    ),
    steps: z.array(
      z.object({
        name: z.string(),
        type: z.enum(stepTypes),
        part: z.enum(['step', 'verify']),
        runner,
        where: z.string(),
        description: z.string().meta({ description: 'The exact command or request; secrets are masked' }),
        rollback: z.object({ runner, where: z.string(), description: z.string() }).nullable(),
        condition: z
          .object({ state: z.enum(['met', 'not_met', 'open']), detail: z.string() })
          .nullable()
          .meta({ description: '`open`: it depends on how earlier steps end' }),
        findings: z.array(finding),
      }),
    ),
    ready: z.boolean(),
    sentence: z.string(),
  })
  .meta({ id: 'DryRunReport' });
