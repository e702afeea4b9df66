import type { SimilarIncidentRecord } from '../../db/incident-evidence.ts';
import { formatDuration } from '../../domain/duration.ts';
import { nameOf, type People } from '../../domain/people.ts';
import { executionMarks, incidentMarks, type Mark } from '../layout/words.ts';

/** The tab of past incidents that look like this one: what they came to, and what worked. */
export interface SimilarTabView {
  incidents: SimilarView[];
}

export interface SimilarView {
  number: number;
  href: string;
  title: string;
  percent: string;
  reasons: string[];
  status: Mark;
  openedAt: string;
  /** '56 min by Ben'; null while it is open. */
  lasted: string | null;
  cause: string | null;
  /** What ran, with what it came to. */
  runbooks: { name: string; href: string; state: Mark }[];
}

export function similarTabView(similar: readonly SimilarIncidentRecord[], people: People): SimilarTabView {
  return {
    incidents: similar.map((incident) => ({
      number: incident.number,
      href: `/incidents/${incident.number}`,
      title: incident.title,
      percent: `${Math.round(incident.score * 100)} %`,
      reasons: incident.reasons,
      status: incidentMarks[incident.status],
      openedAt: incident.openedAt.toISOString(),
      lasted: lastedOf(incident, people),
      cause: incident.causeService,
      runbooks: incident.executions.map(({ id, runbook, status }) => ({
        name: runbook,
        href: `/executions/${id}`,
        state: executionMarks[status],
      })),
    })),
  };
}

function lastedOf(incident: SimilarIncidentRecord, people: People): string | null {
  if (!incident.resolvedAt) return null;
  const lasted = formatDuration(incident.resolvedAt.getTime() - incident.openedAt.getTime());
  if (incident.resolvedBy === null || incident.resolvedBy === 'Holdfast')
    return `${lasted}, with its last alert`;
  return `${lasted}, by ${nameOf(people, incident.resolvedBy)}`;
}
