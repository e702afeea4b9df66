import { randomBytes, randomUUID } from 'node:crypto';
import type pg from 'pg';
import { hashSecret, newSecret } from '../../db/secrets.ts';
import { seedBadEvidence } from './bad-evidence.ts';
import { type BadExecutions, seedBadExecutions } from './bad-executions.ts';
import { seedClocks, seedSlos } from './bad-slos.ts';

/** What the pages are opened with: a night on which much goes wrong, and everything has an awkward name. */
export interface BadNight {
  /** The cookie's token and the form token of a session of the owner. */
  session: string;
  csrfToken: string;
  userId: string;
  /** Open, unacknowledged, everything on it. */
  worstIncident: number;
  acknowledgedIncident: number;
  /** Merged into the worst. */
  mergedIncident: number;
  resolvedIncident: number;
  pendingApproval: string;
  runningExecution: string;
  rolledBackExecution: string;
  executions: BadExecutions;
  report: string;
  runbook: string;
}

const minute = 60_000;

const titles = [
  'checkout: db-primary refuses connections',
  'PaymentLatencyHigh on payments',
  'KubePodCrashLooping',
  'DiskWillFillInFourHours on postgres-replica-eu-central-1b-storage-optimized-i3en-12xlarge',
  'ارتفاع زمن الاستجابة في خدمة الدفع',
  'שגיאות בשירות התשלומים 🔥',
  '🔥🔥 API error rate above 5 % for 10 minutes on the public gateway 🚨',
  '<script>alert("label")</script> is a title, not a script',
  `${'NodeFilesystemAlmostOutOfSpaceOnTheVolumeThatHoldsTheWriteAheadLog'.repeat(3)}`,
  'CertificateExpiresSoon',
  '決済サービスのエラー率が上昇しています',
  'QueueBacklogGrows on orders-worker',
];
const services = [
  'checkout',
  'payments',
  'inventory',
  'a-service-with-a-name-that-somebody-made-very-long-indeed-v2-canary',
  'خدمة-الدفع',
  'gateway',
  null,
];
const severities = ['critical', 'high', 'warning', 'low', 'info'] as const;

/** Fills `orgId` as the owner of the tables. `now` is epoch ms: the night is around it. */
export async function seedBadNight(owner: pg.Pool, orgId: string, now: number): Promise<BadNight> {
  const at = (minutesAgo: number): string => new Date(now - minutesAgo * minute).toISOString();
  const { userId, session, csrfToken } = await seedPeople(owner, orgId, at);
  const integrationId = await insert(owner, 'integrations', {
    org_id: orgId,
    kind: 'alertmanager',
    name: 'alertmanager',
    key_hash: randomBytes(32),
  });
  await seedIncidents(owner, orgId, now);
  await seedNoise(owner, orgId, integrationId);
  const worst = await seedWorstIncident(owner, orgId, integrationId, now);
  await seedBadEvidence(owner, orgId, { id: worst, opened: now - 14 * minute });
  const runbook = await seedRunbooks(owner, orgId);
  const some = await seedExecutions(owner, orgId, worst, at);
  const executions = await seedBadExecutions(owner, orgId, worst, now);
  await seedPolicies(owner, orgId);
  await seedSlos(owner, orgId, now);
  await seedClocks(owner, orgId, { incident: 199, now });
  const report = await seedReports(owner, orgId, at);
  return {
    session,
    csrfToken,
    userId,
    worstIncident: 200,
    acknowledgedIncident: 199,
    mergedIncident: 198,
    resolvedIncident: 190,
    ...some,
    executions,
    report,
    runbook,
  };
}

async function insert(owner: pg.Pool, table: string, row: Record<string, unknown>): Promise<string> {
  const columns = Object.keys(row);
  const { rows } = await owner.query<{ id?: string }>(
    `insert into ${table} (${columns.map((name) => `"${name}"`).join(', ')})
     values (${columns.map((_, index) => `$${index + 1}`).join(', ')}) returning *`,
    Object.values(row),
  );
  return rows[0]?.id ?? '';
}

