import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { argvProblem, compileShellLine } from './shell-line.ts';
import { fillTemplate } from './template.ts';

/** Values that say `touch F` to whatever reads them as code. */
const hostile = [
  '$(touch F)',
  '; touch F',
  '-c touch F',
  '-c',
  '-ctouch F',
  'touch F',
  'touch',
  '`touch F`',
  '| touch F',
  '\ntouch F\n',
  "'; touch F; '",
  '"; touch F; "',
  'a[$(touch F)]',
  'system("touch F")',
  'BEGIN{system("touch F")}',
  '1e touch F',
  "import os; os.system('touch F')",
  'A=$(touch F)',
  '-S touch F',
  '5 touch F',
];
const options = [
  '-c',
  '-cx',
  '-e',
  '-x',
  '-ec',
  '--',
  '+x',
  '-n',
  '-s',
  '-i',
  '-u',
  '-',
  '-o',
  'posix',
  '5',
  'A=1',
  '-I{}',
  '{}',
  '-p',
];
const programs = [
  ...[
    'sh',
    'bash',
    'dash',
    '/bin/sh',
    'env',
    'timeout',
    'nohup',
    'nice',
    'xargs',
    'setsid',
    'stdbuf',
    'exec',
    'command',
    'builtin',
  ],
  ...[
    'eval',
    '.',
    'sed',
    'awk',
    'perl',
    'python3',
    'find',
    'ionice',
    'printf',
    'echo',
    'test',
    'read',
    'cat',
  ],
];
const literals = [
  'true',
  'echo a',
  './script',
  'ls',
  '{print}',
  'p',
  'eval "$1"',
  'echo "$@"',
  '"$@"',
  'echo {}',
  '-exec',
  '\\;',
  '.',
];
const variable = fc.constantFrom('{{x}}', '{{y}}', '-c{{x}}', 'A={{x}}', '{{x}}/b', '--a={{x}}');
const word = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...programs) },
  { weight: 4, arbitrary: fc.constantFrom(...options) },
  { weight: 3, arbitrary: fc.constantFrom(...literals) },
  { weight: 3, arbitrary: variable },
);
const command = fc
  .tuple(fc.constantFrom(...programs), fc.array(word, { minLength: 1, maxLength: 6 }))
  .map(([program, words]) => [program, ...words]);
const quoted = (text: string) => (/^[\w./={}:+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
const simpleLine = fc
  .tuple(
    command,
    fc.constantFrom('', '', ' 2>&1', ' >out', ' &>out', ' 2>&1 {{y}}', ' <script'),
    fc.boolean(),
  )
  .map(([words, redirect, early]) => {
    const [program = '', ...rest] = words.map(quoted);
    return early ? `${program}${redirect} ${rest.join(' ')}` : `${program} ${rest.join(' ')}${redirect}`;
  });
const line = fc.letrec<{ line: string }>((tie) => ({
  line: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    simpleLine,
    fc
      .tuple(simpleLine, fc.constantFrom('; ', ' | ', ' && ', ' || ', '\n', ' | tee out | '), tie('line'))
      .map((parts) => parts.join('')),
    fc
      .tuple(
        fc.constantFrom(
          ['(', ')'],
          ['{ ', '; }'],
          ['if true; then ', '; fi'],
          ['for a in {{x}} b; do ', ' $a; done'],
          ['while read a; do ', ' $a; done'],
          ['a=$(', '); eval $a'],
          ['a={{x}}; ', ' "$a"'],
          ['echo {{x}} | ', ''],
          ['sh -c ', ' "$(echo {{x}})"'],
        ),
        tie('line'),
        fc.constantFrom(
          '',
          ' | sh',
          ' | xargs',
          ' | xargs -I{} sh -c "{}"',
          ' | cat',
          ' | while read a; do eval $a; done',
        ),
      )
      .map(([[begin = '', end = ''], inner, after]) => `${begin}${inner}${end}${after}`),
  ),
})).line;
const shells = ['/bin/sh', '/bin/bash', '/bin/dash'].filter(existsSync);

describe('no value makes a file', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'code-words-'));
    writeFileSync(join(folder, 'script'), 'echo "$@"\n', { mode: 0o755 });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (program: string, args: readonly string[]) => {
    if (existsSync(join(folder, 'F'))) throw new Error('the file was there before');
    spawnSync(program, args, {
      cwd: folder,
      input: '',
      timeout: 3000,
      killSignal: 'SIGKILL',
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const made = existsSync(join(folder, 'F'));
    for (const name of readdirSync(folder))
      if (name !== 'script') rmSync(join(folder, name), { recursive: true });
    return made;
  };
  const values = fc.record({
    x: fc.constantFrom(...hostile),
    y: fc.constantFrom('touch F', 'F', '-c', '$(touch F)'),
  });

  it('in a list that is accepted', () => {
    fc.assert(
      fc.property(command, values, (words, given) => {
        fc.pre(words.some((one) => one.includes('{{')) && !argvProblem(words));
        const [program = '', ...args] = words.map((one) => fillTemplate(one, given));
        expect(run(program, args)).toBe(false);
      }),
      { numRuns: 300, maxSkipsPerRun: 1000 },
    );
  }, 60_000);

  it('in a line that is accepted, whichever shell reads it', () => {
    fc.assert(
      fc.property(line, values, fc.constantFrom(...shells), (text, given, shell) => {
        const compiled = compileShellLine(text);
        fc.pre(!('problems' in compiled) && compiled.variables.length > 0);
        if ('problems' in compiled) return;
        const parameters = compiled.variables.map((name) => (name === 'x' ? given.x : given.y));
        expect(run(shell, ['-c', compiled.line, 'sh', ...parameters])).toBe(false);
      }),
      { numRuns: 300, maxSkipsPerRun: 1000 },
    );
  }, 60_000);
});
