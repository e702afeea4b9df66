import { Agent } from 'undici';
import { afterAll, expect, it } from 'vitest';
import { createSlackApi } from './slack-api.ts';

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
