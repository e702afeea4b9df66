import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { saveRunbook } from '../../db/runbooks.ts';
import { type LinkAction, type LinkSubject, signLink } from '../../db/signed-links.ts';
import { parseRunbook } from '../../domain/runbook/parse.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { createFakeMessages } from '../../test/harness/messages.ts';
import { signedIn } from '../../test/harness/signed-in.ts';
import { serveWeb, type TestWeb } from '../../test/harness/web.ts';
import { RefusedError, TemporalUnavailableError } from '../../workflows/messages-client.ts';

let database: TestDatabase;
let web: TestWeb;
let operator: { cookie: string };
let viewer: { cookie: string };
const messages = createFakeMessages();
const channel = 'somebody in team (Microsoft Teams)';
const logged: unknown[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  const { db, orgId } = database;
  web = await serveWeb(db, { messages, logError: (error) => logged.push(error) });
  const cookie = ({ token }: { token: string }) => ({ cookie: `holdfast=${token}` });
  operator = cookie(await signedIn(db, { orgId, email: 'ana@example.com', role: 'operator' }));
  viewer = cookie(await signedIn(db, { orgId, email: 'ben@example.com', role: 'viewer' }));
  await addRunbook('restart-service', 'inputs: {service: {default: checkout}}');
  await addRunbook('scale-out', 'inputs: {replicas: {}}');
});
afterAll(async () => {
  await web.close();
  await database.close();
});
beforeEach(async () => {
  messages.sent.length = 0;
  logged.length = 0;
  const { owner, orgId } = database;
  await owner.query('truncate incidents, alerts, executions, used_links cascade');
  await owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, service, status, recorded_seq, opening)
     values ($1, 42, 'db-primary refuses connections', 'critical', 0, 'checkout', 'investigating', 7, 1)`,
    [orgId],
  );
});

async function addRunbook(name: string, inputs: string): Promise<void> {
  const source = `name: ${name}\n${inputs}\nsteps: [{name: A, command: [ls]}]\n`;
  const parsed = parseRunbook(source, `${name}.yaml`);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  await database.db.write({ orgId: database.orgId }, (tx) =>
    saveRunbook(tx, {
      orgId: database.orgId,
      file: `${name}.yaml`,
      source,
      definition: parsed.definition,
    }),
  );
}

const sign = (action: LinkAction, person: string, subject: LinkSubject = {}) =>
  database.db.write({ orgId: database.orgId }, (tx) =>
    signLink(tx, {
      orgId: database.orgId,
      action,
      subject: { incidentNumber: 42, opening: 1, asOf: 7, ...subject },
      person,
      expiresAt: new Date(Date.now() + 3_600_000),
    }),
  );
const change = (set: string) => database.owner.query(`update incidents set ${set} where number = 42`);
async function look(token: string, headers = {}): Promise<string> {
  return await (await fetch(`${web.base}/l/${token}`, { headers })).text();
}
async function press(token: string, fields: Record<string, string> = {}, headers = {}) {
  const response = await fetch(`${web.base}/l/${token}`, {
    method: 'POST',
    headers: { 'sec-fetch-site': 'same-origin', ...headers },
    body: new URLSearchParams(fields),
  });
  return { status: response.status, html: await response.text() };
}
async function runs() {
  const { rows } = await database.owner.query('select runbook, requested_by from executions');
  return rows;
}

describe('a link that marks a false positive', () => {
  it('shows one button, and closes the incident in the name of whom the card was for, once', async () => {
    const token = await sign('false_positive', 'ana@example.com');
    const shown = await look(token);
    expect(shown.match(/<button class="button/g)).toHaveLength(1);
    expect(shown).toContain('Close as a false positive');
    expect(messages.sent).toEqual([]);
    expect((await press(token, { reason: 'a test of ours' })).html).toContain('Closed as a false positive');
    expect((await press(token)).html).toContain('This link has been used');
    expect(messages.sent).toEqual([
      {
        method: 'resolve',
        args: [
          database.orgId,
          42,
          {
            actor: { name: 'ana@example.com', via: 'teams' },
            asOf: 7,
            opening: 1,
            falsePositive: true,
            note: 'a test of ours',
          },
        ],
      },
    ]);
  });

  it('is refused with the reason once what it told of is over, or began anew, and stays good', async () => {
    const token = await sign('false_positive', 'ana@example.com');
    await change('opening = 2');
    expect(await look(token)).toContain('It has opened again since that message');
    expect((await press(token)).html).toContain('It has opened again since that message');
    await change(`opening = 1, resolved_at = now(), status = 'resolved'`);
    expect(await look(token)).not.toContain('<form method="post" class="panel');
    expect((await press(token)).html).toContain('It is over');
    expect(messages.sent).toEqual([]);
    await change('resolved_at = null');
    messages.next(new RefusedError('a worker is busy'));
    expect((await press(token)).html).toContain('Refused: a worker is busy');
    expect((await press(token)).html).toContain('Closed as a false positive');
  });

  it('takes the role Operator', async () => {
    const token = await sign('false_positive', 'ben@example.com');
    expect(await look(token)).toContain('takes the role Operator');
    expect((await press(token)).html).toContain('takes the role Operator');
    expect(messages.sent).toEqual([]);
  });
});

describe('a card that many read', () => {
  it('acts in nobody’s name: whoever opens its link signs in, and is led back', async () => {
    const token = await sign('false_positive', channel);
    const shown = await look(token);
    expect(shown).not.toContain('<form method="post" class="panel');
    expect(shown).toContain(`/sign-in?back&#x3D;${encodeURIComponent(`/l/${token}`)}`);
    expect((await press(token)).html).toContain('Sign in');
    expect(messages.sent).toEqual([]);
  });

  it('acts as who is signed in, with their role, for the first who does it', async () => {
    const token = await sign('false_positive', channel);
    expect(await look(token, viewer)).toContain('takes the role Operator');
    expect((await press(token, {}, viewer)).html).toContain('takes the role Operator');
    expect(await look(token, operator)).toContain('You act as <bdi>ana@example.com</bdi>');
    await press(token, {}, operator);
    expect(messages.sent).toMatchObject([
      { args: [database.orgId, 42, { actor: { name: 'ana@example.com' } }] },
    ]);
    expect((await press(token, {}, operator)).html).toContain('This link has been used');
  });

  it('takes no form that a page of another site sent', async () => {
    const token = await sign('false_positive', channel);
    const { status } = await press(token, {}, { ...operator, 'sec-fetch-site': 'cross-site' });
    expect(status).toBe(403);
    expect(messages.sent).toEqual([]);
  });
});

