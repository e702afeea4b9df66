import { describe, expect, it } from 'vitest';
import { parseRunbook } from '../runbook/parse.ts';
import { addressOf } from './commit.ts';
import { branchProblem, gitPath, pathProblem, transportOf, urlProblem } from './git-source.ts';
import { checkImport, type OtherRunbook, readImportFile } from './read-import.ts';

describe('the URL of a repository', () => {
  it('is one that git reaches by https, http, ssh or file, and by nothing else', () => {
    const good: [string, string][] = [
      ['https://git.example.com/acme/runbooks.git', 'https'],
      ['https://gitlab+deploy-token-1@gitlab.example.com/acme/runbooks.git', 'https'],
      ['http://127.0.0.1:3000/a/b', 'http'],
      ['ssh://git@git.example.com:2222/acme/runbooks.git', 'ssh'],
      ['git@git.example.com:acme/runbooks.git', 'ssh'],
      ['ssh://git@[2001:db8::1]:2222/acme/runbooks.git', 'ssh'],
      ['https://10.0.0.7/acme/runbooks.git', 'https'],
      ['file:///srv/git/runbooks.git', 'file'],
    ];
    for (const [url, transport] of good) {
      expect([url, urlProblem(url), transportOf(url)]).toEqual([url, undefined, transport]);
    }
    const bad = [
      '',
      '/srv/git/runbooks.git',
      '../runbooks',
      'ext::id',
      'fd::17',
      'git://git.example.com/a',
      'ftp://git.example.com/a',
      'HTTPS+ext://git.example.com/a',
      '--upload-pack=touch',
      '-u@host:path',
      'git@-oProxyCommand=id:x',
      'git@host:-x',
      'ssh://-oProxyCommand=id/x',
      'ssh://-l@host/x',
      'ssh://%2doProxy@host/x',
      'https://user:password@git.example.com/a',
      'https://git.example.com/a?x=1',
      'https://git.example.com/a#x',
      'https://',
      'https://git.example.com/a b',
      'https://git.example.com/a\nb',
      'http://169.254.169.254/latest/meta-data',
      'http://[fe80::1]/a',
      'http://[::ffff:169.254.169.254]/a',
      'http://[::169.254.169.254]/a',
      'http://[fd00:ec2::254]/a',
      'http://metadata.google.internal/a',
      'http://2852039166/a',
      'git@169.254.169.254:a',
      'git@metadata.google.internal:a',
      'ssh://git@2852039166/a',
      'ssh://git@0xa9fea9fe/a',
      'ssh://git@[fe80::1]/a',
      'ssh://git@%31%36%39.254.169.254/a',
      'https://%zz@h/x',
      'https://git.example.com./a',
    ];
    const whole = 'write a whole URL such as https://git.example.com/acme/runbooks.git';
    expect(urlProblem('https://%zz@h/x')).toBe(whole);
    for (const url of bad) expect([url, urlProblem(url)]).toEqual([url, expect.any(String)]);
  });
});

describe('a branch and a path', () => {
  it('are names of one branch and of a folder inside', () => {
    for (const branch of ['main', 'release/eu', 'feature/JIRA-1_x', 'v1.2', 'größe']) {
      expect([branch, branchProblem(branch)]).toEqual([branch, undefined]);
    }
    for (const branch of [
      '',
      '-f',
      'a..b',
      'a b',
      'a~1',
      'a^',
      'a:b',
      'a?',
      'a*',
      'a[',
      'a\\b',
      'a/',
      'a//b',
      '.a',
      'a/.b',
      'a.',
      'a.lock',
      'a.lock/b',
      'a@{1}',
      '+main',
      'a\0b',
    ]) {
      expect([branch, branchProblem(branch)]).toEqual([branch, expect.any(String)]);
    }
    for (const path of ['', 'ops', 'ops/run books', '-x', ':(glob)**'])
      expect(pathProblem(path)).toBeUndefined();
    for (const path of ['..', 'a/../b', 'a//b', './a', 'a\\b', 'a\0'])
      expect(pathProblem(path)).toBeDefined();
    expect(gitPath.parse('/ops/runbooks/')).toBe('ops/runbooks');
  });
});

describe('the author of a commit', () => {
  it('is told where the commit names an address that somebody reads', () => {
    const read = ['ana@example.com', ' ana.n@sub.example.co.uk '];
    for (const authorEmail of read) expect(addressOf({ authorEmail })).toBe(authorEmail.trim());
    const unread = [
      '',
      'ana',
      'ana@build-7.local',
      '12+ana@users.noreply.github.com',
      '12-ana@users.noreply.gitlab.com',
      'noreply@github.com',
      'no-reply@example.com',
      'ana@example.com, ben@example.com',
      'ana@example.com\r\nBcc: all@example.com',
      `${'a'.repeat(300)}@example.com`,
    ];
    for (const authorEmail of unread)
      expect([authorEmail, addressOf({ authorEmail })]).toEqual([authorEmail, undefined]);
  });
});

describe('an import', () => {
  const text = (name: string, step = 'command: ls') => `name: ${name}\nsteps:\n  - name: A\n    ${step}\n`;
  const calls = (name: string) => `type: runbook\n    runbook: ${name}`;
  const read = (files: Record<string, string>, environment = '', others = new Map<string, OtherRunbook>()) =>
    checkImport(
      Object.entries(files).map(([path, source]) => readImportFile({ path, text: source }, environment)),
      others,
    );
  const other = (name: string): [string, OtherRunbook] => {
    const parsed = parseRunbook(text(name), 'x.yaml');
    if ('problems' in parsed) throw new Error('broken');
    return [name, { owner: 'the file x.yaml of the runbook folder', definition: parsed.definition }];
  };
  const names = (result: ReturnType<typeof read>) =>
    'runbooks' in result ? result.runbooks.map(({ definition }) => definition.name) : result.problems;

  it('is all of the files or none', () => {
    expect(names(read({ 'a.yaml': text('a'), 'b.yaml': text('b') }))).toEqual(['a', 'b']);
    expect(names(read({ 'a.yaml': text('a'), 'b.yaml': 'name: b\n' }))).toMatchObject([{ file: 'b.yaml' }]);
    expect(names(read({}))).toEqual([]);
  });

  it('takes names of its own, under its environment', () => {
    const others = new Map([other('a')]);
    expect(names(read({ 'a.yaml': text('a') }, '', others))).toMatchObject([
      { file: 'a.yaml', line: 1, col: 7, message: expect.stringMatching(/belongs to the file x.yaml/) },
    ]);
    expect(names(read({ 'a.yaml': text('a') }, 'eu', others))).toEqual(['eu:a']);
    expect(names(read({ 'a.yaml': text('a'), 'b.yaml': text('a') }, 'eu'))).toMatchObject([
      { file: 'b.yaml' },
    ]);
  });

  it('calls runbooks of its own environment or of elsewhere, and none that is not there', () => {
    const others = new Map([other('shared')]);
    const files = {
      'a.yaml': text('a'),
      'b.yaml': text('b', calls('a')),
      'c.yaml': text('c', calls('shared')),
    };
    expect(names(read(files, 'eu', others))).toEqual(['eu:a', 'eu:b', 'eu:c']);
    expect(names(read({ 'b.yaml': text('b', calls('gone')) }, 'eu', others))).toMatchObject([
      { file: 'b.yaml', line: 5, message: expect.stringMatching(/no runbook 'gone'/) },
    ]);
  });
});