async function seedPeople(owner: pg.Pool, orgId: string, at: (minutesAgo: number) => string) {
  const people = [
    ['ana@example.com', 'Ana Kovač', 'owner'],
    ['ben@example.com', 'Ben', 'operator'],
    [
      'somebody.with.a.very.long.mail.address@operations.subsidiary.example.com',
      'Łukasz Øystein van der Bergström-Papadopoulos',
      'viewer',
    ],
    ['maryam@example.com', 'مریم', 'admin'],
  ];
  const ids: string[] = [];
  for (const [email, name, role] of people) {
    const id = await insert(owner, 'users', { org_id: orgId, email, name });
    await insert(owner, 'memberships', { org_id: orgId, user_id: id, role });
    ids.push(id);
  }
  const userId = ids[0] ?? '';
  const session = newSecret('session');
  const csrfToken = randomBytes(16).toString('hex');
  await insert(owner, 'sessions', {
    org_id: orgId,
    user_id: userId,
    token_hash: hashSecret(session),
    csrf_token: csrfToken,
    user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    expires_at: at(-60 * 24),
  });
  await insert(owner, 'api_tokens', {
    org_id: orgId,
    user_id: userId,
    name: 'deploy script',
    token_hash: randomBytes(32),
  });
  return { userId, session, csrfToken };
}

async function seedIncidents(owner: pg.Pool, orgId: string, now: number): Promise<void> {
  const rows = Array.from({ length: 199 }, (_, index) => {
    const number = index + 1;
    const age = (200 - number) * 6 * minute;
    const severity = severities[(number * 7) % 5] ?? 'info';
    const over = number < 180 ? number % 9 !== 0 : number === 190;
    const acknowledged = over || number === 199 || number % 3 === 0;
    const opened = new Date(now - age - 8 * minute);
    return {
      org_id: orgId,
      number,
      title: titles[number % titles.length],
      status: over
        ? number % 11 === 0
          ? 'false_positive'
          : 'resolved'
        : number % 4 === 0
          ? 'mitigated'
          : 'investigating',
      severity,
      severity_rank: severities.indexOf(severity),
      service: services[number % services.length] ?? null,
      opened_at: opened,
      last_alert_at: opened,
      acknowledged_at: acknowledged ? new Date(opened.getTime() + 3 * minute) : null,
      acknowledged_by: acknowledged
        ? number % 2
          ? 'ana@example.com'
          : 'somebody.with.a.very.long.mail.address@operations.subsidiary.example.com'
        : null,
      resolved_at: over ? new Date(opened.getTime() + 7 * minute) : null,
      resolved_by: over ? (number % 2 ? 'Holdfast' : 'ben@example.com') : null,
      closed_at: over ? new Date(opened.getTime() + 22 * minute) : null,
      alert_count: 1 + (number % 17),
      firing_count: over ? 0 : 1,
      deadlines: over
        ? []
        : [
            {
              kind: acknowledged ? 'resolve_sla' : 'escalation',
              at: new Date(now + ((number % 40) + 1) * minute).toISOString(),
              what: acknowledged
                ? 'SLA standard: time to resolve is over'
                : 'pages ben@example.com (level 2)',
            },
          ],
    };
  });
  await owner.query(
    `insert into incidents (org_id, number, title, status, severity, severity_rank, service, opened_at, last_alert_at,
       acknowledged_at, acknowledged_by, resolved_at, resolved_by, closed_at, alert_count, firing_count, deadlines)
     select org_id, number, title, status, severity, severity_rank, service, opened_at, last_alert_at,
       acknowledged_at, acknowledged_by, resolved_at, resolved_by, closed_at, alert_count, firing_count, deadlines
     from jsonb_populate_recordset(null::incidents, $1)`,
    [JSON.stringify(rows)],
  );
}

