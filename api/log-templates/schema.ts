import { z } from 'zod';
import { logLevels } from '../../domain/logs/log-line.ts';
import { logTemplate, templateKinds } from '../../domain/logs/log-template.ts';
import { readBack } from '../configuration.ts';
import { instant } from '../endpoint.ts';

/** The checks of `logTemplate` hold for it too: they are added again, as `extend` leaves them behind. */
export const logTemplateBody = z
  .strictObject({ ...logTemplate.shape, ...readBack })
  .superRefine((body, context) => {
    const { name: _, updatedAt: __, ...template } = body;
    const checked = logTemplate.safeParse(template);
    for (const issue of checked.error?.issues ?? []) {
      context.addIssue({ code: 'custom', path: issue.path, message: issue.message });
    }
  })
  .meta({
    id: 'LogTemplate',
    description:
      'A query in the language of the kind, asked instead of the standard one for incidents that match; {{service}}, {{alert}}, {{labels.x}}… stand for quoted values',
  });

export const logTemplateShown = z.object({
  kind: z.enum(templateKinds),
  source: z.string().optional(),
  match: z.object({ service: z.string().optional(), alert: z.string().optional() }),
  query: z.string(),
});

export const previewBody = z
  .strictObject({ template: logTemplate, incident: z.int().positive() })
  .meta({ id: 'LogTemplatePreviewRequest', description: 'Try a template on the logs of an incident' });

export const previewAnswer = z
  .object({
    source: z.string().nullable(),
    statement: z.string().nullable().meta({ description: 'As the source was asked' }),
    problem: z.string().nullable().meta({ description: 'Why there is less to show than there could be' }),
    total: z.int(),
    lines: z.array(
      z.object({
        at: instant,
        service: z.string().nullable(),
        host: z.string().nullable(),
        level: z.enum(logLevels),
        message: z.string(),
      }),
    ),
  })
  .meta({ id: 'LogTemplatePreview' });
