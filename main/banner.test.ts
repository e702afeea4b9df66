import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { type BannerFacts, banner } from './banner.ts';

const facts: BannerFacts = {
  config: {
    port: 8080,
    publicUrl: 'http://localhost:8080',
    ownerEmail: 'owner@holdfast.localhost',
    dataDir: '/srv/holdfast',
  },
  temporalUiUrl: 'http://127.0.0.1:8233',
  temporalAddress: '127.0.0.1:7233',
  hasMailbox: true,
  signInLink: 'http://localhost:8080/sign-in/hfl_abc',
  now: '2026-01-02T03:04:05.000Z',
};

test('it names every address, and the owner token only when it is new', () => {
  const text = banner({
    ...facts,
    newOwnerToken: 'hft_owner',
    ingestKey: 'hfi_key',
  });
  for (const part of [
    'http://localhost:8080\n',
    'http://127.0.0.1:8233',
    '--address 127.0.0.1:7233',
    'http://localhost:8080/mailbox',
    'http://localhost:8080/sign-in/hfl_abc',
    'hft_owner  (new; shown this once',
    'Bearer hfi_key',
  ]) {
    expect(text).toContain(part);
  }
  const later = banner(facts);
  expect(later).not.toMatch(/Owner token|Ingest key/);
  expect(later).toContain('Bearer YOUR-INGEST-KEY');
  expect(banner({ ...facts, hasMailbox: false })).not.toContain('Mailbox');
});

test('the command can be pasted into a shell and carries one firing alert', () => {
  const [, command = ''] = banner({ ...facts, ingestKey: 'hfi_key' }).split('Send a test alert:\n\n');
  const said = execFileSync('sh', ['-c', `curl() { printf '%s\\n' "$@"; }\n${command}`], {
    encoding: 'utf8',
  });
  const words = said.trimEnd().split('\n');
  expect(words).toContain('Authorization: Bearer hfi_key');
  expect(JSON.parse(words.at(-1) ?? '')).toMatchObject({
    version: '4',
    alerts: [{ status: 'firing', labels: { service: 'checkout' }, startsAt: '2026-01-02T03:04:05.000Z' }],
  });
});
