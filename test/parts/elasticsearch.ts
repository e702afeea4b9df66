import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { findPort, loopback } from '../../stack/port.ts';
import { elasticsearchHome } from './elasticsearch/home.ts';
import { type ServerPart, startServerPart, temporaryFolder } from './server-part.ts';

export interface Elasticsearch extends ServerPart {
  url: string;
}

/**
 * A real Elasticsearch with one empty node. Missing from it, for they are not on Maven Central: security,
 * scripts (painless), ingest pipelines, reindex, ILM, ES|QL and the data stream API.
 * @throws PartUnavailableError when it cannot be put together here
 */
export async function startElasticsearch(options: { heap?: string } = {}): Promise<Elasticsearch> {
  const { java, folder: home } = await elasticsearchHome();
  const folder = await temporaryFolder('elasticsearch');
  const port = await findPort();
  const configuration = join(folder, 'config');
  const temporary = join(folder, 'tmp');
  await mkdir(configuration);
  await mkdir(temporary);
  await writeFile(join(configuration, 'elasticsearch.yml'), stringify(nodeSettings(folder, port)));
  await writeFile(join(configuration, 'log4j2.properties'), logSettings);
  const heap = options.heap ?? '512m';
  const url = `http://${loopback}:${port}`;
  const server = await startServerPart({
    name: 'Elasticsearch',
    command: java,
    args: [
      `-Xms${heap}`,
      `-Xmx${heap}`,
      '-XX:+UseG1GC',
      '-XX:+ExitOnOutOfMemoryError',
      `-Djava.io.tmpdir=${temporary}`,
      '-Djava.awt.headless=true',
      '-Dfile.encoding=UTF-8',
      '-Dio.netty.noUnsafe=true',
      '-Dio.netty.noKeySetOptimization=true',
      '-Dlog4j.shutdownHookEnabled=false', // or what it logs while it stops is lost
      '-Dlog4j2.disable.jmx=true',
      '-Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false', // only the distribution has that library
      `-Des.path.home=${home}`,
      '--enable-native-access=ALL-UNNAMED',
      '--add-opens=java.base/java.io=ALL-UNNAMED',
      '-cp',
      join(home, 'lib', '*'),
      'ServerMain',
      home,
      configuration,
    ],
    readyUrl: `${url}/_cluster/health?wait_for_status=green&timeout=1s`,
    readyLimitMs: 90_000,
    folder,
  });
  return { ...server, url };
}

function nodeSettings(folder: string, port: number): Record<string, string | number | boolean> {
  return {
    'cluster.name': 'holdfast-test',
    'node.name': 'holdfast-test',
    'network.host': loopback,
    'http.port': port,
    'transport.port': 0,
    'discovery.type': 'single-node',
    'path.data': join(folder, 'data'),
    'path.logs': join(folder, 'logs'),
    // a disk that is nearly full elsewhere must not make indexes read-only here
    'cluster.routing.allocation.disk.threshold_enabled': false,
  };
}

const logSettings = `status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d{ISO8601}][%p][%c{1.}] %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
`;
