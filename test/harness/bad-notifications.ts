import { randomUUID } from 'node:crypto';
import type { TestDatabase } from './database.ts';

const longName = 'PaymentGatewayConnectionPoolExhaustedOnPrimaryAndEveryReplica';

/** Rules, silences and messages of the bad night that `seedBadNight` made, with long names and everything that can be. */
export async function seedBadNotifications({
  owner,
  orgId,
}: TestDatabase): Promise<{ page: number; failed: number }> {
  const hour = 3_600_000;
  const at = (hours: number) => new Date(Date.now() + hours * hour).toISOString();
  await owner.query(
    `insert into on_call_schedules (org_id, name, definition) values ($1, 'night-watch', $2) on conflict do nothing`,
    [orgId, JSON.stringify({ timeZone: 'Europe/Berlin', rotations: [] })],
  );
  const rules = {
    'critical-to-everybody': {
      enabled: true,
      triggers: ['incident.opened', 'incident.resolved', 'sla.breached', 'execution.rolled_back'],
      when: {
        severities: ['critical', 'high'],
        service: 'pay*',
        labels: { [longName]: `${longName}*` },
        hours: { timeZone: 'Europe/Berlin', days: ['sat', 'sun'], from: '22:00', to: '06:00' },
      },
      targets: [
        { type: 'schedule', name: 'night-watch' },
        {
          type: 'email',
          address: 'somebody.with.a.very.long.mail.address@operations.subsidiary.example.com',
        },
      ],
      template: '#{{incident.number}} {{incident.title}}',
      order: 10,
    },
    off: {
      enabled: false,
      triggers: ['report.sla'],
      targets: [{ type: 'email', address: 'ana@example.com' }],
      order: 20,
    },
  };
  for (const [name, definition] of Object.entries(rules)) {
    await owner.query(
      `insert into notification_rules (org_id, name, position, definition) values ($1, $2, $3, $4)`,
      [orgId, name, definition.order, JSON.stringify(definition)],
    );
  }
  const silences = [
    { match: { service: '*' }, from: -1, to: 5, reason: `New disks: ${longName} 👷 قيد الصيانة` },
    {
      match: { alert: `${longName}*`, labels: { host: 'db-*' } },
      from: 2,
      to: 500,
      weekly: true,
      reason: 'Backups',
    },
    { match: { alert: 'Old*' }, from: -50, to: -40, reason: 'Moved house' },
  ];
  for (const { from, to, weekly, ...silence } of silences) {
    const hours = { timeZone: 'Europe/Berlin', days: ['sat', 'sun'], from: '02:00', to: '04:00' };
    const definition = {
      ...silence,
      ...(weekly ? { weekly: hours } : {}),
      startsAt: at(from),
      endsAt: at(to),
      team: null,
    };
    await owner.query(
      `insert into silences (org_id, definition, starts_at, ends_at, created_by)
       values ($1, $2, $3, $4, 'ana@example.com')`,
      [orgId, JSON.stringify(definition), at(from), at(to)],
    );
  }
  const message = async (given: Record<string, unknown>): Promise<number> => {
    const { rows } = await owner.query<{ id: number }>(
      `insert into notifications (org_id, key, type, incident_id, channel, destination, subject, status, attempts, error,
         created_at, finished_at, cause, person, latency_ms)
       select $1, $2, $3, i.id, $4, $5, $6, $7, 2, $8, now() - interval '1 hour', now() - interval '1 hour', $9, $10, $11
       from incidents i where i.number = 200 returning id`,
      [
        orgId,
        randomUUID(),
        given.type,
        given.channel,
        given.destination,
        given.subject,
        given.status,
        given.error ?? null,
        JSON.stringify(given.cause ?? {}),
        given.person ?? null,
        given.latencyMs ?? null,
      ],
    );
    return rows[0]?.id ?? 0;
  };
  const page = await message({
    type: 'escalation.page',
    channel: 'email',
    destination: 'ana@example.com',
    person: 'ana@example.com',
    subject: `[critical] #200 checkout: ${longName}`,
    status: 'sent',
    latencyMs: 412,
    cause: {
      event: 'incident.opened',
      at: at(-2),
      seq: 1,
      policy: 'payments',
      level: 2,
      pass: 1,
      round: 1,
      step: 2,
      entry: {
        schedule: 'night-watch',
        rotation: 'weekly',
        from: at(-80),
        to: at(88),
        override: false,
        shadow: false,
      },
      instead: 'Slack (ops-alerts): channel_not_found',
    },
  });
  const failed = await message({
    type: 'sla.breached',
    channel: 'slack',
    destination: `ops-alerts-of-${longName}`,
    subject: 'SLA breached',
    status: 'failed',
    error: `Slack refuses the message (channel_not_found): invite the bot of ${longName} to the channel, or change it`,
    latencyMs: 61_000,
    cause: {
      event: 'sla.breached',
      at: at(-1),
      rule: { name: 'critical-to-everybody', reasons: ['it waits for sla.breached'] },
    },
  });
  return { page, failed };
}