/** The alerts of the other incidents, all over: what the figure of noise reduction counts. */
async function seedNoise(owner: pg.Pool, orgId: string, integrationId: string): Promise<void> {
  await owner.query(
    `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, labels,
       annotations, starts_at, received_at, resolved_at, dispatched_version)
     select $1, $2, md5(n::text), 'resolved', 'Noise', 'low', 3, '{}', '{}', now(), now() - n * interval '30 seconds',
       now(), 1
     from generate_series(1, 1800) n`,
    [orgId, integrationId],
  );
}

async function seedWorstIncident(
  owner: pg.Pool,
  orgId: string,
  integrationId: string,
  now: number,
): Promise<string> {
  const opened = now - 14 * minute;
  const iso = (ms: number) => new Date(ms).toISOString();
  const id = await insert(owner, 'incidents', {
    org_id: orgId,
    number: 200,
    title: 'checkout: db-primary refuses connections',
    status: 'investigating',
    severity: 'critical',
    severity_rank: 0,
    service: 'checkout',
    opened_at: iso(opened),
    last_alert_at: iso(now - minute),
    alert_count: 14,
    firing_count: 12,
    truncated_count: 3,
    recorded_seq: 9,
    escalation_policy: 'default',
    deadlines: JSON.stringify([
      {
        kind: 'acknowledge_sla',
        at: iso(opened + 16 * minute),
        what: 'SLA critical: time to acknowledge is over',
      },
      { kind: 'escalation', at: iso(opened + 18 * minute), what: 'pages ben@example.com (level 2)' },
      { kind: 'resolve_sla', at: iso(opened + 44 * minute), what: 'SLA critical: time to resolve is over' },
    ]),
  });
  await seedAlerts(owner, orgId, integrationId, id, opened);
  await seedLogs(owner, orgId, id, opened);
  await seedStory(owner, orgId, id, opened);
  for (const [kind, minutes, state] of [
    ['acknowledge', 16, 'at_risk'],
    ['resolve', 44, 'running'],
  ] as const) {
    await insert(owner, 'sla_clocks', {
      org_id: orgId,
      incident_id: id,
      kind,
      policy: 'critical',
      started_at: iso(opened),
      at_risk_at: iso(opened + minutes * 0.8 * minute),
      due_at: iso(opened + minutes * minute),
      state,
    });
  }
  return id;
}

async function seedAlerts(
  owner: pg.Pool,
  orgId: string,
  integrationId: string,
  incidentId: string,
  opened: number,
): Promise<void> {
  for (let index = 0; index < 14; index += 1) {
    const severity = severities[index % 3] ?? 'warning';
    await insert(owner, 'alerts', {
      org_id: orgId,
      integration_id: integrationId,
      fingerprint: randomBytes(8).toString('hex'),
      status: index < 2 ? 'resolved' : index === 3 ? 'stale' : 'firing',
      name: ['DatabaseConnectionsExhausted', 'HighErrorRate', titles[8], 'LatencyP99High'][index % 4],
      severity,
      severity_rank: severities.indexOf(severity),
      service: services[index % 5] ?? 'checkout',
      labels: JSON.stringify({
        alertname: 'DatabaseConnectionsExhausted',
        instance: `10.0.${index}.17:9187`,
        namespace: 'production',
        pod: `checkout-7d9f6c5b8d-x${index}2kq-${'long'.repeat(index)}`,
        description_rtl: 'قاعدة البيانات لا تستجيب 🚨',
        markup: '<b onmouseover="alert(1)">bold</b>',
      }),
      annotations: JSON.stringify({
        summary: `db-primary refuses connections: ${97 + index} of 100 in use`,
        runbook_url: index === 0 ? 'https://wiki.example.com/runbooks/db' : 'javascript:alert(1)',
      }),
      generator_url: 'http://prometheus.example.com/graph?g0.expr=pg_stat_activity_count',
      starts_at: new Date(opened + index * 20_000).toISOString(),
      received_at: new Date(opened + index * 20_000).toISOString(),
      occurrences: index + 1,
      dispatched_version: 1,
      incident_id: incidentId,
      correlation_reason: index === 0 ? null : 'same service checkout, within 5 min',
    });
  }
}

