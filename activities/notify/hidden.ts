import { ApplicationFailure } from '@temporalio/common';
import type { HiddenValues } from '../secrets/hidden-values.ts';
import { SecretUnavailableError } from '../secrets/secret-source.ts';

/**
 * What a hidden field of a channel holds: the thing itself, or what its reference ('env:', 'file:', 'ssm:') leads to,
 * read anew each time. Throws the retryable failure SecretUnavailable, which names the reference.
 */
export async function reveal(values: HiddenValues, orgId: string, hidden: string): Promise<string> {
  try {
    return await values.read(orgId, hidden);
  } catch (error) {
    if (!(error instanceof SecretUnavailableError)) throw error;
    throw ApplicationFailure.create({ type: 'SecretUnavailable', message: error.message, cause: error });
  }
}
