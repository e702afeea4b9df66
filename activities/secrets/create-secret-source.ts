import { parseSecretReference } from '../../domain/runbook/secret-reference.ts';
import { type ParameterStoreOptions, parameterStore } from './parameter-store.ts';
import { readSecretFile } from './secret-file.ts';
import { type SecretSource, SecretUnavailableError } from './secret-source.ts';

export interface SecretSourceOptions {
  /** As process.env. Of it, only what begins with HOLDFAST_SECRET_ can be read. */
  environment: Readonly<Record<string, string | undefined>>;
  /** HOLDFAST_SECRETS_DIR. */
  directory?: string | undefined;
  ssm: ParameterStoreOptions;
}

const prefix = 'HOLDFAST_SECRET_';

/** Reads a secret anew each time that it is used, so that one that was renewed counts at once. */
export function createSecretSource({ environment, directory, ssm }: SecretSourceOptions): SecretSource {
  const readParameter = parameterStore(ssm);

  const valueAt = async (reference: string): Promise<string> => {
    const place = parseSecretReference(reference);
    if (!place) {
      // what stands there may be the secret itself
      throw new SecretUnavailableError(
        "a secret is not given as a reference; write 'env:NAME', 'file:NAME' or 'ssm:/path'",
      );
    }
    if (place.from === 'ssm') return await readParameter(place.name);
    if (place.from === 'file') return await readSecretFile(directory, place.name);
    const value = environment[`${prefix}${place.name}`];
    if (value !== undefined) return value;
    throw new SecretUnavailableError(
      `${reference}: the variable ${prefix}${place.name} is not set where it is read; set it there and start again`,
    );
  };

  return {
    async read(reference) {
      const value = await valueAt(reference);
      if (value === '') throw new SecretUnavailableError(`${reference} is empty; give it a value`);
      return value;
    },
  };
}
