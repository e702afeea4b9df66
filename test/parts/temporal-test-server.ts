import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { findPort, loopback } from '../../stack/port.ts';
import { buildOnce, cacheDirectory, PartUnavailableError } from './part.ts';
import { startServerPart, takesConnections, temporaryFolder } from './server-part.ts';

const run = promisify(execFile);

const version = '1.32.1';
const home = join(cacheDirectory, `temporal-test-server-${version}`);
const executable = join(home, 'temporal-test-server');
const downloads = join(cacheDirectory, 'temporal-test-server-download');
/** The SDK keeps what it downloaded, and asks no more until the time is over. */
const download = { type: 'cached-download', downloadDir: downloads, ttl: '30 days' } as const;
/** A network that drops packets must not cost every test file the operating system's own time-out. */
const downloadLimitMs = 60_000;

/**
 * A Temporal test server that skips time while a workflow's result is awaited, or by `env.sleep(…)`. Skipping
 * is global to the environment, so give each test file its own and call `env.teardown()` after it.
 *
 * Tried in this order: what an earlier run made from Maven Central, the SDK's own download, Maven Central.
 * @throws PartUnavailableError when neither can be reached.
 */
export async function createTimeSkippingEnvironment(): Promise<TestWorkflowEnvironment> {
  return (await prepareTestServer()) === 'made' ? await startMade() : await startFromDownload();
}

/**
 * Finds the server or makes it, so that the next start is quick.
 * @throws PartUnavailableError
 */
export async function prepareTestServer(): Promise<'made' | 'downloaded'> {
  if (existsSync(executable)) return 'made';
  const refused: string[] = [];
  try {
    await (await startDownloaded()).teardown();
    return 'downloaded';
  } catch (error) {
    refused.push(`the SDK's download: ${reason(error)}`);
  }
  try {
    console.log('Temporal test server: fetching it from Maven Central');
    await buildOnce(home, makeFromMavenCentral);
  } catch (error) {
    refused.push(`Maven Central: ${reason(error)}`);
    throw new PartUnavailableError('Temporal test server', refused.join('; '));
  }
  return 'made';
}

/** The SDK gives what it starts itself five seconds to listen: too few for Java where all cores are taken. */
async function startMade(): Promise<TestWorkflowEnvironment> {
  const port = await findPort();
  const address = `${loopback}:${port}`;
  const server = await startServerPart({
    name: 'Temporal test server',
    command: executable,
    // time is not skipped until somebody asks for it
    args: [`${port}`],
    readyUrl: () => takesConnections(port),
    readyLimitMs: 90_000,
    folder: await temporaryFolder('temporal-test-server'),
  });
  try {
    const environment = await existing.create({
      server: { type: 'existing' },
      namespace: 'default',
      supportsTimeSkipping: true,
      address,
    });
    const disconnect = environment.teardown.bind(environment);
    environment.teardown = async () => {
      await disconnect();
      await server.close();
    };
    return environment;
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** What the SDK says to the public of a server that runs already is that it cannot skip time. */
const existing = TestWorkflowEnvironment as unknown as {
  create(options: {
    server: { type: 'existing' };
    namespace: string;
    supportsTimeSkipping: boolean;
    address: string;
  }): Promise<TestWorkflowEnvironment>;
};

function startFromDownload(): Promise<TestWorkflowEnvironment> {
  return TestWorkflowEnvironment.createTimeSkipping({ server: { executable: download } });
}

async function startDownloaded(): Promise<TestWorkflowEnvironment> {
  await mkdir(downloads, { recursive: true });
  const limit = new AbortController();
  const environment = startFromDownload();
  const tooLate = sleep(downloadLimitMs, undefined, { signal: limit.signal, ref: false }).then(() => {
    throw new Error(`gave up after ${downloadLimitMs / 1000} s`);
  });
  tooLate.catch(() => {});
  try {
    return await Promise.race([environment, tooLate]);
  } catch (error) {
    // one that comes after all must not outlive the tests
    environment.then((late) => late.teardown()).catch(() => {});
    throw error;
  } finally {
    limit.abort();
  }
}

async function makeFromMavenCentral(into: string): Promise<void> {
  const pom = join(into, 'pom.xml');
  await writeFile(
    pom,
    `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>holdfast.test</groupId>
  <artifactId>temporal-test-server</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>io.temporal</groupId>
      <artifactId>temporal-test-server</artifactId>
      <version>${version}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-nop</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
`,
  );
  const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
  await run('mvn', ['-q', '-B', '-f', pom, copy, `-DoutputDirectory=${join(into, 'lib')}`], {
    timeout: 240_000,
  });
  const script = join(into, 'temporal-test-server');
  await writeFile(
    script,
    `#!/bin/sh\nexec java -cp "$(dirname "$0")/lib/*" io.temporal.testserver.TestServer "$@"\n`,
  );
  await chmod(script, 0o755);
}

function reason(error: unknown): string {
  const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
  if (code === 'ENOENT') return 'neither `mvn` nor another way to fetch it is installed';
  return (stderr?.trim() || message).split('\n')[0] ?? message;
}
