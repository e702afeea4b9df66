import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

/**
 * The workflow code as one script, for the workers of this process. It is bundled once per state of the sources
 * and kept under node_modules/.cache, so that a restart does not bundle again.
 */
export async function bundleWorkflows(): Promise<{ codePath: string }> {
  const codePath = join(
    root,
    'node_modules',
    '.cache',
    'holdfast',
    `workflows-${await fingerprintOfSources()}.js`,
  );
  if (!existsSync(codePath)) await run(process.execPath, [join(root, 'main', 'bundle.ts'), codePath]);
  return { codePath };
}

/** Of everything that can be in the bundle, and of how it is made: workflows, domain, locked versions of libraries. */
async function fingerprintOfSources(): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of ['workflows', 'domain']) {
    const names = await readdir(join(root, folder), { recursive: true });
    for (const name of names.filter((each) => each.endsWith('.ts') && !each.endsWith('.test.ts')).sort()) {
      hash.update(`${folder}/${name}\0`).update(await readFile(join(root, folder, name)));
    }
  }
  for (const name of ['main/bundle.ts', 'package-lock.json']) hash.update(await readFile(join(root, name)));
  return hash.digest('hex').slice(0, 16);
}
