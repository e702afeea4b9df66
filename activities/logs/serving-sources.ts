import type { Database } from '../../db/database.ts';
import { listLogSources, saveLogSourceHealth } from '../../db/log-sources.ts';
import { listLogTemplates } from '../../db/log-templates.ts';
import type { Named } from '../../db/named-configuration.ts';
import { type LogTemplate, renderTemplate } from '../../domain/logs/log-template.ts';
import type { AlertTrace, LabelMapping, LogQuery } from '../../domain/logs/query.ts';
import { holds, type PolicySubject } from '../../domain/policy-match.ts';
import type { Severity } from '../../domain/severity.ts';
import { createBuiltinLogs } from './builtin.ts';
import { type LogSource, LogSourceRefusedError, LogSourceUnavailableError } from './log-source.ts';
import { type OpenLogSourceDeps, openLogSource } from './open-log-source.ts';

export interface ServingSourcesDeps extends OpenLogSourceDeps {
  db: Pick<Database, 'read' | 'write' | 'unscoped'>;
  /** What the environment names: serves the organization that owns it where no configured source does. */
  standard: LogSource;
  /** Which alert labels name services, hosts… where they differ from the common names. */
  labelMapping?: LabelMapping;
}

/** What of an incident decides where its logs are and how they are asked for. */
export interface LogSubject {
  severity: Severity;
  service: string | null;
  /** Slug; null: shared. */
  team: string | null;
  labels: Record<string, string>;
  alerts: (AlertTrace & { service: string | null })[];
}

/** A place where the logs of an incident may be. */
export interface ServingSource {
  name: string;
  /** The query that this source is to be asked, and why it isn't the one of a template that matches. */
  queryOf(source: LogSource, query: LogQuery): { query: LogQuery; note: string | null };
  /** Opens the source for `work` and closes it again. Throws LogSourceUnavailableError, LogSourceRefusedError. */
  use<T>(work: (source: LogSource) => Promise<T>): Promise<T>;
}

/** Sources of one incident: what they say is put together. */
const sourcesAtMost = 4;

/** What serves an organization where none of its own sources does: the others have the built-in store. */
export async function standardSource(
  { db, standard, ownsEnvironment }: ServingSourcesDeps,
  orgId: string,
): Promise<LogSource> {
  return (await ownsEnvironment(orgId)) ? standard : createBuiltinLogs({ db });
}

/** The configured sources that serve the incident, by name, otherwise the standard one. */
export async function servingSources(
  deps: ServingSourcesDeps,
  orgId: string,
  subject: LogSubject,
): Promise<ServingSource[]> {
  const { configured, templates } = await deps.db.read({ orgId }, async (tx) => ({
    configured: await listLogSources(tx),
    templates: await listLogTemplates(tx),
  }));
  const policySubject: PolicySubject = {
    severity: subject.severity,
    service: subject.service,
    team: subject.team,
    labels: subject.labels,
    alerts: subject.alerts.flatMap(({ labels }) => labels.alertname ?? []),
  };
  const serving = configured.filter(({ definition }) => holds(definition.match ?? {}, policySubject));
  const queryOf: ServingSource['queryOf'] = (source, query) =>
    asked(source, query, templates, subject, deps.labelMapping);
  if (serving.length === 0) {
    const standard = await standardSource(deps, orgId);
    return [{ name: standard.name, queryOf, use: (work) => work(standard) }];
  }
  return serving.slice(0, sourcesAtMost).map(
    ({ name, definition }): ServingSource => ({
      name,
      queryOf,
      use: (work) =>
        useLogSource(deps, { orgId, name }, () => openLogSource(deps, { orgId, name }, definition), work),
    }),
  );
}

/** Opens, uses and closes a configured source, and writes down how it is. */
export async function useLogSource<T>(
  deps: Pick<ServingSourcesDeps, 'db'>,
  { orgId, name }: { orgId: string; name: string },
  open: () => Promise<LogSource>,
  work: (source: LogSource) => Promise<T>,
  healthOf: (done: T) => string = () => 'answers',
): Promise<T> {
  const say = (outcome: { health: string } | { error: string }): Promise<void> =>
    deps.db.write({ orgId }, (tx) => saveLogSourceHealth(tx, name, outcome));
  let source: LogSource | undefined;
  try {
    source = await open();
    const done = await work(source);
    await say({ health: healthOf(done) });
    return done;
  } catch (error) {
    if (error instanceof LogSourceUnavailableError || error instanceof LogSourceRefusedError) {
      await say({ error: error.message });
    }
    throw error;
  } finally {
    await source?.close?.();
  }
}

/** The first template by name that is for this source and one of the alerts, with that alert's values. */
function asked(
  source: LogSource,
  query: LogQuery,
  templates: Named<LogTemplate>[],
  subject: LogSubject,
  mapping: LabelMapping | undefined,
): { query: LogQuery; note: string | null } {
  for (const { name, definition } of templates) {
    if (definition.kind !== source.kind || (definition.source ?? source.name) !== source.name) continue;
    const alert = subject.alerts.find((one) =>
      holds(definition.match, {
        severity: subject.severity,
        service: one.service,
        team: subject.team,
        labels: one.labels,
        alerts: one.labels.alertname === undefined ? [] : [one.labels.alertname],
      }),
    );
    if (!alert) continue;
    const rendered = renderTemplate(definition, alert, source.quote, mapping);
    if ('statement' in rendered) return { query: { ...query, statement: rendered.statement }, note: null };
    return { query, note: `the template ${name} was not used: ${rendered.missing}` };
  }
  return { query, note: null };
}
