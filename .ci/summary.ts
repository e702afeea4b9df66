import { readFileSync } from 'node:fs';
import { z } from 'zod';

/**
 * node .ci/summary.ts RESULTS TEST_EXIT_CODE [FAILED_CHECK…]
 * Names what failed and what was skipped, ends with the line 'N passed, N failed, N skipped' and exits with 1 on
 * any failure. A failed check counts as one failure, and so does a test file that could not run.
 */
const resultsSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
});

const [file = '', exitCode = '1', ...failedChecks] = process.argv.slice(2);
const files = readResults();
const tests = files.flatMap(({ assertionResults }) => assertionResults);
const passed = tests.filter(({ status }) => status === 'passed').length;
const skipped = tests.filter(({ status }) => ['skipped', 'pending', 'todo', 'disabled'].includes(status));
const failed = [
  ...failedChecks,
  ...tests.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
  ...files.filter(didNotRun).map(({ name }) => name),
];
if (failed.length === failedChecks.length && exitCode !== '0') {
  failed.push(`npm test ended with exit code ${exitCode}`); // an error outside of any test
}

list('Failed', failed);
list(
  'Skipped',
  skipped.map(({ fullName }) => fullName),
);
console.log(`\n${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
process.exitCode = failed.length > 0 ? 1 : 0;

function readResults(): z.infer<typeof resultsSchema>['testResults'] {
  try {
    return resultsSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).testResults;
  } catch (error) {
    console.log(`No results of the tests could be read: ${(error as Error).message}`);
    return [];
  }
}

function didNotRun({
  status,
  assertionResults,
}: z.infer<typeof resultsSchema>['testResults'][number]): boolean {
  return status === 'failed' && !assertionResults.some((test) => test.status === 'failed');
}

function list(title: string, names: string[]): void {
  if (names.length > 0) console.log(`\n${title}:\n${names.map((name) => `  ${name}`).join('\n')}`);
}
