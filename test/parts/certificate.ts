import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installedCommand, temporaryFolder } from './server-part.ts';

const run = promisify(execFile);

/** In PEM. */
export interface Certificate {
  certificate: string;
  key: string;
}

/**
 * A certificate for 127.0.0.1 that signed itself: trusted by whoever is told to, and by nobody else.
 * @throws PartUnavailableError where openssl is not installed
 */
export async function selfSigned(): Promise<Certificate> {
  const openssl = await installedCommand('A certificate', ['openssl']);
  const folder = await temporaryFolder('certificate');
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  try {
    await run(openssl, [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ],
      ...[
        '-subj',
        '/CN=holdfast-test',
        '-addext',
        'subjectAltName=IP:127.0.0.1',
        '-keyout',
        key,
        '-out',
        certificate,
      ],
    ]);
    return { certificate: await readFile(certificate, 'utf8'), key: await readFile(key, 'utf8') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