async function seedLogs(owner: pg.Pool, orgId: string, incidentId: string, opened: number): Promise<void> {
  const iso = (seconds: number) => new Date(opened + seconds * 1000).toISOString();
  const trace = [
    'org.postgresql.util.PSQLException: FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute',
    ...Array.from(
      { length: 299 },
      (_, index) =>
        `\tat com.example.checkout.pool.level${index}.ConnectionPool.borrow(ConnectionPool.java:${index + 40})`,
    ),
  ].join('\n');
  const patterns = [
    [
      'FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute',
      812,
      'error',
      true,
    ],
    ['could not obtain connection from pool <*> within <*> ms', 404, 'error', true],
    ['GET /api/v1/cart/<*> 500 in <*> ms', 211, 'warn', false],
    ['retrying <*> after <*> ms: attempt <*> of <*>', 96, 'warn', false],
    [`order ${'<*>-'.repeat(60)} was not written`, 12, 'error', false],
    ['خطأ في الاتصال بقاعدة البيانات <*>', 4, 'error', true],
    ['health check passed', 2, 'info', false],
  ].map(([template, count, level, isNew]) => ({
    template,
    count,
    level,
    isNew,
    firstAt: iso(-40),
    lastAt: iso(250),
    sample: String(template).replaceAll('<*>', '17'),
  }));
  const stackTraces = [
    {
      language: 'java',
      exception: 'org.postgresql.util.PSQLException',
      message: 'FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute',
      cause: null,
      file: 'ConnectionPool.java',
      line: 40,
      function: 'com.example.checkout.pool.ConnectionPool.borrow',
      service: 'checkout',
      count: 213,
      firstAt: iso(-20),
      lastAt: iso(240),
      sample: trace,
      isNew: true,
    },
    {
      language: 'node',
      exception: 'TypeError',
      message: "Cannot read properties of undefined (reading 'total')",
      cause: null,
      file: '/srv/app/src/cart/very/deep/folder/structure/that/goes/on/and/on/presenter.ts',
      line: 112,
      function: 'presentCart',
      service: 'gateway',
      count: 9,
      firstAt: iso(10),
      lastAt: iso(200),
      sample:
        "TypeError: Cannot read properties of undefined (reading 'total')\n    at presentCart (presenter.ts:112:9)",
      isNew: false,
    },
  ];
  const lines = Array.from({ length: 40 }, (_, index) => ({
    at: iso(index * 3),
    level: index % 4 === 0 ? 'fatal' : index % 3 === 0 ? 'warn' : 'error',
    service: 'checkout',
    host: `checkout-${index % 5}`,
    message:
      index === 3
        ? `payload ${'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9'.repeat(8)} was refused`
        : `could not obtain connection from pool main within ${3000 + index} ms (order ${randomUUID()})`,
    isNew: index % 5 === 0,
  }));
  await insert(owner, 'incident_logs', {
    org_id: orgId,
    incident_id: incidentId,
    source: 'elasticsearch',
    query: JSON.stringify({ service: 'checkout', namespace: 'production', from: iso(-300), to: iso(300) }),
    link: 'https://kibana.example.com/app/discover#/?_a=(query:(match_all:()))',
    total: 1541,
    patterns: JSON.stringify(patterns),
    stack_traces: JSON.stringify(stackTraces),
    lines: JSON.stringify(lines),
    fetched_at: iso(20),
  });
}

