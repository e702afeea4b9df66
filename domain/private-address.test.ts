import { expect, test } from 'vitest';
import { processorMs } from '../test/harness/processor-time.ts';
import { publicDestination, withoutPrivateAddress } from './private-address.ts';

const person = 'ana@example.com';

test.each([
  ['email', 'home@private.example', person, 'ana@example.com, by mail'],
  ['email', 'Ana@example.com', person, 'Ana@example.com'],
  ['slack', 'ana@example.com in Slack (ops)', person, 'ana@example.com, by Slack'],
  ['webhook', 'own (hooks.private.example)', person, 'ana@example.com, by webhook'],
  ['pager', 'x', person, 'ana@example.com, by pager'],
  ['webhook', 'ops (hooks.example.com)', null, 'ops (hooks.example.com)'],
  ['email', 'team@example.com', null, 'team@example.com'],
])('by %s to %s for %s reads %s', (channel, destination, whom, read) => {
  expect(publicDestination({ channel, destination, person: whom })).toBe(read);
});

test('why a message failed names no address of a person, however the server wrote it', () => {
  const mail = { channel: 'email', destination: 'home@private.example', person };
  const said =
    'the mail server refuses mail to home@private.example: 550 <Home+x@private.example>: unknown, ask ana@example.com. See "https://mail.example/u?a=home".';
  expect(withoutPrivateAddress(said, mail)).toBe(
    'the mail server refuses mail to (address): 550 <(address)>: unknown, ask ana@example.com. See "(address)".',
  );
  expect(withoutPrivateAddress(said, { ...mail, person: null })).toBe(said);
  expect(withoutPrivateAddress(said, { ...mail, destination: person })).toBe(said);
  const hook = { channel: 'webhook', destination: 'own (127.0.0.1:81)', person };
  expect(withoutPrivateAddress('the webhook at 127.0.0.1:81 redirects to http://a/b (HTTP 302)', hook)).toBe(
    'the webhook at (address) redirects to (address) (HTTP 302)',
  );
});

test('a long word costs no more than its length', () => {
  const mail = { channel: 'email', destination: 'home@private.example', person };
  const took = processorMs(() => {
    withoutPrivateAddress('a.'.repeat(100_000), mail);
    withoutPrivateAddress(`a@${'.'.repeat(100_000)}b`, mail);
  });
  expect(took).toBeLessThan(1_000);
});
