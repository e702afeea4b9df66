import { describe, expect, it } from 'vitest';
import { type ChatCommand, readCommand } from './command.ts';

const commandOf = (text: string): ChatCommand => {
  const read = readCommand(text);
  if ('problem' in read) throw new Error(read.problem);
  return read.command;
};
const problemOf = (text: string): string => {
  const read = readCommand(text);
  return 'problem' in read ? read.problem : `understood as ${JSON.stringify(read.command)}`;
};

describe('a command', () => {
  it.each<[string, ChatCommand]>([
    ['', { name: 'help' }],
    ['  HELP ', { name: 'help' }],
    ['link', { name: 'link' }],
    ['incidents', { name: 'incidents', severity: [], mine: false, team: null }],
    [
      'incidents critical High mine team payments',
      { name: 'incidents', severity: ['critical', 'high'], mine: true, team: 'payments' },
    ],
    ['alert #42', { name: 'alert', number: 42 }],
    ['incident 42', { name: 'alert', number: 42 }],
    ['ack 42', { name: 'ack', number: 42, note: null }],
    ['acknowledge #42 on it, a &lt;b&gt; &amp; c', { name: 'ack', number: 42, note: 'on it, a <b> & c' }],
    ['resolve 42 restarted', { name: 'resolve', number: 42, note: 'restarted' }],
    ['run restart-service', { name: 'run', runbook: 'restart-service', number: null, inputs: {} }],
    [
      'run restart-service on #42 service=checkout why="too slow" note=“a b”',
      {
        name: 'run',
        runbook: 'restart-service',
        number: 42,
        inputs: { service: 'checkout', why: 'too slow', note: 'a b' },
      },
    ],
    ['run x q=a=b', { name: 'run', runbook: 'x', number: null, inputs: { q: 'a=b' } }],
    ['approve 42', { name: 'approve', subject: { number: 42 }, reason: null }],
    [
      'reject 0F0E0D0C-0000-4000-8000-000000000001 not now',
      {
        name: 'reject',
        subject: { executionId: '0f0e0d0c-0000-4000-8000-000000000001' },
        reason: 'not now',
      },
    ],
    ['oncall', { name: 'oncall', schedule: null }],
    ['on-call Payments EU', { name: 'oncall', schedule: 'Payments EU' }],
  ])('%j is understood', (text, command) => {
    expect(commandOf(text)).toEqual(command);
  });

  it.each([
    ['akc 42', 'There is no command “akc”. Did you mean `ack`?'],
    ['incident', 'Say which incident. Write it as `alert 42`.'],
    ['aprove 42', 'Did you mean `approve`?'],
    ['dance', 'There is no command “dance”. There are `incidents`, `alert`'],
    ['ack', 'Say which incident. Write it as `ack 42`.'],
    ['ack checkout', '“checkout” is no number of an incident. Write it as `ack 42`.'],
    ['ack 0', '“0” is no number of an incident'],
    ['approve soon', '“soon” is no number of an incident. Write it as `approve 42`.'],
    ['incidents purple', '“purple” says nothing about incidents. Write a severity (critical, high,'],
    ['incidents team', '“team” says nothing about incidents'],
    ['run', 'Say which runbook.'],
    ['run x on checkout', 'After `on` comes the number of an incident'],
    ['run x too slow', '“too” is neither `on <number>` nor `input=value`'],
  ])('%j is answered with what is wrong and how it is written', (text, answer) => {
    expect(problemOf(text)).toContain(answer);
  });

  it('reads inputs as data, whatever they are called', () => {
    const command = commandOf('run x __proto__=y constructor=z');
    expect(command).toMatchObject({ name: 'run' });
    expect(Object.keys((command as { inputs: object }).inputs)).toContain('constructor');
    expect(({} as Record<string, unknown>).y).toBeUndefined();
  });

  it('answers whatever is sent', () => {
    for (const text of ['"', '“', '=', 'run = =', '   ', '\u0000', 'ack '.repeat(5000), '"'.repeat(5000)]) {
      expect(readCommand(text)).toBeTypeOf('object');
    }
  });
});
