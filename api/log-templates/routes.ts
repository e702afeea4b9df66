import type { z } from 'zod';
import type { Database } from '../../db/database.ts';
import { findIncident } from '../../db/incident-detail.ts';
import {
  deleteLogTemplate,
  getLogTemplate,
  listLogTemplates,
  putLogTemplate,
} from '../../db/log-templates.ts';
import type { LogLine } from '../../domain/logs/log-line.ts';
import type { LogTemplate } from '../../domain/logs/log-template.ts';
import { scopeOf } from '../auth/principal.ts';
import { configurationEndpoints } from '../configuration.ts';
import { type Endpoint, personEndpoint } from '../endpoint.ts';
import { NotFoundError } from '../errors.ts';
import { logTemplateBody, logTemplateShown, previewAnswer, previewBody } from './schema.ts';

/** Asks log systems, which only main/ can reach. */
export interface LogTemplatePreviewer {
  /** Undefined where the incident has no alerts. */
  preview(
    orgId: string,
    template: LogTemplate,
    incidentId: string,
  ): Promise<
    | {
        source: string | null;
        statement: string | null;
        problem: string | null;
        total: number;
        lines: LogLine[];
      }
    | undefined
  >;
}

export function logTemplateEndpoints(deps: {
  db: Pick<Database, 'read' | 'write'>;
  logDesk: LogTemplatePreviewer;
}): Endpoint[] {
  const { db, logDesk } = deps;
  return [
    ...configurationEndpoints<LogTemplate, z.input<typeof logTemplateShown>>(
      {
        plural: 'log-templates',
        singular: 'log query template',
        tag: 'Logs',
        body: logTemplateBody,
        shown: logTemplateShown,
        present: (template) => template,
        list: listLogTemplates,
        get: getLogTemplate,
        put: putLogTemplate,
        remove: deleteLogTemplate,
      },
      deps,
    ),
    personEndpoint({
      method: 'post',
      path: '/api/v1/log-template-previews',
      tag: 'Logs',
      summary: 'Show what a query template finds for an incident; nothing is stored',
      access: 'admin',
      body: previewBody,
      status: 200,
      response: previewAnswer,
      errors: { 404: 'No incident of this number' },
      handle: async ({ principal, body: { template, incident: number } }) => {
        const incident = await db.read(scopeOf(principal), (tx) => findIncident(tx, number));
        if (!incident) throw new NotFoundError(`incident ${number}`);
        const preview = await logDesk.preview(principal.orgId, template, incident.id);
        if (!preview) throw new NotFoundError(`alert in incident ${number}`);
        return {
          ...preview,
          lines: preview.lines.map(({ at, service, host, level, message }) => ({
            at: new Date(at).toISOString(),
            service,
            host,
            level,
            message,
          })),
        };
      },
    }),
  ];
}
