import { z } from 'zod';
import { instant, pageQuery } from '../endpoint.ts';

export const auditQuery = z.strictObject(pageQuery);

export const auditEntry = z
  .object({
    id: z.int(),
    at: instant,
    actor: z.string(),
    action: z.string(),
    subject: z.string(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'AuditEntry' });