describe('a link that runs a runbook', () => {
  it('asks which one on its page, and runs it once, whoever clicks how often', async () => {
    const token = await sign('run', 'ana@example.com');
    const shown = await look(token);
    expect(shown).toMatch(/<option value="restart-service">[\s\S]*<option value="scale-out">/);
    expect(shown.match(/<button class="button/g)).toHaveLength(1);
    expect(await runs()).toEqual([]);
    const pressed = await Promise.all(
      Array.from({ length: 3 }, () => press(token, { runbook: 'restart-service' })),
    );
    expect(pressed.filter(({ html }) => html.includes('restart-service is on its way'))).toHaveLength(1);
    expect(await runs()).toEqual([{ runbook: 'restart-service', requested_by: 'ana@example.com' }]);
    expect(messages.sent.map(({ method }) => method)).toEqual(['startExecution']);
    expect(await look(token)).toContain('This link has been used');
  });

  it('says what a runbook lacks, leads to the page that asks for it, and stays good', async () => {
    const token = await sign('run', 'ana@example.com');
    const { html } = await press(token, { runbook: 'scale-out' });
    expect(html).toContain('replicas');
    expect(html).toContain('href="/runbooks/scale-out?incident&#x3D;42"');
    expect((await press(token, { runbook: 'no-such' })).html).toContain('there is no runbook');
    expect((await press(token)).html).toContain('Choose a runbook');
    expect(await runs()).toEqual([]);
    expect((await press(token, { runbook: 'restart-service' })).html).toContain('is on its way');
  });

  it('is refused once the incident is over, and to whom the role is missing', async () => {
    const late = await sign('run', 'ana@example.com', { opening: 3 });
    expect((await press(late, { runbook: 'restart-service' })).html).toContain('opened again');
    const weak = await sign('run', 'ben@example.com');
    expect((await press(weak, { runbook: 'restart-service' })).html).toContain('takes the role Operator');
    await change(`resolved_at = now(), status = 'resolved'`);
    const token = await sign('run', 'ana@example.com');
    expect((await press(token, { runbook: 'restart-service' })).html).toContain('It is over');
    expect(await runs()).toEqual([]);
  });

  it('writes it down while Temporal is away', async () => {
    const token = await sign('run', 'ana@example.com');
    messages.next(new TemporalUnavailableError('Temporal does not answer'));
    const { html } = await press(token, { runbook: 'restart-service' });
    expect(html).toContain('starts by itself when Temporal answers again');
    expect(await runs()).toHaveLength(1);
    expect(logged).toEqual([]);
  });

  it('says that it will run, and logs why it could not be started, whatever that was', async () => {
    const token = await sign('run', 'ana@example.com');
    const broken = new Error('the namespace is not there');
    messages.next(broken);
    const { html } = await press(token, { runbook: 'restart-service' });
    expect(html).toContain('starts by itself');
    expect(html).not.toContain('This link has been used');
    expect(await runs()).toHaveLength(1);
    expect(logged).toEqual([broken]);
  });
});

it('a link to acknowledge says beforehand that the incident has opened again since', async () => {
  const token = await sign('acknowledge', 'ana@example.com', { opening: 3 });
  const shown = await look(token);
  expect(shown).toContain('It has opened again since that message');
  expect(shown).not.toContain('<form method="post" class="panel');
});
