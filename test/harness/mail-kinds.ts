import type { NotificationType, NotifyInput } from '../../domain/notification.ts';
import type { ReceivedMail } from '../parts/smtp.ts';
import type { MailNight } from './mail-night.ts';
import type { MailOffice } from './mail-office.ts';

/** A mail, and what its reader must find in it at once, in the HTML as in the text. */
export interface MailKind {
  send(office: MailOffice): Promise<ReceivedMail>;
  subject: string | RegExp;
  /** How the first line begins: what it is, how bad. */
  begins: string | RegExp;
  says: string[];
  /** The one thing to do. */
  button: string;
}

const minute = 60_000;

function told(
  type: NotificationType,
  about: (night: MailNight, now: number) => Omit<Partial<NotifyInput>, 'type'>,
): MailKind['send'] {
  return async (office) => await office.notify({ type, ...about(office.night, office.now) });
}

const ofOpen = (night: MailNight) => ({ incidentId: night.open.id });
const iso = (ms: number) => new Date(ms).toISOString();
const checkout = '[critical] #4711 checkout:';
const runbook = `${checkout} restart-connection-pool`;
const failing =
  /^checkout has been failing since (?:.+ )?\d\d:\d\d \S+: db-primary refuses connections; 12 alerts firing; the cause is probably db-primary \(85 %\)/;

/** A note goes to PagerDuty alone. */
export type MailedType = Exclude<NotificationType, 'incident.noted'>;