async function seedStory(owner: pg.Pool, orgId: string, incidentId: string, opened: number): Promise<void> {
  const entries: [kind: string, actor: string, summary: string][] = [
    ['opened', 'Holdfast', 'Opened by DatabaseConnectionsExhausted on checkout'],
    ['notification', 'Holdfast', 'Paged ana@example.com (level 1)'],
    ['logs', 'Holdfast', '1,541 lines from Elasticsearch: 7 patterns, 2 stack traces; 3 patterns are new'],
    ['alert', 'Holdfast', 'HighErrorRate on payments joined: same service checkout, within 5 min'],
    ['execution_started', 'Holdfast', 'Runbook restart-connection-pool waits for approval'],
    [
      'note',
      'ben@example.com',
      'Looked at pg_stat_activity: 97 idle in transaction, all from checkout.\nمن فضلك تحقق 🙏',
    ],
    ['notification_failed', 'Holdfast', 'Could not page ops-hook: the receiver answered 502'],
    ['execution_rolled_back', 'Holdfast', 'Runbook clear-cache rolled back: Verify health failed'],
    ['sla_at_risk', 'Holdfast', 'SLA critical is at risk: 80 % of the time to acknowledge is over'],
    ['note', 'somebody.with.a.very.long.mail.address@operations.subsidiary.example.com', titles[8] ?? ''],
    ...Array.from({ length: 24 }, (_, index): [string, string, string] => [
      'alert',
      'Holdfast',
      `LatencyP99High on service-${index} joined: same namespace production`,
    ]),
  ];
  for (const [index, [kind, actor, summary]] of entries.entries()) {
    await insert(owner, 'timeline', {
      org_id: orgId,
      incident_id: incidentId,
      at: new Date(opened + index * 20_000).toISOString(),
      kind,
      actor,
      summary,
      dedup_key: String(index),
    });
  }
  await insert(owner, 'notifications', {
    org_id: orgId,
    key: randomUUID(),
    type: 'escalation.page',
    incident_id: incidentId,
    channel: 'email',
    destination: 'ana@example.com',
    subject: '[critical] #200',
    status: 'sent',
    created_at: new Date(opened).toISOString(),
    finished_at: new Date(opened + 800).toISOString(),
  });
}

const stepRows = [
  {
    name: 'Check the pool',
    description: "psql -h db-primary -c 'select count(*) from pg_stat_activity'",
    rollback_description: null,
  },
  {
    name: 'Drain connections of checkout',
    description: 'kubectl -n production scale deployment/checkout --replicas=0',
    rollback_description: 'kubectl -n production scale deployment/checkout --replicas=6',
  },
  {
    name: 'Restart the pool',
    description: `sudo -n systemctl restart ${'pgbouncer-instance-'.repeat(6)}main`,
    rollback_description: 'sudo -n systemctl start pgbouncer',
  },
  {
    name: 'Verify health',
    description: 'GET https://checkout.example.com/healthz\nexpects status 200',
    rollback_description: null,
  },
];

