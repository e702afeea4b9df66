import { parseSecretReference } from '../../domain/runbook/secret-reference.ts';
import { type SecretSource, SecretUnavailableError } from './secret-source.ts';

/** Reads what a configuration hides, such as a channel's token: the thing itself, or where it is kept. */
export interface HiddenValues {
  /** Throws SecretUnavailableError. */
  read(orgId: string, hidden: string): Promise<string>;
}

export function createHiddenValues(deps: {
  secrets: SecretSource;
  /** Whether what the environment names is this organization's. */
  ownsEnvironment: (orgId: string) => Promise<boolean>;
}): HiddenValues {
  return {
    async read(orgId, hidden) {
      if (!parseSecretReference(hidden)) return hidden;
      if (!(await deps.ownsEnvironment(orgId))) {
        throw new SecretUnavailableError(
          "secrets of the installation are the first organization's: write the secret itself, or use an installation of your own",
        );
      }
      return await deps.secrets.read(hidden);
    },
  };
}