export const mailKinds: Record<MailedType, Record<string, MailKind>> = {
  'alert.received': {
    'an alert': {
      send: told('alert.received', (night) => ({ ...ofOpen(night), detail: { alert: 'HighErrorRate' } })),
      subject: `${checkout} HighErrorRate fires`,
      begins: 'HighErrorRate fires, as part of this: db-primary refuses connections, open since',
      says: ['critical', '12 of 14 firing'],
      button: 'Open incident #4711',
    },
  },
  'escalation.page': {
    'a page': {
      send: told('escalation.page', (night, now) => ({
        ...ofOpen(night),
        detail: {
          pass: 1,
          level: 1,
          levels: 3,
          nextAt: iso(now + 5 * minute),
          nextWhat: 'level 2: ben@example.com',
        },
      })),
      subject: `${checkout} db-primary refuses connections`,
      begins: failing,
      says: [
        'nobody has acknowledged it yet',
        'level 1 of 3',
        'level 2: ben@example.com, unless it is acknowledged',
        '38 % of requests fail',
        '812 times',
        'SLA Critical',
      ],
      button: 'Acknowledge',
    },
    'the last page': {
      send: told('escalation.page', (night) => ({
        ...ofOpen(night),
        detail: { pass: 2, level: 3, levels: 3, nextAt: null, nextWhat: null },
      })),
      subject: `${checkout} db-primary refuses connections`,
      begins: failing,
      says: ['level 3 of 3, pass 2', 'nobody is paged after this one'],
      button: 'Acknowledge',
    },
  },
  'escalation.reminder': {
    'a reminder': {
      send: told('escalation.reminder', (night) => ({
        incidentId: night.acknowledged.id,
        detail: { quietFor: 30 * minute },
      })),
      subject: '[warning] #4712 checkout: still yours, and quiet',
      begins: 'ben@example.com has it, and nothing has happened for 30 min: db-primary refuses connections.',
      says: ['warning', 'Acknowledged'],
      button: 'Open incident #4712',
    },
  },
  'escalation.restarted': {
    'an acknowledgement that was taken back': {
      send: told('escalation.restarted', (night) => ({
        ...ofOpen(night),
        detail: { quietFor: 60 * minute },
      })),
      subject: `${checkout} nobody has it any more`,
      begins:
        'The acknowledgement was taken back, and nothing has happened for 1 h, and escalation begins anew',
      says: ['critical'],
      button: 'Acknowledge',
    },
  },
  'incident.opened': {
    'an incident': {
      send: told('incident.opened', ofOpen),
      subject: `${checkout} db-primary refuses connections`,
      begins: failing,
      says: ['critical'],
      button: 'Acknowledge',
    },
  },
  'incident.root_cause_found': {
    'a cause': {
      send: told('incident.root_cause_found', ofOpen),
      subject: `${checkout} the cause may be db-primary`,
      begins: failing,
      says: ['critical'],
      button: 'Open incident #4711',
    },
  },
  'incident.acknowledged': {
    'an acknowledgement': {
      send: told('incident.acknowledged', (night) => ({ incidentId: night.acknowledged.id })),
      subject: '[warning] #4712 checkout: ben@example.com acknowledged',
      begins: 'ben@example.com has it now: db-primary refuses connections, open since',
      says: ['warning'],
      button: 'Open incident #4712',
    },
  },
  'incident.resolved': {
    'an end': {
      send: told('incident.resolved', (night) => ({ incidentId: night.resolved.id })),
      subject: '[critical] #4713 checkout: resolved after 13 min',
      begins: 'Resolved after 13 min, with its last alert: db-primary refuses connections.',
      says: ['resolved', 'none firing any more', 'ana@example.com'],
      button: 'Open incident #4713',
    },
    'a merge': {
      send: told('incident.resolved', (night) => ({
        incidentId: night.merged.id,
        detail: { mergedInto: night.open.number },
      })),
      subject: '[critical] #4714 checkout: merged into #4711',
      begins: 'One outage with #4711, which goes on with its alerts: db-primary refuses connections.',
      says: [],
      button: 'Open incident #4711',
    },
  },
  'oncall.nobody': {
    'a level without anybody': {
      send: told('oncall.nobody', (night) => ({
        ...ofOpen(night),
        detail: { level: 1, reason: "nobody is on call by the schedule 'weekend'" },
      })),
      subject: `${checkout} reached nobody who is on call`,
      begins: "A level of the escalation policy reached nobody (nobody is on call by the schedule 'weekend')",
      says: ['critical', 'Look at the schedules now'],
      button: 'Acknowledge',
    },
  },
  'sla.at_risk': {
    'a clock at risk': {
      send: told('sla.at_risk', (night) => ({ ...ofOpen(night), detail: { kind: 'acknowledge' } })),
      subject: `${checkout} to be acknowledged within 1 min`,
      begins: 'To be acknowledged by',
      says: ['critical', 'SLA Critical'],
      button: 'Acknowledge',
    },
  },
  'sla.breached': {
    'a breach': {
      send: told('sla.breached', (night) => ({
        incidentId: night.acknowledged.id,
        detail: { kind: 'resolve' },
      })),
      subject: '[warning] #4712 checkout: not resolved in time',
      begins: 'Not resolved by',
      says: ['warning', 'SLA Critical', '3 min ago'],
      button: 'Open incident #4712',
    },
  },
  'approval.needed': {
    'an approval': {
      send: told('approval.needed', ({ executions }) => ({ approvalId: executions.approval })),
      subject: `${runbook} waits for approval`,
      begins: 'Holdfast asks to run restart-connection-pool on checkout; it waits for approval until',
      says: [
        'Restart it?',
        'critical',
        '0 of 2 given',
        'sudo -n systemctl restart pgbouncer',
        'undone by: sudo -n systemctl start pgbouncer',
      ],
      button: 'Approve',
    },
  },
  'execution.succeeded': {
    'a success': {
      send: told('execution.succeeded', ({ executions }) => ({ executionId: executions.succeeded })),
      subject: `${runbook} succeeded`,
      begins: 'restart-connection-pool on checkout succeeded after 2 min.',
      says: ['critical'],
      button: 'Open the execution',
    },
  },
  'execution.failed': {
    'a failure': {
      send: told('execution.failed', ({ executions }) => ({ executionId: executions.failed })),
      subject: `${runbook} failed`,
      begins:
        "restart-connection-pool on checkout failed at step 'Check the pool': answered 503, expected 200.",
      says: ['retry-after: 30', 'not reached'],
      button: 'Open the execution',
    },
    'a failure without an incident': {
      send: told('execution.failed', ({ executions }) => ({ executionId: executions.alone })),
      subject: '[runbook] restart-connection-pool on checkout: failed',
      begins: "restart-connection-pool on checkout failed at step 'Drain connections'",
      says: [],
      button: 'Open the execution',
    },
  },
  'execution.rolled_back': {
    'a rollback': {
      send: told('execution.rolled_back', ({ executions }) => ({ executionId: executions.rolledBack })),
      subject: `${runbook} failed and was rolled back`,
      begins:
        "restart-connection-pool on checkout failed at step 'Verify health' and was rolled back (2 steps undone)",
      says: ['Restart the pool: ✓ succeeded, ↩ undone', 'retry-after: 30'],
      button: 'Open the execution',
    },
  },
  'execution.rollback_failed': {
    'a rollback that failed': {
      send: told('execution.rollback_failed', ({ executions }) => ({
        executionId: executions.rollbackFailed,
      })),
      subject: `${runbook} failed, and so did its rollback`,
      begins: "restart-connection-pool on checkout failed at step 'Verify health' and could not be undone",
      says: ['Unit pgbouncer.service not found', 'It was deleted on purpose'],
      button: 'Open the execution',
    },
  },
  'execution.refused': {
    'one that did not run': {
      send: told('execution.refused', ({ executions }) => ({
        executionId: executions.refused,
        detail: { reason: 'the runbook ran 5 times within an hour already' },
      })),
      subject: `${runbook} did not run`,
      begins:
        'restart-connection-pool on checkout did not run: the runbook ran 5 times within an hour already.',
      says: [],
      button: 'Open the execution',
    },
  },
  'execution.undo_failed': {
    'an undo that waits': {
      send: told('execution.undo_failed', ({ executions }) => ({
        executionId: executions.undoWaits,
        detail: { reason: 'the undo of step 3, Restart the pool, failed 3 times', step: 3 },
      })),
      subject: `${runbook} waits for a person: an undo fails`,
      begins:
        'restart-connection-pool on checkout is being rolled back and stands still: the undo of step 3, Restart the pool, failed 3 times; say whether to try again',
      says: ['Unit pgbouncer.service not found'],
      button: 'Open the execution',
    },
  },
  'execution.runner_missing': {
    'a runner that is away': {
      send: told('execution.runner_missing', ({ executions }) => ({
        executionId: executions.running,
        detail: { reason: 'no runner takes up step 2, Drain connections', runner: 'db-eu-1' },
      })),
      subject: `${runbook} waits for its runner`,
      begins:
        'restart-connection-pool on checkout stands still: no runner takes up step 2, Drain connections; start the runner',
      says: ['running'],
      button: 'Open the execution',
    },
  },
  'execution.message': {
    'a word of a runbook': {
      send: told('execution.message', ({ executions }) => ({
        executionId: executions.running,
        detail: { message: 'The replica of db-1 serves now' },
      })),
      subject: `${runbook} The replica of db-1 serves now`,
      begins: 'restart-connection-pool on checkout: The replica of db-1 serves now.',
      says: [],
      button: 'Open the execution',
    },
  },
  'runbook.import_refused': {
    'a push that was refused': {
      send: told('runbook.import_refused', ({ importId }) => ({ detail: { importId } })),
      subject: '[runbooks] 9f3c1e7a5b was refused: 2 problems in your push',
      begins: 'Holdfast did not take over commit 9f3c1e7a5b: 2 problems in its runbooks.',
      says: ['restart-pool.yaml:12:5', "did you mean 'command'?", 'Restart the pool before the service'],
      button: 'Open the source',
    },
  },
  'oncall.handoff': {
    'a turn that begins': {
      send: told('oncall.handoff', ({ schedule, handoffAt }) => ({
        target: { type: 'user', email: 'ben@example.com' },
        detail: { schedule, at: handoffAt.toISOString(), direction: 'on' },
      })),
      subject: /^\[on-call\] payments: you are on call until /,
      begins: 'You are on call for payments from',
      says: ['2 open incidents', 'nobody yet', '#4711'],
      button: 'Open the schedule',
    },
    'a turn that ends': {
      send: told('oncall.handoff', ({ schedule, handoffAt }) => ({
        detail: { schedule, at: handoffAt.toISOString(), direction: 'off' },
      })),
      subject: '[on-call] payments: your shift ends',
      begins: 'Your shift for payments ends',
      says: ['Ben takes over'],
      button: 'Open the schedule',
    },
  },
  'oncall.readiness': {
    'what could keep pages from arriving': {
      send: told('oncall.readiness', () => ({})),
      subject: /^\[on-call\] /,
      begins: /to look at|to mend/,
      says: ['weekend'],
      button: 'Open On-call',
    },
  },
  forecast: {
    'a forecast': {
      send: told('forecast', () => ({
        detail: { message: 'The disk /data of db-1 is full in 3 days', path: '/reports' },
      })),
      subject: '[forecast] The disk /data of db-1 is full in 3 days',
      begins: 'The disk /data of db-1 is full in 3 days',
      says: [],
      button: 'See the forecast',
    },
  },
  'notifications.consolidated': {
    'many in one': {
      send: async (office) => await office.overflow('HighErrorRate checkout'),
      subject: '[critical] 4 more about HighErrorRate checkout, in 3 incidents',
      begins: '4 more messages about HighErrorRate checkout since',
      says: ['#4711', '#4712', '#4713', 'nobody has it', 'Acknowledge'],
      button: 'Open the incidents',
    },
  },
  'channel.test': {
    'a test of a channel': {
      send: told('channel.test', () => ({ detail: { requestedBy: 'ben@example.com' } })),
      subject: '[test] Messages of Holdfast arrive here',
      begins: 'This is a test: messages of Holdfast arrive here.',
      says: ['ben@example.com asked for this test'],
      button: 'Open the channels',
    },
  },
  'contact.test': {
    'a test of a way to a person': {
      send: told('contact.test', () => ({
        target: { type: 'contact', email: 'ana@example.com', method: { type: 'email' } },
        detail: { requestedBy: 'ben@example.com' },
      })),
      subject: '[test] Holdfast can reach you in this way',
      begins: 'This is a test: Holdfast can reach you in this way.',
      says: ['ben@example.com asked for this test'],
      button: 'Open your contact rules',
    },
  },
  'chat.summary': {
    'a summary': {
      send: told('chat.summary', (_night, now) => ({ detail: { span: 'day', until: iso(now) } })),
      subject: /^\[summary\] 2 incidents are open \(1 critical, 1 warning\)/,
      begins: '2 incidents are open (1 critical, 1 warning), 1 not acknowledged. In the last day:',
      says: ['#4711', 'nobody', 'weekend: nobody', 'restart-connection-pool on checkout'],
      button: 'Open the incidents',
    },
  },
  'report.sla': {
    'an SLA report': {
      send: async (office) => (await office.report('sla')).mail,
      subject: /^\[report\] SLA of Acme: [\d.]+ % met, \d+ incidents$/,
      begins: /SLA/,
      says: ['Compliance by policy', 'Breaches', 'Pages by hour of the day'],
      button: 'Open the report',
    },
  },
  'report.capacity': {
    'a capacity report': {
      send: async (office) => (await office.report('capacity')).mail,
      subject: /^\[report\] Capacity of Acme: /,
      begins: /./,
      says: ['Disks', 'db-1:9100', 'Memory', 'CPU'],
      button: 'Open the report',
    },
  },
};
