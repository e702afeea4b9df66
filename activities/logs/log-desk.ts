import type { Database } from '../../db/database.ts';
import { getLogSource, listLogSources } from '../../db/log-sources.ts';
import { listAlertTraces, readLogSubject } from '../../db/logs.ts';
import type { LogLine } from '../../domain/logs/log-line.ts';
import { type LogTemplate, renderTemplate } from '../../domain/logs/log-template.ts';
import { logQuery } from '../../domain/logs/query.ts';
import { type LogSource, LogSourceRefusedError, LogSourceUnavailableError } from './log-source.ts';
import { openLogSource } from './open-log-source.ts';
import { type ServingSourcesDeps, standardSource, useLogSource } from './serving-sources.ts';

/** What people ask of log sources while they set them up. */
export interface LogDesk {
  /** Asks a configured source how it is, and writes that down. Undefined where there is none of this name. */
  probe(orgId: string, name: string): Promise<ProbeOutcome | undefined>;
  /** What a template finds for an incident; undefined where the incident has no alerts or is not there. */
  preview(orgId: string, template: LogTemplate, incidentId: string): Promise<TemplatePreview | undefined>;
}

export type ProbeOutcome = { health: string } | { error: string };

export interface TemplatePreview {
  /** That was asked; null where none of this kind is configured. */
  source: string | null;
  /** As the source was asked; null where an alert lacks what the template names. */
  statement: string | null;
  /** Why there is nothing to show, in words. */
  problem: string | null;
  total: number;
  /** The latest, at most 20. */
  lines: LogLine[];
}

const linesShown = 20;

export function createLogDesk(
  deps: ServingSourcesDeps & { db: Pick<Database, 'read' | 'write' | 'unscoped'> },
): LogDesk {
  const { db } = deps;
  return {
    async probe(orgId, name) {
      const row = await db.read({ orgId }, (tx) => getLogSource(tx, name));
      if (!row) return undefined;
      try {
        const health = await useLogSource(
          deps,
          { orgId, name },
          () => openLogSource(deps, { orgId, name }, row.definition),
          (source) => source.probe(),
          (said) => said,
        );
        return { health };
      } catch (error) {
        return { error: wordsOf(error) };
      }
    },

    async preview(orgId, template, incidentId) {
      const { alerts, subject } = await db.read({ orgId }, async (tx) => ({
        alerts: await listAlertTraces(tx, { incidentId }),
        subject: await readLogSubject(tx, { incidentId }),
      }));
      const [alert] = alerts;
      if (!alert || !subject) return undefined;
      let source: LogSource | undefined;
      try {
        source = await sourceFor(orgId, template);
      } catch (error) {
        return { source: null, statement: null, problem: wordsOf(error), total: 0, lines: [] };
      }
      const nothing = { source: source?.name ?? null, statement: null, total: 0, lines: [] };
      if (!source) return { ...nothing, problem: `no log source of this kind is configured` };
      try {
        const rendered = renderTemplate(template, alert, source.quote, deps.labelMapping);
        if ('missing' in rendered) return { ...nothing, problem: rendered.missing };
        const query = { ...logQuery(alerts, { limit: linesShown }), statement: rendered.statement };
        const asked = { ...nothing, statement: rendered.statement };
        try {
          const { lines, total, note } = await source.query(orgId, query);
          return { ...asked, problem: note, total, lines };
        } catch (error) {
          return { ...asked, problem: wordsOf(error) };
        }
      } finally {
        await source.close?.();
      }
    },
  };

  /** The one that the template names, otherwise the first of its kind. Throws LogSourceRefusedError. */
  async function sourceFor(orgId: string, template: LogTemplate): Promise<LogSource | undefined> {
    const rows = await db.read({ orgId }, listLogSources);
    const row = rows.find(
      ({ name, definition }) => definition.kind === template.kind && (template.source ?? name) === name,
    );
    if (row) return await openLogSource(deps, { orgId, name: row.name }, row.definition);
    const standard = await standardSource(deps, orgId);
    const fits = standard.kind === template.kind && (template.source ?? standard.name) === standard.name;
    // it belongs to the process and is not closed here
    return fits ? { ...standard, close: async () => {} } : undefined;
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof LogSourceUnavailableError || error instanceof LogSourceRefusedError)
    return error.message;
  throw error;
}
