import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HoldfastClient, holdfastClient } from '../harness/holdfast-client.ts';
import { type SlackAppDouble, type SlackUser, startSlackApp } from '../harness/slack-app.ts';
import { makePlace, type Place, type Stack, startStack } from '../harness/stack.ts';

let place: Place;
let slack: SlackAppDouble;
let stack: Stack | undefined;
let holdfast: HoldfastClient;

beforeAll(async () => {
  place = await makePlace();
  slack = await startSlackApp();
  stack = await startStack(place, {
    HOLDFAST_SECRET_SLACK_SIGNING: slack.signingSecret,
    HOLDFAST_SLACK_API_URL: slack.apiUrl,
  });
  holdfast = holdfastClient(place.url);
}, 150_000);
afterAll(async () => {
  await stack?.kill();
  await slack?.close();
  await place?.remove();
});

test('somebody whose mail address Slack has confirmed takes an incident on and resolves it from Slack', {
  timeout: 180_000,
}, async () => {
  const { email } = (await holdfast.get('/api/v1/users')).items[0];
  const owner: SlackUser = { id: 'U0OWNER', name: 'owner', email };
  slack.users.set(owner.id, owner);
  const channel = await holdfast.put('/api/v1/notification-channels/alerts', {
    type: 'slack',
    channel: 'C0ALERTS',
    token: slack.token,
    signingSecret: 'env:SLACK_SIGNING',
  });
  const [commands] = channel.inbound;
  await holdfast.put('/api/v1/chat/settings', { linkByEmail: true });
  await holdfast.send([{ labels: { alertname: 'HighErrorRate', severity: 'critical', service: 'shop' } }]);
  const { number } = await holdfast.incidentOf('shop');

  const ask = async (text: string): Promise<string> => {
    const { status, body } = await slack.command(commands.url, text, owner);
    expect(status).toBe(200);
    return body.text;
  };
  expect(await ask('incidents')).toBe('1 open incident');
  expect(await ask(`ack ${number} looking`)).toContain('is yours');
  expect(await ask(`ack ${number}`)).toContain(`already acknowledged by ${email}`);
  expect(await ask(`resolve ${number} restarted`)).toContain('is resolved');
  expect(await holdfast.incident(number)).toMatchObject({
    status: 'resolved',
    acknowledgedBy: email,
    resolvedBy: email,
  });
  // Slack waited for none of it longer than its three seconds
  expect(slack.problems).toEqual([]);
});
