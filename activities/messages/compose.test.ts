import { expect, test } from 'vitest';
import type { ApprovalRecord } from '../../db/approvals.ts';
import type { ExecutionDetail, ExecutionStep } from '../../db/executions-read.ts';
import type { AlertFacts, IncidentFacts } from '../../db/notification-facts.ts';
import { notificationTypes } from '../../domain/notification.ts';
import { approvalRecord, executionDetail, executionStep } from '../../test/harness/execution-records.ts';
import { composeMail, SubjectMissingError } from './compose.ts';
import type { MessageSource } from './message.ts';

const now = Date.parse('2026-11-21T02:29:00Z');
const minutes = (n: number) => new Date(now + n * 60_000);

const alert = (change: Partial<AlertFacts> = {}): AlertFacts => ({
  name: 'HighErrorRate',
  status: 'firing',
  severity: 'critical',
  service: 'checkout',
  summary: '38 % of requests fail',
  labels: {},
  fingerprint: 'f',
  receivedAt: minutes(-15),
  generatorUrl: null,
  ...change,
});

const incident = (change: Partial<IncidentFacts> = {}): IncidentFacts => ({
  id: '0c57',
  number: 42,
  title: 'db-primary refuses connections.',
  status: 'created',
  severity: 'critical',
  service: 'checkout',
  openedAt: minutes(-15),
  acknowledgedAt: null,
  acknowledgedBy: null,
  resolvedAt: null,
  resolvedBy: null,
  snoozedUntil: null,
  silencedUntil: null,
  alertCount: 14,
  firingCount: 14,
  deadlines: [],
  recordedSeq: 7,
  opening: 1,
  alerts: [alert()],
  cause: null,
  sla: [{ kind: 'resolve', policy: 'Critical', dueAt: minutes(15), state: 'running', pauses: [] }],
  logPatterns: [{ template: 'FATAL: too many clients (pid=<*>)', count: 214 }],
  ...change,
});

const step = ({ name = 'Restart', ...change }: Partial<ExecutionStep> = {}): ExecutionStep =>
  executionStep(name, {
    description: 'systemctl restart checkout',
    status: 'succeeded',
    attempts: 1,
    ...change,
  });

const execution = (change: Partial<ExecutionDetail> = {}): ExecutionDetail =>
  executionDetail({
    runbook: 'restart-service',
    runbookVersion: 3,
    incidentNumber: 42,
    status: 'waiting',
    createdAt: minutes(-2),
    startedAt: minutes(-2),
    finishedAt: minutes(-1),
    purpose: null,
    incidentTitle: null,
    steps: [step()],
    ...change,
  });

const source = (change: Partial<MessageSource> & Pick<MessageSource, 'type'>): MessageSource => ({
  facts: { incident: incident(), execution: undefined, approval: undefined },
  detail: {},
  publicUrl: 'https://holdfast.example',
  reader: 'ana@example.com',
  links: {},
  now,
  timeZone: 'UTC',
  ...change,
});

test('a page says in its first line what is wrong, since when, and that nobody has it', () => {
  const mail = composeMail(source({ type: 'escalation.page' }));
  expect(mail.subject).toBe('[critical] #42 checkout: db-primary refuses connections');
  expect(mail.text.split('\n')[0]).toBe(
    'checkout has been failing since 02:14 UTC: db-primary refuses connections; 14 alerts firing; nobody has acknowledged it yet.',
  );
  expect(mail.urgent).toBe(true);
});

test('the first line names the probable cause once it is known, and whose word it is', () => {
  const line = (cause: { service: string; confidence: number; by: string | null }) => {
    const facts = { incident: incident({ cause }), execution: undefined, approval: undefined };
    return composeMail(source({ type: 'escalation.page', facts })).text.split('\n')[0];
  };
  const cause = { service: 'db-primary', confidence: 0.846, by: null };
  expect(line(cause)).toContain('; the cause is probably db-primary (85 %); nobody');
  expect(line({ ...cause, confidence: 0.3 })).toContain('; the cause may be db-primary (30 %); nobody');
  expect(line({ ...cause, by: 'ben@example.com' })).toContain(
    '; the cause is db-primary, says ben@example.com; nobody',
  );
});

test('a page tells who is next and when, and when the SLA is due', () => {
  const detail = {
    pass: 2,
    level: 2,
    levels: 4,
    nextAt: minutes(15).toISOString(),
    nextWhat: 'level 3: ben@example.com',
  };
  const { text } = composeMail(source({ type: 'escalation.page', detail }));
  expect(text).toContain('level 2 of 4, pass 2');
  expect(text).toMatch(/Next page: +02:44 UTC, level 3: ben@example\.com, unless it is acknowledged/);
  expect(text).toMatch(/Resolve by: +02:44 UTC \(in 15 min, SLA Critical\)/);
});