async function seedExecutions(
  owner: pg.Pool,
  orgId: string,
  incidentId: string,
  at: (minutesAgo: number) => string,
) {
  const execution = async (status: string, runbook: string, more: Record<string, unknown>) => {
    const id = randomUUID();
    await insert(owner, 'executions', {
      org_id: orgId,
      id,
      runbook,
      runbook_version: 3,
      incident_id: incidentId,
      requested_by: 'Holdfast',
      mode: 'semi_auto',
      target: 'checkout',
      inputs: JSON.stringify({
        service_name: 'checkout',
        password: '***',
        health_check_url: 'https://checkout.example.com/healthz',
      }),
      status,
      created_at: at(12),
      workflow_id: `execution:${orgId}:${id}`,
      ...more,
    });
    return id;
  };
  const steps = async (id: string, states: Record<string, unknown>[]) => {
    for (const [index, row] of stepRows.entries()) {
      await insert(owner, 'execution_steps', {
        org_id: orgId,
        execution_id: id,
        index,
        type: index === 3 ? 'http' : 'command',
        ...row,
        ...states[index],
      });
    }
  };
  const approval = async (
    id: string,
    status: string,
    runbook: string,
    more: Record<string, unknown> = {},
  ) => {
    const approvalId = randomUUID();
    await insert(owner, 'approvals', {
      org_id: orgId,
      id: approvalId,
      execution_id: id,
      incident_id: incidentId,
      runbook,
      requested_by: 'Holdfast',
      requested_at: at(12),
      expires_at: at(-18),
      required: 2,
      status,
      workflow_id: `execution:${orgId}:${id}`,
      ...more,
    });
    return approvalId;
  };
  const vote = async (approvalId: string, decision: string) => {
    await insert(owner, 'approval_votes', {
      org_id: orgId,
      approval_id: approvalId,
      person: 'ben@example.com',
      decision,
      via: 'mail',
      reason: 'Seen this twice this week, the restart is safe.',
      at: at(10),
    });
  };

  const waiting = await execution('waiting', 'restart-connection-pool', {});
  await steps(
    waiting,
    stepRows.map(() => ({ status: 'pending' })),
  );
  const pendingApproval = await approval(waiting, 'pending', 'restart-connection-pool');
  await vote(pendingApproval, 'approve');

  const long = Array.from(
    { length: 120 },
    (_, index) => `[${index}] draining connection ${randomUUID()}`,
  ).join('\n');
  const running = await execution('running', 'drain-and-restart', { started_at: at(3) });
  await steps(running, [
    {
      status: 'succeeded',
      attempts: 1,
      started_at: at(3),
      finished_at: at(2.9),
      output: ' count\n-------\n    97\n(1 row)',
    },
    { status: 'running', attempts: 2, started_at: at(2.9), output: long, rollback_status: 'registered' },
    { status: 'pending' },
    { status: 'pending' },
  ]);
  await vote(await approval(running, 'approved', 'drain-and-restart', { decided_at: at(3.1) }), 'approve');

  const back = await execution('rolled_back', 'clear-cache', {
    started_at: at(9),
    finished_at: at(7),
    status_reason: 'Verify health failed after 3 attempts',
  });
  await steps(back, [
    { status: 'succeeded', attempts: 1, started_at: at(9), finished_at: at(8.9), output: 'ok' },
    {
      status: 'succeeded',
      attempts: 1,
      started_at: at(8.9),
      finished_at: at(8.5),
      output: 'deployment.apps/checkout scaled',
      rollback_status: 'succeeded',
      rollback_attempts: 1,
      rollback_started_at: at(7.5),
      rollback_finished_at: at(7),
      rollback_output: 'deployment.apps/checkout scaled',
    },
    {
      status: 'succeeded',
      attempts: 1,
      started_at: at(8.5),
      finished_at: at(8.4),
      rollback_status: 'failed',
      rollback_attempts: 5,
      rollback_started_at: at(7.9),
      rollback_finished_at: at(7.5),
      rollback_error: 'exit code 1: Unit pgbouncer.service not found.',
    },
    {
      status: 'failed',
      attempts: 3,
      started_at: at(8.4),
      finished_at: at(8),
      error: 'answered 503, expected 200',
      output: '<html><body>Service Unavailable</body></html>',
    },
  ]);
  await approval(back, 'rejected', 'clear-cache', {
    decided_at: at(9.1),
    reason: 'Not while the sale runs.',
  });
  await approval(back, 'expired', 'a-runbook-with-a-rather-long-name-that-goes-on', { decided_at: at(30) });
  return { pendingApproval, runningExecution: running, rolledBackExecution: back };
}

