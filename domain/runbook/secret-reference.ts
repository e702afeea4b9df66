import type { SecretReference } from './definition.ts';

/** Where a reference leads: a variable, a file of the secrets folder, or a parameter of AWS SSM Parameter Store. */
export interface SecretPlace {
  from: 'env' | 'file' | 'ssm';
  name: string;
}

export const secretReferencePattern =
  /^(?:(env):([A-Z][A-Z0-9_]{0,99})|(file):((?!\.)[A-Za-z0-9._-]{1,100})|(ssm):(\/[A-Za-z0-9._/-]{1,500}))$/;

/** Undefined where the text is no reference. */
export function parseSecretReference(text: SecretReference): SecretPlace | undefined {
  const parts = secretReferencePattern
    .exec(text)
    ?.slice(1)
    .filter((part) => part !== undefined);
  const [from, name] = parts ?? [];
  if (name === undefined || (from !== 'env' && from !== 'file' && from !== 'ssm')) return undefined;
  return { from, name };
}
