import type { SSMClient } from '@aws-sdk/client-ssm';
import { SecretUnavailableError } from './secret-source.ts';

export interface ParameterStoreOptions {
  /** AWS_REGION. */
  region?: string | undefined;
  /** HOLDFAST_AWS_ENDPOINT: instead of Amazon's own, for what speaks like it. */
  endpoint?: string | undefined;
}

const timeoutMs = 15_000;

/**
 * Reads parameters of AWS SSM Parameter Store, decrypted, with the credentials that the AWS SDK finds by itself. The
 * SDK is loaded when the first one is asked for. What it returns throws SecretUnavailableError.
 */
export function parameterStore({
  region,
  endpoint,
}: ParameterStoreOptions): (name: string) => Promise<string> {
  let client: SSMClient | undefined;
  return async (name) => {
    const reference = `ssm:${name}`;
    if (region === undefined) {
      throw new SecretUnavailableError(
        `${reference}: no region is configured where it is read; set AWS_REGION`,
      );
    }
    const { GetParameterCommand, SSMClient } = await import('@aws-sdk/client-ssm');
    client ??= new SSMClient({ region, ...(endpoint === undefined ? {} : { endpoint }) });
    try {
      const { Parameter } = await client.send(new GetParameterCommand({ Name: name, WithDecryption: true }), {
        abortSignal: AbortSignal.timeout(timeoutMs),
      });
      return Parameter?.Value ?? '';
    } catch (error) {
      throw new SecretUnavailableError(`${reference}: ${remedyFor(error, region)}`, { cause: error });
    }
  };
}

function remedyFor(error: unknown, region: string): string {
  if (!(error instanceof Error)) return String(error);
  switch (error.name) {
    case 'ParameterNotFound':
      return `Parameter Store has no such parameter in ${region}; make it there, or set AWS_REGION to where it is`;
    case 'AccessDeniedException':
      return `AWS does not let this worker read it; allow ssm:GetParameter on it, and kms:Decrypt on its key (${error.message})`;
    case 'CredentialsProviderError':
      return 'AWS credentials are missing where it is read; give the worker a role, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
    case 'AbortError':
    case 'TimeoutError':
      return `Parameter Store in ${region} gave no answer within ${timeoutMs / 1000} s; see whether the worker reaches it`;
    default:
      return `Parameter Store in ${region} answered ${error.name}: ${error.message}`;
  }
}
