import type { z } from 'zod';
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
    successRate: runbook.runs.successRate,
    lastRun: runbook.lastRun && presentRun(runbook.lastRun),
  };
}

export function presentRunbook(runbook: RunbookDetail): z.input<typeof runbookDetail> {
  return {
    ...presentRunbookSummary(runbook),
    source: runbook.source,
    removedAt: isoOrNull(runbook.removedAt),
    versions: runbook.versions.map(({ version, loadedAt }) => ({ version, loadedAt: iso(loadedAt) })),
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