test.each([
  ['incident.acknowledged', { acknowledgedAt: minutes(-1), acknowledgedBy: 'Ben' }, 'Ben acknowledged'],
  ['incident.resolved', { resolvedAt: minutes(0), resolvedBy: 'Holdfast' }, 'resolved after 15 min'],
  ['sla.at_risk', {}, 'to be resolved within 15 min'],
  ['sla.breached', {}, 'not resolved in time'],
] as const)('the subject of %s says what happened', (type, change, what) => {
  const facts = { incident: incident(change), execution: undefined, approval: undefined };
  const mail = composeMail(source({ type, facts, detail: { kind: 'resolve' } }));
  expect(mail.subject).toBe(`[critical] #42 checkout: ${what}`);
});

test('what is left of an SLA with a calendar is told as open time, in the mail and its subject', () => {
  const pauses: [number, number][] = [[now + 5 * 60_000, now + 725 * 60_000]];
  const sla = [
    { kind: 'resolve' as const, policy: 'Office', dueAt: minutes(735), state: 'at_risk' as const, pauses },
  ];
  const facts = { incident: incident({ sla }), execution: undefined, approval: undefined };
  const mail = composeMail(source({ type: 'sla.at_risk', facts, detail: { kind: 'resolve' } }));
  expect(mail.subject).toBe('[critical] #42 checkout: to be resolved within 15 min of open time');
  expect(mail.text).toContain('To be resolved by 14:44 UTC, 15 min of open time left (SLA Office)');
  expect(mail.text).toMatch(/Resolve by: +14:44 UTC \(in 15 min of open time, SLA Office\)/);
});

test('who was paged for what was merged is told where it goes on, not that it is over', () => {
  const facts = {
    incident: incident({ resolvedAt: minutes(0), resolvedBy: 'Holdfast' }),
    execution: undefined,
    approval: undefined,
  };
  const mail = composeMail(source({ type: 'incident.resolved', facts, detail: { mergedInto: 7 } }));
  expect(mail.subject).toBe('[critical] #42 checkout: merged into #7');
  expect(mail.text).toContain('One outage with #7, which goes on with its alerts');
});

test('a failed execution tells the step that ended it, the reason, what was undone and the end of the output', () => {
  const steps = [
    step({ name: 'Look', status: 'failed', error: 'exit code 3' }),
    step({
      index: 1,
      rollback: {
        description: 'systemctl start checkout',
        status: 'succeeded',
        runner: null,
        attempts: 1,
        startedAt: null,
        finishedAt: null,
        output: '',
        error: null,
        decision: null,
      },
    }),
    step({
      index: 2,
      name: 'Verify',
      status: 'failed',
      error: 'answered 503',
      output: `${'line\n'.repeat(100)}DOWN`,
    }),
    step({ index: 3, name: 'Tell', status: 'pending' }),
  ];
  const facts = {
    incident: undefined,
    execution: execution({ incidentNumber: null, steps }),
    approval: undefined,
  };
  const mail = composeMail(source({ type: 'execution.rolled_back', facts }));
  expect(mail.subject).toBe('[runbook] restart-service on checkout: failed and was rolled back');
  expect(mail.text.split('\n')[0]).toBe(
    "restart-service on checkout failed at step 'Verify' and was rolled back (1 step undone): answered 503.",
  );
  expect(mail.text).toContain('2. Restart: ✓ succeeded, ↩ undone');
  expect(mail.text).toContain('4. Tell: not reached');
  expect(mail.text).toContain('DOWN');
  expect(mail.text.match(/^line$/gm)).toHaveLength(14);
});

const approval = (change: Partial<ApprovalRecord> = {}): ApprovalRecord =>
  approvalRecord({
    executionId: execution().id,
    runbook: 'restart-service',
    requestedAt: minutes(-1),
    expiresAt: minutes(29),
    ...change,
  });

test('an approval in mid-run says what it asks and what follows the step that asks', () => {
  const steps = [
    step({ name: 'Look' }),
    step({ index: 1, name: 'Ask', type: 'approval' }),
    step({ index: 2, name: 'Promote' }),
  ];
  const asked = approval({ stepIndex: 1, message: 'Promote the replica?' });
  const facts = { incident: incident(), execution: execution({ steps }), approval: asked };
  const mail = composeMail(source({ type: 'approval.needed', facts }));
  expect(mail.text).toContain('Promote the replica?');
  expect(mail.text).toContain('1. Promote');
  expect(mail.text).not.toContain('Look');
});

test('an undo that fails says that a person has to decide, and which undo it is', () => {
  const rollback = {
    description: 'systemctl start checkout',
    status: 'waiting' as const,
    runner: null,
    attempts: 3,
    startedAt: null,
    finishedAt: null,
    output: '',
    error: 'exit status 1',
    decision: null,
  };
  const facts = {
    incident: incident(),
    execution: execution({ steps: [step({ rollback })] }),
    approval: undefined,
  };
  const detail = { reason: 'the undo of step 1, Restart, failed 3 times: exit status 1', step: 1 };
  const mail = composeMail(source({ type: 'execution.undo_failed', facts, detail }));
  expect(mail.subject).toContain('waits for a person');
  expect(mail.text).toContain('failed 3 times: exit status 1');
  expect(mail.text).toContain("Undo 'systemctl start checkout' failed: exit status 1");
});

