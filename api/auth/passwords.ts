import { hash, verify } from '@node-rs/argon2';

/** Argon2id with the parameters of OWASP's cheat sheet: 19 MiB, 2 passes, 1 lane (the library's defaults). */
export async function hashPassword(password: string): Promise<string> {
  return await hash(password);
}

/** Takes as long for an address that nobody has, so that the time tells nothing. */
export async function verifyPassword(stored: string | undefined, password: string): Promise<boolean> {
  if (stored !== undefined) return await verify(stored, password);
  nobody ??= hash('nobody');
  await verify(await nobody, password);
  return false;
}

let nobody: Promise<string> | undefined;
