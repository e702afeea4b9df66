import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startMoto } from '../../test/parts/moto.ts';
import { partOrSkip } from '../../test/parts/part.ts';
import { createSecretSource } from './create-secret-source.ts';
import { SecretUnavailableError } from './secret-source.ts';

let root: string;
let directory: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-secrets-'));
  directory = join(root, 'secrets');
  await mkdir(directory);
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

const source = (options: { directory?: string } = { directory }) =>
  createSecretSource({
    environment: {
      HOLDFAST_SECRET_DEPLOY: 'hunter2',
      DATABASE_URL: 'postgres://x',
      HOLDFAST_SECRET_EMPTY: '',
    },
    ssm: {},
    ...options,
  });
const refusal = async (reading: Promise<string>): Promise<string> => {
  const error = await reading.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SecretUnavailableError);
  return (error as Error).message;
};

describe('a secret of the environment', () => {
  it('is the variable HOLDFAST_SECRET_NAME and no other', async () => {
    expect(await source().read('env:DEPLOY')).toBe('hunter2');
    expect(await refusal(source().read('env:DATABASE_URL'))).toBe(
      'env:DATABASE_URL: the variable HOLDFAST_SECRET_DATABASE_URL is not set where it is read; set it there and start again',
    );
    expect(await refusal(source().read('env:EMPTY'))).toBe('env:EMPTY is empty; give it a value');
  });
});

describe('a secret that is no reference', () => {
  it.each([
    'hunter2',
    'env:lower',
    'env:A-B',
    'file:../outside',
    'file:a/b',
    'file:..',
    'file:.hidden',
    'ssm:x',
    '',
  ])("'%s' is refused without being repeated", async (text) => {
    const message = await refusal(source().read(text));
    expect(message).toMatch(/write 'env:NAME', 'file:NAME' or 'ssm:\/path'/);
    if (text !== '') expect(message).not.toContain(text);
  });
});

describe('a secret in a file', () => {
  it('is its text without the line break at the end, and nothing else cut', async () => {
    await writeFile(join(directory, 'key'), ' line 1\nline 2 \n\n');
    expect(await source().read('file:key')).toBe(' line 1\nline 2 \n');
    await writeFile(join(directory, 'windows'), 'x\r\n');
    expect(await source().read('file:windows')).toBe('x');
  });

  it('may be behind a link within the folder, as Kubernetes mounts them', async () => {
    await mkdir(join(directory, '..2026'));
    await writeFile(join(directory, '..2026', 'token'), 'mounted');
    await symlink('..2026', join(directory, '..data'));
    await symlink('..data/token', join(directory, 'token'));
    expect(await source().read('file:token')).toBe('mounted');
  });

  it('is not followed out of the folder', async () => {
    await writeFile(join(root, 'outside'), 'private');
    await symlink(join(root, 'outside'), join(directory, 'link'));
    await mkdir(join(root, 'secrets-of-others'));
    await writeFile(join(root, 'secrets-of-others', 'x'), 'private');
    await symlink(join(root, 'secrets-of-others', 'x'), join(directory, 'sibling'));
    for (const name of ['link', 'sibling']) {
      expect(await refusal(source().read(`file:${name}`))).toBe(
        `file:${name} is a link that leads out of HOLDFAST_SECRETS_DIR; put the file itself there`,
      );
    }
  });

  it('says what to do when it is missing, too large, binary, no file, or no folder is configured', async () => {
    await writeFile(join(directory, 'large'), 'x'.repeat(64 * 1024 + 1));
    await writeFile(join(directory, 'fits'), 'x'.repeat(64 * 1024));
    await writeFile(join(directory, 'binary'), Buffer.from([0xff, 0xfe, 0x41]));
    await promisify(execFile)('mkfifo', [join(directory, 'pipe')]);
    expect(await refusal(source().read('file:none'))).toBe(
      `file:none: there is no none in ${directory} where it is read; put it there`,
    );
    expect(await refusal(source().read('file:large'))).toMatch(/larger than 64 KiB/);
    expect(await source().read('file:fits')).toHaveLength(64 * 1024);
    expect(await refusal(source().read('file:binary'))).toMatch(/no text in UTF-8/);
    expect(await refusal(source().read('file:pipe'))).toMatch(/is no file/);
    expect(await refusal(source({}).read('file:key'))).toMatch(/set HOLDFAST_SECRETS_DIR$/);
  });
});

describe('a secret of Parameter Store', () => {
  it('is read decrypted, or said to be missing', async (context) => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'testing');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'testing');
    const moto = await partOrSkip(context, startMoto);
    const client = new SSMClient({ region: 'eu-west-1', endpoint: moto.url });
    try {
      await client.send(
        new PutParameterCommand({ Name: '/holdfast/key', Value: 'parameter store', Type: 'SecureString' }),
      );
      const stored = createSecretSource({
        environment: {},
        ssm: { region: 'eu-west-1', endpoint: moto.url },
      });
      expect(await stored.read('ssm:/holdfast/key')).toBe('parameter store');
      expect(await refusal(stored.read('ssm:/holdfast/none'))).toBe(
        'ssm:/holdfast/none: Parameter Store has no such parameter in eu-west-1; make it there, or set AWS_REGION to where it is',
      );
    } finally {
      client.destroy();
      vi.unstubAllEnvs();
      await moto.close();
    }
  }, 120_000);

  it('needs a region', async () => {
    expect(await refusal(source().read('ssm:/holdfast/key'))).toMatch(/set AWS_REGION$/);
  });

  it('says that AWS refuses it, or that nothing answers', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'testing');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'testing');
    const refusing = createServer((_, response) => {
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' }).end(
        JSON.stringify({
          __type: 'AccessDeniedException',
          message: 'not authorized to perform ssm:GetParameter',
        }),
      );
    });
    await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(refusing.address() as AddressInfo).port}`;
    const denied = createSecretSource({ environment: {}, ssm: { region: 'eu-west-1', endpoint } });
    expect(await refusal(denied.read('ssm:/holdfast/key'))).toMatch(
      /^ssm:\/holdfast\/key: AWS does not let this worker read it; allow ssm:GetParameter/,
    );
    refusing.closeAllConnections();
    await new Promise((resolve) => refusing.close(resolve));
    const nobody = createSecretSource({ environment: {}, ssm: { region: 'eu-west-1', endpoint } });
    expect(await refusal(nobody.read('ssm:/holdfast/key'))).toMatch(
      /Parameter Store in eu-west-1 .*ECONNREFUSED/,
    );
    vi.unstubAllEnvs();
  });
});