test('whoever approves reads each line of a command, and where one ends in an undo', () => {
  const rollback = {
    description: 'rm -f /tmp/limit\necho gone',
    status: 'registered' as const,
    runner: null,
    attempts: 0,
    startedAt: null,
    finishedAt: null,
    output: '',
    error: null,
    decision: null,
  };
  const steps = [step({ description: 'mkdir -p /tmp/a\necho 300 > /tmp/limit\n', rollback })];
  const facts = { incident: incident(), execution: execution({ steps }), approval: approval() };
  const mail = composeMail(source({ type: 'approval.needed', facts }));
  expect(mail.html).toContain('mkdir -p /tmp/a\necho 300 &gt; /tmp/limit</code>');
  expect(mail.text).toContain('   mkdir -p /tmp/a\n   echo 300 > /tmp/limit\n');
  expect(mail.text).toContain('undone by: rm -f /tmp/limit ⏎ echo gone');
});

test('what comes from outside is text in the HTML, and cannot break a line or turn its order', () => {
  const evil = '</td><img src=x onerror="alert(1)">&amp;\u202e\r\nBcc: eve@example.com\u0000';
  const facts = {
    incident: incident({
      title: evil,
      service: evil,
      cause: { service: evil, confidence: 0.9, by: evil },
      alerts: [alert({ name: evil, service: evil, summary: evil })],
      logPatterns: [{ template: evil, count: 1 }],
    }),
    execution: execution({
      runbook: evil,
      target: evil,
      inputs: { [evil]: evil },
      steps: [step({ name: evil, description: evil, status: 'failed', error: evil, output: evil })],
    }),
    approval: undefined,
  };
  for (const type of ['escalation.page', 'execution.failed'] as const) {
    const mail = composeMail(source({ type, facts }));
    expect(mail.html).not.toContain('<img');
    expect(mail.html).not.toContain('onerror="');
    expect(mail.html).toContain('&lt;/td&gt;&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;amp;');
    expect(mail.subject).not.toMatch(/[\r\n]/);
    for (const part of [mail.subject, mail.html, mail.text]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must be gone
      expect(part).not.toMatch(/[\u0000\u202e\r]/);
    }
  }
});

test('the worst night still fits into 100 KB', () => {
  const long = '<'.repeat(5000);
  const facts = {
    incident: incident({
      title: long,
      alerts: Array.from({ length: 10 }, () => alert({ name: long, service: long, summary: long })),
      logPatterns: Array.from({ length: 3 }, () => ({ template: long, count: 1 })),
    }),
    execution: execution({
      inputs: Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`input${n}`, '<'.repeat(5000)])),
      steps: Array.from({ length: 80 }, (_, index) =>
        step({
          index,
          name: '<'.repeat(500),
          description: '<'.repeat(5000),
          status: index === 79 ? 'failed' : 'succeeded',
          output: '<'.repeat(50_000),
          error: '<'.repeat(5000),
        }),
      ),
    }),
    approval: undefined,
  };
  for (const type of ['escalation.page', 'execution.rollback_failed'] as const) {
    const mail = composeMail(source({ type, facts }));
    expect(Buffer.byteLength(mail.html), type).toBeLessThan(100_000);
  }
});

test('the text part knows every fact and link that the HTML knows', () => {
  const links = { acknowledge: { url: 'https://holdfast.example/l/token', until: minutes(60) } };
  const { html, text } = composeMail(source({ type: 'escalation.page', links }));
  const hrefs = [...html.matchAll(/href="([^"]+)"/g)].map((match) => match[1]!);
  expect(hrefs.length).toBeGreaterThan(2);
  for (const href of hrefs) expect(text).toContain(href);
  const cells = [...html.matchAll(/<(?:td|h1|h2|code)[^>]*>([^<]{3,})</g)].map((match) =>
    match[1]!.replaceAll('&lt;', '<').replaceAll('&gt;', '>').trim(),
  );
  expect(cells.length).toBeGreaterThan(10);
  for (const cell of cells) expect(text).toContain(cell);
});

test('a message whose record is missing says so instead of telling half', () => {
  const facts = { incident: undefined, execution: undefined, approval: undefined };
  const ofNothing = new Set(['contact.test', 'channel.test', 'forecast']);
  for (const type of notificationTypes.filter((each) => !ofNothing.has(each))) {
    expect(() => composeMail(source({ type, facts })), type).toThrow(SubjectMissingError);
  }
});

test('what a rule calls for names the rule, begins with its text, and leads to why it was sent', () => {
  const detail = { rule: 'critical-<b>', note: 'Look at #42 <now>' };
  const { html, text } = composeMail(source({ type: 'incident.opened', detail, key: 'incident:1:rule:x' }));
  expect(text).toContain('Look at #42 <now>');
  expect(text).toContain('is told by the rule critical-<b>.');
  expect(text).toContain(
    'Why did I get this? https://holdfast.example/notifications/find?key=incident%3A1%3Arule%3Ax',
  );
  expect(html).toContain('href="https://holdfast.example/notifications/find?key=incident%3A1%3Arule%3Ax"');
  expect(html).not.toContain('<now>');
});