async function seedRunbooks(owner: pg.Pool, orgId: string): Promise<string> {
  const definition = (name: string) => ({
    name,
    description: 'Restart a failing service and prove that it is healthy',
    category: 'infrastructure',
    tags: ['restart', 'recovery', 'a-tag-that-is-long'],
    triggers: [
      {
        alertPattern: 'ServiceDown*',
        severity: ['critical', 'warning'],
        minDurationMs: 300_000,
        labels: { team: 'pay' },
      },
      { alertPattern: 'DatabaseConnections*', minDurationMs: 0, labels: { markup: '*' } },
    ],
    inputs: {
      service_name: {
        type: 'text',
        description: 'The unit to restart.',
        required: true,
        allowLeadingDash: false,
        secret: false,
      },
      health_check_url: {
        type: 'url',
        required: true,
        default: 'http://localhost:8080/healthz',
        allowLeadingDash: false,
        secret: false,
      },
      password: { type: 'text', required: false, allowLeadingDash: false, secret: true },
    },
    execution: {
      mode: 'semi_auto',
      approval: {
        needed: 2,
        role: 'operator',
        teams: ['payments'],
        notRequester: true,
        timeoutMs: 1_800_000,
        onTimeout: 'escalate',
      },
      environments: [],
      maxPerHour: 5,
      cooldownMs: 300_000,
      allowedHosts: ['*.example.com'],
    },
    steps: [
      {
        name: 'Check current status',
        type: 'command',
        timeoutMs: 30_000,
        retries: 0,
        retryDelayMs: 0,
        continueOnFail: true,
        idempotent: true,
        conditions: [],
        action: {
          kind: 'command',
          form: { shell: 'systemctl status {{service_name}}' },
          requiresSudo: false,
        },
      },
      {
        name: 'Restart',
        type: 'command',
        timeoutMs: 60_000,
        retries: 0,
        retryDelayMs: 0,
        continueOnFail: false,
        idempotent: false,
        conditions: [{ variable: 'service_name', notEquals: 'database' }],
        action: {
          kind: 'command',
          form: { shell: 'systemctl restart {{service_name}}' },
          requiresSudo: true,
        },
        rollback: {
          action: {
            kind: 'command',
            form: { shell: 'systemctl start {{service_name}}' },
            requiresSudo: true,
          },
          timeoutMs: 60_000,
        },
      },
      {
        name: 'Verify health',
        type: 'http',
        timeoutMs: 10_000,
        retries: 3,
        retryDelayMs: 10_000,
        continueOnFail: false,
        idempotent: true,
        conditions: [],
        action: {
          kind: 'http',
          method: 'GET',
          url: '{{health_check_url}}',
          headers: {},
          expectedStatus: [200],
          expectJson: {},
        },
      },
    ],
    verify: [],
  });
  const sources = {
    1: 'name: restart-service\ndescription: Restart a failing service\nsteps:\n  - name: Restart\n    command: systemctl restart {{service_name}}\n',
    2: 'name: restart-service\ndescription: Restart a failing service <b>now</b>\nsteps:\n  - name: Restart\n    command: systemctl restart {{service_name}}\n',
  };
  const source = `name: restart-service\ndescription: Restart a failing service and prove that it is healthy\nsteps:\n  - name: Check current status\n    command: systemctl status {{service_name}} # ${'a comment that goes on and on '.repeat(8)}\n`;
  for (const name of [
    'restart-service',
    'clear-cache',
    'a-runbook-with-a-rather-long-name-that-goes-on-and-on',
    'fail-over-database',
  ]) {
    await insert(owner, 'runbooks', {
      org_id: orgId,
      name,
      version: 3,
      latest_version: name === 'clear-cache' ? 4 : 3,
      pinned_at: name === 'clear-cache' ? new Date() : null,
      pinned_by: name === 'clear-cache' ? 'maryam@example.com' : null,
      file: `${name}.yaml`,
      source,
      definition: JSON.stringify(definition(name)),
    });
    for (const [version, text] of Object.entries({ ...sources, 3: source })) {
      await insert(owner, 'runbook_versions', {
        org_id: orgId,
        name,
        version,
        source: text,
        definition: JSON.stringify(definition(name)),
        commit: version === '1' ? null : `${version}f3c9a1b7e5d2c4a6f8e0b1d3c5a7f9e2b4d6c8a`,
        author: version === '1' ? null : 'Łukasz Øystein van der Bergström-Papadopoulos',
        committed_at: version === '1' ? null : new Date(Date.now() - 86_400_000 * (4 - Number(version))),
      });
    }
  }
  await insert(owner, 'runbook_problems', {
    org_id: orgId,
    file: 'broken/scale-out.yaml',
    line: 14,
    col: 7,
    message: "unknown key 'comand' in step 'Scale'; did you mean 'command'?",
  });
  return 'restart-service';
}

