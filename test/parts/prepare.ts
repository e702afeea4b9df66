import { findTemporalCli } from '../../stack/temporal-cli.ts';
import { elasticsearchHome } from './elasticsearch/home.ts';
import { kubernetesPrograms } from './kubernetes/programs.ts';
import { lokiProgram } from './loki/program.ts';
import { motoPython } from './moto.ts';
import { prepareTestServer } from './temporal-test-server.ts';

/**
 * Before the first test: what takes minutes to make and is then kept outside node_modules is made here, with
 * progress to see, and once, not inside the time limit of some test. What cannot be had is left to the tests
 * that need it, which skip and say why.
 */
export default async function setup(): Promise<void> {
  const parts = [
    () => findTemporalCli({ onProgress: (line) => console.log(line) }),
    prepareTestServer,
    elasticsearchHome,
    motoPython,
    () => kubernetesPrograms((line) => console.log(line)),
    () => lokiProgram((line) => console.log(line)),
  ];
  for (const prepare of parts) {
    await prepare().catch((error: Error) => console.warn(error.message));
  }
}
