import { expect, test } from 'vitest';
import type { IncidentFacts } from '../../db/notification-facts.ts';
import { bodyOf } from '../channels/teams.ts';
import type { Block } from './mail-layout.ts';
import type { Message, MessageSource } from './message.ts';
import { pagerDutyEvents } from './pagerduty-event.ts';
import { slackMessage } from './slack-message.ts';
import { cardLimitBytes, teamsCard } from './teams-card.ts';

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

test('a card for Teams is cut from the end to 20 KB, and says that there is more', () => {
  const whole = teamsCard(message([list(3, 'short')]));
  expect(JSON.stringify(whole)).not.toContain('More on the page of Holdfast.');
  const card = teamsCard(message([list(100, 'ü"'.repeat(300))]));
  expect(Buffer.byteLength(bodyOf(card))).toBeLessThanOrEqual(cardLimitBytes);
  expect(Buffer.byteLength(bodyOf(card))).toBeGreaterThan(cardLimitBytes - 3000);
  expect(JSON.stringify(card)).toContain('More on the page of Holdfast.');
  expect(card.actions).toHaveLength(1);
});

const value = { number: 42, asOf: 7, opening: 1 };
const actions: Message['actions'] = [
  { label: 'Acknowledge', action: 'holdfast.acknowledge', value },
  { label: 'Run a runbook', action: 'holdfast.run', value },
  { label: 'False positive', action: 'holdfast.false_positive', value },
];
const linkTo = (token: string) => ({ url: `https://holdfast.example/l/${token}`, until: new Date() });

test('a card for Teams runs a runbook and closes a false positive by links of its own', () => {
  const card = teamsCard(
    { ...message([]), actions },
    { run: linkTo('run'), false_positive: linkTo('false') },
  );
  expect(card.actions.map(({ title, url }) => [title, url])).toEqual([
    ['Open incident #42', 'https://holdfast.example/incidents/42'],
    ['Run a runbook', 'https://holdfast.example/l/run'],
    ['False positive', 'https://holdfast.example/l/false'],
  ]);
});

test('a preview of a card leads to the pages, since it signs nothing', () => {
  expect(teamsCard({ ...message([]), actions }).actions.map(({ title, url }) => [title, url])).toEqual([
    ['Open incident #42', 'https://holdfast.example/incidents/42'],
    ['Run a runbook', 'https://holdfast.example/runbooks?incident=42'],
    ['False positive', 'https://holdfast.example/incidents/42#do-resolve'],
  ]);
});

test('of a card that is too large what its blocks say goes first, from the last; its buttons stay', () => {
  const blocks = [list(4, 'kept'), ...Array.from({ length: 60 }, () => list(4, 'ü"'.repeat(300)))];
  // as long as a link can be
  const long = linkTo('x'.repeat(2000));
  const card = teamsCard({ ...message(blocks), actions }, { run: long, false_positive: long });
  expect(Buffer.byteLength(bodyOf(card))).toBeLessThanOrEqual(cardLimitBytes);
  expect(card.actions.map(({ title }) => title)).toEqual([
    'Open incident #42',
    'Run a runbook',
    'False positive',
  ]);
  const said = JSON.stringify(card);
  expect(said).toContain('checkout has been failing.');
  expect(said).toContain('3 kept');
  expect(said).toContain('More on the page of Holdfast.');
  expect(said).toContain('ops is told.');
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

test('an event for PagerDuty keeps to 512 KB with its routing key, and else tells the sentence alone', () => {
  const alert = { name: 'ServiceDown', severity: 'critical', service: 'checkout' };
  const eventOf = (alerts: number, summaryOfLast: number) => {
    const summaries = [...Array.from({ length: alerts }, () => 1000), summaryOfLast];
    const facts = {
      number: 42,
      openedAt: new Date(),
      logPatterns: [],
      alerts: summaries.map((length) => ({ ...alert, summary: 'x'.repeat(length) })),
    } as unknown as IncidentFacts;
    const source: MessageSource = {
      type: 'incident.opened',
      facts: { incident: facts, execution: undefined, approval: undefined },
      detail: {},
      publicUrl: 'https://holdfast.example',
      reader: 'pd',
      links: {},
      now: Date.now(),
      timeZone: 'UTC',
    };
    const [event] = pagerDutyEvents(source, message([]), 'incident:42');
    const body = JSON.stringify({ routing_key: 'r'.repeat(32), ...event });
    return { bytes: Buffer.byteLength(body), details: event?.payload?.custom_details };
  };
  const isWhole = (event: ReturnType<typeof eventOf>) => event.details?.firing !== undefined;
  /** The largest number up to `limit` with which it is told as a whole. */
  const largest = (limit: number, of: (n: number) => ReturnType<typeof eventOf>): number => {
    let [fits, tooMany] = [0, limit + 1];
    while (tooMany - fits > 1) {
      const middle = Math.floor((fits + tooMany) / 2);
      if (isWhole(of(middle))) fits = middle;
      else tooMany = middle;
    }
    return fits;
  };
  const alerts = largest(1000, (n) => eventOf(n, 0));
  const summary = largest(1000, (n) => eventOf(alerts, n));
  expect(eventOf(alerts, summary).bytes).toBeGreaterThan(500 * 1024);
  expect(eventOf(alerts, summary).bytes).toBeLessThanOrEqual(512 * 1024);
  expect(eventOf(alerts + 1, 0).details).toEqual({ message: 'checkout has been failing.' });
});
