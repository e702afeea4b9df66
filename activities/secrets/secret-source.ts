/** The secret is not there or cannot be read; the message names the reference, never the value. */
export class SecretUnavailableError extends Error {
  override name = 'SecretUnavailableError';
}

/** Reads secrets by their references (domain/runbook/definition.ts), where the step runs. */
export interface SecretSource {
  /** Throws SecretUnavailableError. */
  read(reference: string): Promise<string>;
}
