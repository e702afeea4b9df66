import { randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

/**
 * node main/bundle.ts FILE
 *
 * Bundles the workflow code into FILE. A process of its own, because the bundler's memory would stay with the
 * process that runs it: the worker is about 100 MB smaller without.
 */
const [file] = process.argv.slice(2);
if (!file) throw new Error('usage: node main/bundle.ts FILE');
/**
 * Pure and without state, so that the workflows of a thread can share what these files define. Everything else is
 * evaluated and kept once for each workflow.
 */
const shared = [
  'alert-lifecycle',
  'execution/apply-event',
  'execution/next-moves',
  'incident/apply-event',
  'incident/next-moves',
].map((name) => fileURLToPath(new URL(`../domain/${name}.ts`, import.meta.url)));
const silent = () => {};
const { code } = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('../workflows/index.ts', import.meta.url)),
  preloadModules: shared,
  logger: { log: silent, trace: silent, debug: silent, info: silent, warn: silent, error: silent },
});
await mkdir(dirname(file), { recursive: true });
const unfinished = `${file}.${randomUUID()}`;
await writeFile(unfinished, code);
await rename(unfinished, file);
