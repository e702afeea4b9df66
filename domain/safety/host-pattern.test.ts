import { expect, test } from 'vitest';
import { hostForms, matchesHost } from './host-pattern.ts';

const matches = (pattern: string, host: string) => hostForms(host).some((form) => matchesHost(pattern, form));

test.for<[pattern: string, host: string]>([
  ['10.0.0.1', '167772161'],
  ['10.0.0.1', '0xa000001'],
  ['10.0.0.1', '0XA.0.0.1'],
  ['10.0.0.1', '10.1'],
  ['10.0.0.1', '010.0.0.1'],
  ['8.0.0.1', '010.0.0.1'],
  ['10.0.0.1', '::ffff:10.0.0.1'],
  ['10.0.0.1', '::FFFF:a00:1'],
  ['10.0.0.1', '10.0.0.1.'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['10.0.*', '0xa000001'],
  ['fd00::1', 'FD00:0:0:0:0:0:0:1'],
  ['FD00:0::1', 'fd00::1'],
  ['[fd00::1]', 'fd00::1'],
  ['::1', '[::1]'],
  ['10.0.0.0/8', '10.200.3.4'],
  ['10.0.0.0/8', '::ffff:10.0.0.1'],
  ['::ffff:10.0.0.0/104', '10.1.2.3'],
  ['fd00::/8', 'fd12::3'],
  ['*.Example.com', 'db.example.COM.'],
  ['i-*', 'i-0123'],
])('%s matches %s', ([pattern, host]) => expect(matches(pattern, host)).toBe(true));

test.for<[pattern: string, host: string]>([
  ['10.0.0.1', '10.0.0.11'],
  ['10.0.0.0/8', '11.0.0.1'],
  ['10.0.0.0/8', 'fd00::1'],
  ['10.0.0.0/8', 'ten.example.com'],
  ['::/0', '10.0.0.1'],
  ['fd00::1', 'fd00::11'],
])('%s does not match %s', ([pattern, host]) => expect(matches(pattern, host)).toBe(false));
