import { join } from 'node:path';
import { configDefaults, defineConfig } from 'vitest/config';

/** Their tests compute, or ask a database of their own: a file leaves nothing behind that the next one could see. */
const plain = ['domain', 'db', 'api', 'cli'].map((room) => `${room}/**/*.test.ts`);

// programs that tests start again and again are compiled once
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules/.cache/holdfast/compiled');

export default defineConfig({
  test: {
    exclude: [...configDefaults.exclude, '.holdfast/**'],
    globalSetup: ['test/parts/prepare.ts', 'test/harness/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // what is waited for comes when it comes: a limit only ends a test that would fail anyway
    expect: { poll: { timeout: 10_000 } },
    restoreMocks: true,
    projects: [
      // what takes longest first, in a process for each file
      { extends: true, test: { name: 'parts', include: ['**/*.test.ts'], exclude: plain } },
      // in processes that go on from file to file, and import everything once
      { extends: true, test: { name: 'plain', include: plain, isolate: false } },
    ],
  },
});
