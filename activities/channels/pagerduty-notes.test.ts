import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { dedupKeyOf, noteForPagerDuty } from '../../domain/pagerduty.ts';
import { type PagerDutyDouble, startPagerDutyDouble } from '../../test/harness/pagerduty-double.ts';
import { webhookDispatcher } from './dispatcher.ts';
import { createPagerDutyChannel } from './pagerduty.ts';
import { createPagerDutyNotes, type PagerDutyNote, restApiUrlFor } from './pagerduty-notes.ts';

const routingKey = 'r'.repeat(32);
const now = Date.parse('2026-11-21T02:14:00Z');
const dispatcher = webhookDispatcher({ egressAllow: [] });
const access = { token: 'u+Key-of_the-REST-api', from: 'holdfast@example.com' };
const dedupKey = dedupKeyOf('incident:1');
let double: PagerDutyDouble;
let events: ReturnType<typeof createPagerDutyChannel>;
let notes: ReturnType<typeof createPagerDutyNotes>;
beforeAll(async () => {
  double = await startPagerDutyDouble({ routingKey, apiToken: access.token, users: [access.from] });
  const deps = { dispatcher, clock: () => now, apiUrl: double.url };
  events = createPagerDutyChannel(deps);
  notes = createPagerDutyNotes(deps);
});
afterAll(async () => {
  await double.close();
  await dispatcher.close();
});
beforeEach(() => {
  double.opened.length = 0;
  double.incidents.clear();
  Object.assign(double.rest, {
    notes: [],
    calls: [],
    askForPatience: undefined,
    breakOff: false,
    readOnly: false,
  });
});

async function tell(event_action: 'trigger' | 'resolve', dedup_key = dedupKey): Promise<void> {
  const payload = { summary: 's', source: 's', severity: 'critical' as const };
  const event = { event_action, dedup_key, ...(event_action === 'trigger' && { payload }) };
  await events.send({ routingKey, events: [event] });
}

const noteOf = (seq = 7, change: Partial<PagerDutyNote> = {}): PagerDutyNote => ({
  dedupKey,
  content: noteForPagerDuty({ incident: 42, seq, writer: 'ana@example.com', text: 'looking\nat "it"' }),
  since: new Date(now),
  ...change,
});

async function failureOf(asking: Promise<unknown>): Promise<ApplicationFailure> {
  const failure = await asking.then(() => undefined).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ApplicationFailure);
  return failure as ApplicationFailure;
}

test('a note stands at the incident of its key, in the name of the user there', async () => {
  await tell('trigger', 'another');
  await tell('trigger');
  expect(await notes.write(access, noteOf())).toEqual({ response: 'note PN1 at PD2' });
  const content = 'ana@example.com (Holdfast #42, event 7): looking\nat "it"';
  expect(double.rest.notes).toEqual([{ id: 'PN1', incident: 'PD2', content, user: access.from }]);
});

test('of several incidents of one key the open one has it, else the newest', async () => {
  await tell('trigger');
  await tell('resolve');
  await tell('trigger');
  await notes.write(access, noteOf(1));
  await tell('resolve');
  await notes.write(access, noteOf(2));
  // somebody merged the newest into the oldest, which is open
  Object.assign(double.opened[0] ?? {}, { status: 'acknowledged' });
  await notes.write(access, noteOf(3));
  expect(double.rest.notes.map(({ incident }) => incident)).toEqual(['PD2', 'PD2', 'PD1']);
});

test('what came through although nobody heard of it is not written again', async () => {
  await tell('trigger');
  double.rest.breakOff = true;
  expect(await failureOf(notes.write(access, noteOf()))).toMatchObject({
    type: 'PagerDutyUnavailable',
    nonRetryable: false,
  });
  double.rest.breakOff = false;
  expect(await notes.write(access, noteOf())).toEqual({ response: 'the note is at PD1 already' });
  await notes.write(access, noteOf(8));
  expect(double.rest.notes).toHaveLength(2);
});

test('it waits as long as PagerDuty asks', async () => {
  double.rest.askForPatience = 17;
  expect(await failureOf(notes.write(access, noteOf()))).toMatchObject({
    type: 'RateLimited',
    nextRetryDelay: 17_000,
  });
});

test('what no retry mends says what to do', async () => {
  await tell('trigger');
  const refused = (remedy: string) => ({
    type: 'PagerDutyRefused',
    nonRetryable: true,
    message: expect.stringContaining(remedy),
  });
  expect(await failureOf(notes.write({ ...access, token: 'another-key' }, noteOf()))).toMatchObject(
    refused("Check the channel's apiToken: PagerDuty does not know it."),
  );
  expect(await failureOf(notes.write({ ...access, from: 'nobody@example.com' }, noteOf()))).toMatchObject(
    refused("Check the channel's notesFrom"),
  );
  double.rest.readOnly = true;
  expect(await failureOf(notes.write(access, noteOf()))).toMatchObject(refused('not read-only'));
  expect(double.rest.notes).toEqual([]);
});

test('a token that cannot be a header is not shown by the failure of it', async () => {
  const failure = await failureOf(notes.write({ ...access, token: 'two words' }, noteOf()));
  expect(failure).toMatchObject({ type: 'ChannelIncomplete', nonRetryable: true });
  expect(failure.message).not.toContain('two words');
});

test('an incident that is not there is waited for, but not for ever', async () => {
  expect(await failureOf(notes.write(access, noteOf()))).toMatchObject({
    type: 'PagerDutyNoIncident',
    nonRetryable: false,
  });
  const old = noteOf(7, { since: new Date(now - 11 * 60_000) });
  expect(await failureOf(notes.write(access, old))).toMatchObject({
    type: 'PagerDutyNoIncident',
    nonRetryable: true,
  });
});

test('whether the token is good can be asked without a note', async () => {
  expect((await notes.probe(access)).response).toContain('the API token is good');
  expect(await failureOf(notes.probe({ token: 'another-key' }))).toMatchObject({ type: 'PagerDutyRefused' });
});

test('whoever is in the EU with events is so with notes', () => {
  expect(restApiUrlFor('https://events.eu.pagerduty.com')).toBe('https://api.eu.pagerduty.com');
  expect(restApiUrlFor('https://events.pagerduty.com/')).toBe('https://api.pagerduty.com');
  expect(restApiUrlFor(undefined)).toBe('https://api.pagerduty.com');
});
