import { z } from 'zod';
import { reportSpans } from '../../domain/reports/period.ts';
import { instant, pageQuery } from '../endpoint.ts';

export const reportKinds = ['sla', 'capacity'] as const;

export const reportQuery = z.strictObject({ kind: z.enum(reportKinds).optional(), ...pageQuery });
export const reportParams = z.object({ id: z.uuid('write the id of a report') });

const summary = {
  id: z.uuid(),
  kind: z.enum(reportKinds),
  periodStart: instant,
  periodEnd: instant,
  subject: z.string(),
  recipients: z.array(z.string()),
  requestedBy: z.string(),
  teamId: z.uuid().nullable().meta({ description: 'Of whose incidents; null: of the whole organization' }),
  span: z.enum(reportSpans),
  createdAt: instant,
  sentAt: instant.nullable(),
};
export const reportSummary = z.object(summary).meta({ id: 'ReportSummary' });
export const report = z
  .object({ ...summary, html: z.string(), text: z.string(), data: z.record(z.string(), z.unknown()) })
  .meta({ id: 'Report' });

export const csvQuery = z.strictObject({
  table: z
    .string()
    .max(50)
    .optional()
    .meta({ description: "One table alone, such as 'breaches'; without it all, each under its title" }),
});
export const csvText = z.string().meta({ description: 'RFC 4180' });

export const sendQuery = z.strictObject({
  span: z.enum(reportSpans).default('week'),
  team: z.string().max(100).optional().meta({
    description: "Slug: that team's report alone. Without it the organization's, and those of teams",
  }),
});

export const reportStarted = z
  .object({ kind: z.enum(reportKinds), workflowId: z.string(), workflowUrl: z.string().nullable() })
  .meta({ id: 'ReportStarted', description: 'It is being made and sent' });
