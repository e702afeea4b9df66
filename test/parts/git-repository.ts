import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { installedCommand, temporaryFolder } from './server-part.ts';

export interface GitAuthor {
  name: string;
  email: string;
}

export interface GitChange {
  /** Path → content; null removes it; a link points where it says. */
  files?: Record<string, string | null | { link: string }>;
  subject?: string;
  author?: GitAuthor;
  branch?: string;
  /** Without what the branch held before: what a force-push leaves. */
  orphan?: boolean;
}

/** A real bare repository, as it lies on the disk of a Git host. */
export interface GitRepository {
  /** Holds `<name>.git`. */
  root: string;
  name: string;
  folder: string;
  /** 'file://…' */
  url: string;
  /** Makes a commit on the branch and answers its id. */
  push(change: GitChange): Promise<string>;
  git(args: readonly string[], input?: string | Buffer): Promise<string>;
  close(): Promise<void>;
}

export const ana: GitAuthor = { name: 'Ana Núñez', email: 'ana@example.com' };

/** @throws PartUnavailableError where git is not installed */
export async function createGitRepository(name = 'runbooks'): Promise<GitRepository> {
  const program = await installedCommand('Git', ['git']);
  const root = await temporaryFolder('git');
  const folder = join(root, `${name}.git`);
  const environment = {
    PATH: process.env.PATH ?? '',
    HOME: root,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
  };
  const call = async (args: readonly string[], more: { input?: string | Buffer; env?: object } = {}) => {
    const child = spawn(program, [`--git-dir=${folder}`, ...args], { env: { ...environment, ...more.env } });
    // git that asks for no input closes it, which is no fault
    child.stdin.on('error', () => {});
    child.stdin.end(more.input ?? '');
    const [output, complaint, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    if (code !== 0) throw new Error(`git ${args.join(' ')}: ${complaint}`);
    return output.trim();
  };
  await call(['init', '--quiet', '--bare', '--initial-branch=main', folder]);

  async function push({ files = {}, subject = 'Change', author = ana, branch = 'main', orphan }: GitChange) {
    const index = { GIT_INDEX_FILE: join(root, `index-${branch.replaceAll('/', '-')}`) };
    const parent = await call(['rev-parse', '--verify', '--quiet', `refs/heads/${branch}`]).catch(() => '');
    if (orphan) await call(['read-tree', '--empty'], { env: index });
    for (const [path, content] of Object.entries(files)) {
      if (content === null) {
        await call(['update-index', '--index-info'], { input: `0 ${'0'.repeat(40)}\t${path}\n`, env: index });
        continue;
      }
      const [mode, data] = typeof content === 'string' ? ['100644', content] : ['120000', content.link];
      const object = await call(['hash-object', '-w', '--stdin'], { input: data });
      await call(['update-index', '--add', '--cacheinfo', `${mode},${object},${path}`], { env: index });
    }
    const tree = await call(['write-tree'], { env: index });
    const parents = parent === '' || orphan ? [] : ['-p', parent];
    const commit = await call(['commit-tree', tree, ...parents, '-m', subject], {
      env: {
        GIT_AUTHOR_NAME: author.name,
        GIT_AUTHOR_EMAIL: author.email,
        GIT_COMMITTER_NAME: 'Host',
        GIT_COMMITTER_EMAIL: 'noreply@git.example.com',
      },
    });
    await call(['update-ref', `refs/heads/${branch}`, commit]);
    return commit;
  }

  return {
    root,
    name,
    folder,
    url: `file://${folder}`,
    push,
    git: (args, input) => call(args, input === undefined ? {} : { input }),
    close: () => rm(root, { recursive: true, force: true }),
  };
}
