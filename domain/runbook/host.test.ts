import { expect, test } from 'vitest';
import { isHost } from './host.ts';

test.for([
  'db-1',
  'db-1.example.com.',
  '10.0.0.1',
  '255.255.255.255',
  'fd00::1',
  '::ffff:10.0.0.1',
  '1.db',
  'x0xa',
])('%s is a host', (text) => expect(isHost(text)).toBe(true));

test.for([
  '167772161',
  '0xa000001',
  '0x',
  '10.1',
  '10.0.0.1.',
  '010.0.0.1',
  '10.0.0.256',
  '10.0.0.0xA',
  '1.2.3.4.5',
  'db.1',
])('%s, an address written in a way that not all programs read alike, is none', (text) =>
  expect(isHost(text)).toBe(false),
);
