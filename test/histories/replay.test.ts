import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundleWorkflows } from '../../main/workflow-bundle.ts';
import { quietRuntime } from '../harness/workflows.ts';

const folder = import.meta.dirname;
const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();

beforeAll(() => quietRuntime());

/**
 * Workflows that ran somewhere must go on under the code of today. A failure here is a change that breaks them:
 * put it behind `patched`. Histories are recorded by `node test/histories/record.ts` and are never edited.
 */
describe('replays', () => {
  test('at least one history of every workflow', () => {
    for (const workflow of [
      'alert',
      'incident',
      'execution',
      'dry-run',
      'git-sync',
      'sla-report',
      'capacity-report',
      'chat-summary',
      'consolidation',
      'contact-test',
      'handoffs',
      'readiness',
      'slo-evaluation',
      'slo-preview',
    ]) {
      expect(
        files.some((file) => file.startsWith(`${workflow}.`)),
        workflow,
      ).toBe(true);
    }
  });

  test.each(files)('%s', async (file) => {
    const history = JSON.parse(await readFile(join(folder, file), 'utf8')) as unknown;
    await Worker.runReplayHistory({ workflowBundle: await bundleWorkflows() }, history, file);
  });
});
