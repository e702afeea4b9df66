import { inspect } from 'node:util';
import { Agent } from 'undici';
import { afterAll, expect, it } from 'vitest';
import { createSlackApi, SlackCallError } from './slack-api.ts';

const dispatcher = new Agent();
afterAll(() => dispatcher.close());

it.each([
  'https://hooks.slack.com.evil.example/actions/x',
  'https://hooks.slack.com@evil.example/x',
  'http://hooks.slack.com/actions/x',
  'http://169.254.169.254/latest',
  'no address',
])('posts no answer to %s, whatever a request names', async (url) => {
  const slack = createSlackApi({ dispatcher });
  await expect(slack.respond(url, { text: 'x', blocks: [], replace_original: false })).rejects.toThrow(
    'answers go to https://hooks.slack.com alone',
  );
});

it('refuses a token that cannot be sent, without showing it', async () => {
  const slack = createSlackApi({ dispatcher });
  const failure = await slack.profileOf('xoxb-1234\nxoxb-5678', 'U0ANA').catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(SlackCallError);
  expect(inspect(failure)).not.toContain('xoxb');
});