async function seedPolicies(owner: pg.Pool, orgId: string): Promise<void> {
  const policy = (table: string, name: string, definition: object, more = {}) =>
    insert(owner, table, { org_id: orgId, name, definition: JSON.stringify(definition), ...more });
  await policy('notification_channels', 'ops-hook', {
    type: 'webhook',
    url: 'https://hooks.example.com/services/T000/B000/XXXXXXXXXXXXXXXXXXXXXXXX',
    secret: 'not-shown-anywhere',
  });
  await policy('notification_channels', 'leads', {
    type: 'email',
    addresses: ['ana@example.com', 'ben@example.com'],
  });
  await policy('escalation_policies', 'default', {
    levels: [
      { after: '0s', targets: [{ type: 'email', address: 'ana@example.com' }] },
      {
        after: '15m',
        targets: [
          { type: 'user', email: 'ben@example.com' },
          { type: 'channel', name: 'ops-hook' },
        ],
      },
      { after: '30m', targets: [{ type: 'channel', name: 'leads' }] },
    ],
    repeats: 2,
    repeatAfter: '30m',
  });
  await policy(
    'sla_policies',
    'payment',
    { order: 10, match: { alert: 'Payment*' }, acknowledgeWithin: '2m', resolveWithin: '15m' },
    { position: 10 },
  );
  await policy(
    'sla_policies',
    'critical',
    { order: 20, match: { severity: 'critical' }, acknowledgeWithin: '5m', resolveWithin: '30m' },
    { position: 20 },
  );
  await policy(
    'sla_policies',
    'standard',
    { order: 30, match: {}, acknowledgeWithin: '30m', resolveWithin: '4h', calendar: 'office-hours' },
    { position: 30 },
  );
  await policy('sla_calendars', 'office-hours', {
    timeZone: 'Europe/Berlin',
    hours: {
      mon: [{ from: '09:00', to: '17:00' }],
      tue: [{ from: '09:00', to: '17:00' }],
      wed: [{ from: '09:00', to: '17:00' }],
      thu: [{ from: '09:00', to: '17:00' }],
      fri: [
        { from: '09:00', to: '12:00' },
        { from: '13:00', to: '15:00' },
      ],
    },
    holidays: [{ from: '2026-12-24', to: '2026-12-26', name: 'Christmas, Boxing Day and the eve of both' }],
  });
  await policy(
    'log_sources',
    'payments',
    {
      kind: 'elasticsearch',
      url: 'https://elasticsearch-of-the-payments-team.internal.example.com:9200/behind/a/prefix',
      index: 'logs-payments-*',
      match: { service: 'pay-*' },
      timeoutSeconds: 10,
    },
    {
      checked_at: new Date(),
      error:
        'Elasticsearch cannot be reached: connect ECONNREFUSED 10.0.0.7:9200 (elasticsearch-of-the-payments-team.internal.example.com)',
    },
  );
  await policy('log_templates', 'time-outs', {
    kind: 'loki',
    match: { alert: '*Latency*' },
    query:
      '{app={{service}}, region={{labels.region_in_which_this_service_runs}}} |= "timeout" != "healthcheck"',
  });
}

async function seedReports(
  owner: pg.Pool,
  orgId: string,
  at: (minutesAgo: number) => string,
): Promise<string> {
  let id = '';
  for (const kind of ['capacity', 'sla']) {
    id = await insert(owner, 'reports', {
      org_id: orgId,
      key: `${kind}-seed`,
      kind,
      period_start: at(7 * 24 * 60),
      period_end: at(0),
      subject:
        kind === 'sla'
          ? 'SLA report: 92 % of 214 incidents in time'
          : 'Capacity report: 2 volumes fill within a month',
      html: '<!doctype html><html><head><title>Report</title></head><body style="font-family:sans-serif"><h1>SLA report</h1><p>92 % of 214 incidents were acknowledged in time.</p></body></html>',
      text: 'SLA report\n\n92 % of 214 incidents were acknowledged in time.\n',
      data: '{}',
      recipients: ['ana@example.com', 'ben@example.com'],
      requested_by: 'schedule',
      sent_at: kind === 'sla' ? at(2) : null,
    });
  }
  return id;
}
