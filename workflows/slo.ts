import { proxyActivities } from '@temporalio/workflow';
import type { SloActivities } from '../activities/slo.ts';
import type { SloState } from '../domain/slo/evaluate.ts';
import type { SloEvaluationInput, SloPreviewInput } from './messages.ts';

const { evaluateSlos } = proxyActivities<SloActivities>({
  // the next minute's evaluation comes anyway
  startToCloseTimeout: '5m',
  scheduleToCloseTimeout: '6m',
  retry: { initialInterval: '5s', maximumAttempts: 2 },
});
const { previewSlo } = proxyActivities<SloActivities>({
  scheduleToCloseTimeout: '25s',
  startToCloseTimeout: '20s',
  retry: { maximumAttempts: 1 },
});

/** Looks at every objective of an organization once. Started each minute by a schedule that never lets two run. */
export async function sloEvaluation(
  input: SloEvaluationInput,
): Promise<{ measured: number; failed: number }> {
  return await evaluateSlos(input);
}

/** What an objective as edited would be now, for the person who edits it. */
export async function sloPreview(input: SloPreviewInput): Promise<SloState> {
  return await previewSlo(input);
}
