import { z } from 'zod';
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
  createdAt: instant,
  sentAt: instant.nullable(),
};
export const reportSummary = z.object(summary).meta({ id: 'ReportSummary' });
export const report = z
  .object({ ...summary, html: z.string(), text: z.string(), data: z.record(z.string(), z.unknown()) })
  .meta({ id: 'Report' });

export const reportStarted = z
  .object({ kind: z.enum(reportKinds), workflowId: z.string(), workflowUrl: z.string().nullable() })
  .meta({ id: 'ReportStarted', description: 'It is being made and sent' });
