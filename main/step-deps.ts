import type { WorkflowService } from '@temporalio/client';
import { createSecretSource } from '../activities/secrets/create-secret-source.ts';
import { createStepAdapters } from '../activities/steps/adapters.ts';
import { commandEnvironment } from '../activities/steps/command.ts';
import type { StepLedger } from '../activities/steps/ledger.ts';
import type { StepDeps } from '../activities/steps.ts';
import type { Config } from './config.ts';

/** What of the configuration decides how steps are carried out, on a worker as on a runner. */
type StepConfig = Pick<
  Config,
  | 'egressAllow'
  | 'commandEnvironment'
  | 'secretsDir'
  | 'sshKnownHosts'
  | 'awsRegion'
  | 'awsEndpoint'
  | 'prometheusUrl'
>;

const temporalDeadlineMs = 3_000;

/** `secrets`: values of Holdfast's own that no output may show. */
export function stepDepsOf(
  config: StepConfig,
  parts: { ledger: StepLedger; temporal: WorkflowService; secrets: readonly (string | undefined)[] },
): StepDeps {
  return {
    ledger: parts.ledger,
    adapters: createStepAdapters({
      environment: config.commandEnvironment,
      sshKnownHosts: config.sshKnownHosts,
      awsEndpoint: config.awsEndpoint,
      prometheusUrl: config.prometheusUrl,
    }),
    secretSource: createSecretSource({
      environment: config.commandEnvironment,
      directory: config.secretsDir,
      ssm: { region: config.awsRegion, endpoint: config.awsEndpoint },
    }),
    egressAllow: config.egressAllow,
    environment: commandEnvironment(config.commandEnvironment),
    secrets: parts.secrets.filter((secret) => secret !== undefined),
    temporalAnswers: () => answers(parts.temporal),
  };
}

async function answers(temporal: WorkflowService): Promise<boolean> {
  const deadline = new Promise<false>((resolve) => {
    setTimeout(() => resolve(false), temporalDeadlineMs).unref();
  });
  const asked = temporal.getSystemInfo({}).then(
    () => true,
    () => false,
  );
  return await Promise.race([asked, deadline]);
}
