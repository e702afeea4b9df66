import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { variableNames } from '../main/config.ts';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFile(join(root, file), 'utf8');

test('the README tells of each variable that Holdfast reads', async () => {
  const rows = [...(await read('README.md')).matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name);
  expect(rows.toSorted()).toEqual(variableNames.toSorted());
});

test('each dependency has its reason, and none is explained that is not there', async () => {
  const { dependencies, devDependencies } = JSON.parse(await read('package.json'));
  const rows = [...(await read('docs/dependencies.md')).matchAll(/^\| `(\S+)` \| (.+) \|$/gm)];
  const explained = rows.map(([, name]) => name);
  expect(explained.toSorted()).toEqual(Object.keys({ ...dependencies, ...devDependencies }).toSorted());
});

test('what the documentation links to and shows is there', async () => {
  const missing: string[] = [];
  for (const file of await documents()) {
    for (const [, target = ''] of (await read(file)).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (/^[a-z]+:/.test(target) || existsSync(join(root, dirname(file), target))) continue;
      missing.push(`${file}: ${target}`);
    }
  }
  expect(missing).toEqual([]);
});

test('the commands that the documentation names are scripts of the project', async () => {
  const { scripts } = JSON.parse(await read('package.json'));
  const unknown: string[] = [];
  for (const file of await documents()) {
    for (const [, name = ''] of (await read(file)).matchAll(/npm run (?:--silent |-s )?([\w:-]+)/g)) {
      if (!(name in scripts)) unknown.push(`${file}: npm run ${name}`);
    }
  }
  expect(unknown).toEqual([]);
});

test('the pictures of the README are small enough for it', async () => {
  for (const name of await readdir(join(root, 'docs/images'))) {
    expect((await stat(join(root, 'docs/images', name))).size, name).toBeLessThan(200_000);
  }
});

async function documents(): Promise<string[]> {
  const inDocs = await readdir(join(root, 'docs'), { recursive: true });
  return [
    'README.md',
    'CONTRIBUTING.md',
    ...inDocs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
  ];
}
