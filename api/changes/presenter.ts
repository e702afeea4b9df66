import type { z } from 'zod';
import type { Change, ChangeDetail, ChangeSummary } from '../../db/changes-read.ts';
import type { RollbackSuggestion } from '../../domain/changes/suggest-rollback.ts';
import { iso, isoOrNull } from '../endpoint.ts';
import type { change, changeDetail } from './schema.ts';

export function presentChange(item: ChangeSummary): z.input<typeof change> {
  return { ...presentChangeFields(item), confirmed: item.confirmed };
}

export function presentChangeFields(item: Change) {
  return {
    id: item.id,
    source: item.source,
    type: item.type,
    status: item.status,
    service: item.service,
    environment: item.environment,
    title: item.title,
    version: item.version,
    previousVersion: item.previousVersion,
    author: item.author,
    url: item.url,
    at: iso(item.at),
  };
}

export function presentChangeDetail(
  item: ChangeDetail,
  rollbacks: RollbackSuggestion[],
): z.input<typeof changeDetail> {
  return {
    ...presentChange(item),
    externalId: item.externalId,
    receivedAt: iso(item.receivedAt),
    sourceName: item.sourceName,
    data: item.data,
    incidents: item.incidents.map((incident) => ({
      number: incident.number,
      title: incident.title,
      openedAt: iso(incident.openedAt),
      score: incident.score,
      reasons: incident.reasons,
      verdict: incident.verdict,
      judgedBy: incident.judgedBy,
      judgedAt: isoOrNull(incident.judgedAt),
    })),
    rollbacks: rollbacks.map(({ runbook, inputs, reasons }) => ({ runbook, inputs, reasons })),
  };
}
