import { expect, test } from 'vitest';
import { bodyOf, teamsLimitBytes } from '../channels/teams.ts';
import type { Block } from './mail-layout.ts';
import type { Message } from './message.ts';
import { slackMessage } from './slack-message.ts';
import { teamsCard } from './teams-card.ts';

const message = (blocks: Block[]): Message => ({
  subject: 'checkout fails',
  mail: {
    sentence: 'checkout has been failing.',
    meta: ['critical', 'incident #42'],
    tone: 'critical',
    buttons: [{ label: 'Open incident #42', url: 'https://holdfast.example/incidents/42' }],
    blocks,
    footer: 'ops is told.',
    publicUrl: 'https://holdfast.example',
  },
  urgent: true,
});
const list = (items: number, text: string): Block => ({
  kind: 'list',
  heading: 'Alerts',
  items: Array.from({ length: items }, (_, index) => ({ text: `${index} ${text}` })),
});

test('a card for Teams is cut from the end to 28 KB, and says that there is more', () => {
  const whole = teamsCard(message([list(3, 'short')]));
  expect(JSON.stringify(whole)).not.toContain('More on the page of Holdfast.');
  const card = teamsCard(message([list(100, 'ü"'.repeat(300))]));
  expect(Buffer.byteLength(bodyOf(card))).toBeLessThanOrEqual(teamsLimitBytes);
  expect(Buffer.byteLength(bodyOf(card))).toBeGreaterThan(teamsLimitBytes - 3000);
  expect(JSON.stringify(card)).toContain('More on the page of Holdfast.');
  expect(card.actions).toHaveLength(1);
});

test('a card for Teams leads to the pages for what a link must not do in the name of any reader', () => {
  const value = { number: 42, asOf: 7, opening: 1 };
  const { actions } = teamsCard({
    ...message([]),
    actions: [
      { label: 'Acknowledge', action: 'holdfast.acknowledge', value },
      { label: 'Run a runbook', action: 'holdfast.run', value },
      { label: 'False positive', action: 'holdfast.false_positive', value },
    ],
  });
  expect(actions.map(({ title, url }) => [title, url])).toEqual([
    ['Open incident #42', 'https://holdfast.example/incidents/42'],
    ['Run a runbook', 'https://holdfast.example/runbooks?incident=42'],
    ['False positive', 'https://holdfast.example/incidents/42#do-resolve'],
  ]);
});

test('a message for Slack keeps to 50 blocks of 3,000 characters, and its button stays', () => {
  const { blocks } = slackMessage(message(Array.from({ length: 40 }, () => list(20, '<&>'.repeat(300)))), {
    presses: false,
  });
  expect(blocks).toHaveLength(50);
  for (const block of blocks) {
    if (block.type === 'section') expect(block.text.text.length).toBeLessThanOrEqual(3000);
  }
  expect(blocks.at(-2)?.type).toBe('actions');
});

test('a table, facts and code come out as text that Slack reads and nothing that it acts on', () => {
  const { blocks } = slackMessage(
    message([
      { kind: 'facts', rows: [{ label: 'Service', value: { text: '<!channel>', tone: 'critical' } }] },
      {
        kind: 'table',
        heading: 'Incidents',
        columns: [{ label: 'Incident' }],
        rows: [[{ text: '#1 a|b', href: 'https://holdfast.example/incidents/1' }]],
      },
      { kind: 'code', heading: 'Output', text: '```<@U1>' },
    ]),
    { presses: false },
  );
  const said = JSON.stringify(blocks);
  expect(said).toContain('*Service*  ■ &lt;!channel&gt;');
  expect(said).toContain('<https://holdfast.example/incidents/1|#1 a¦b>');
  expect(said).toContain("```'''&lt;@U1&gt;```");
});
