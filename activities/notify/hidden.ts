import { ApplicationFailure } from '@temporalio/common';
import { parseSecretReference } from '../../domain/runbook/secret-reference.ts';
import { type SecretSource, SecretUnavailableError } from '../secrets/secret-source.ts';

/**
 * What a hidden field of a channel holds: the thing itself, or what its reference ('env:', 'file:', 'ssm:') leads to,
 * read anew each time. Throws the retryable failure SecretUnavailable, which names the reference.
 */
export async function reveal(secrets: SecretSource, hidden: string): Promise<string> {
  if (!parseSecretReference(hidden)) return hidden;
  try {
    return await secrets.read(hidden);
  } catch (error) {
    if (!(error instanceof SecretUnavailableError)) throw error;
    throw ApplicationFailure.create({ type: 'SecretUnavailable', message: error.message, cause: error });
  }
}
