import type { z } from 'zod';
import type { MatchingAlert } from '../../db/runbook-matches.ts';
import type { RunbookDetail, RunbookRecord, RunbookRun } from '../../db/runbooks.ts';
import { iso, isoOrNull } from '../endpoint.ts';
import type { runbookDetail, runbookSummary } from './schema.ts';

export function presentRunbookSummary(runbook: RunbookRecord): z.input<typeof runbookSummary> {
  const { definition } = runbook;
  return {
    name: runbook.name,
    description: definition.description,
    category: definition.category ?? null,
    tags: definition.tags,
    mode: definition.execution.mode,
    version: runbook.version,
    latestVersion: runbook.latestVersion,
    pinned: runbook.pinnedAt && { at: iso(runbook.pinnedAt), by: runbook.pinnedBy ?? '' },
    environment: runbook.environment || null,
    gitSource: runbook.sourceId,
    file: runbook.file,
    loadedAt: iso(runbook.loadedAt),
    inputs: Object.entries(definition.inputs).map(([name, input]) => ({
      name,
      description: input.description ?? null,
      required: input.required,
      default: input.secret ? null : (input.default ?? null),
      secret: input.secret,
    })),
    steps: definition.steps.map((step) => ({
      name: step.name,
      type: step.type,
      hasRollback: step.rollback !== undefined,
    })),
    triggers: definition.triggers.map((trigger) => ({
      alertPattern: trigger.alertPattern,
      severity: trigger.severity ?? null,
      minDurationSeconds: trigger.minDurationMs / 1000,
      labels: trigger.labels,
    })),
    finishedRuns: runbook.runs.finished,
    successRate: runbook.runs.successRate,
    lastRun: runbook.lastRun && presentRun(runbook.lastRun),
  };
}

export function presentRunbook(
  runbook: RunbookDetail,
  matching: MatchingAlert[],
): z.input<typeof runbookDetail> {
  return {
    ...presentRunbookSummary(runbook),
    source: runbook.source,
    removedAt: isoOrNull(runbook.removedAt),
    versions: runbook.versions.map((version) => ({
      ...version,
      loadedAt: iso(version.loadedAt),
      committedAt: isoOrNull(version.committedAt),
      inForce: version.version === runbook.version,
    })),
    matchingNow: matching.map((alert) => ({
      incident: alert.incidentNumber,
      alert: alert.alertName,
      receivedAt: iso(alert.receivedAt),
      callsAt: iso(alert.callsAt),
    })),
    lastRuns: runbook.lastRuns.map(presentRun),
  };
}

function presentRun(run: RunbookRun): z.input<typeof runbookDetail>['lastRuns'][number] {
  return {
    id: run.id,
    status: run.status,
    target: run.target,
    requestedBy: run.requestedBy,
    incidentNumber: run.incidentNumber,
    createdAt: iso(run.createdAt),
    finishedAt: isoOrNull(run.finishedAt),
  };
}
