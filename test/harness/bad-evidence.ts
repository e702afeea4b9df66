import type pg from 'pg';

const minute = 60_000;

/** What was made of the evidence of the worst incident, with names as awkward as everything of that night. */
export async function seedBadEvidence(
  owner: pg.Pool,
  orgId: string,
  incident: { id: string; opened: number },
): Promise<void> {
  const at = (minutes: number): string => new Date(incident.opened + minutes * minute).toISOString();
  await seedGraph(owner, orgId, at);
  await seedChanges(owner, orgId, incident.id, at);
  await owner.query(
    `update incidents set cause_service = 'db-primary', cause_confidence = 0.847, status = 'root_cause_found' where id = $1`,
    [incident.id],
  );
  await owner.query(
    `update incidents set cause_service = 'db-primary', cause_confidence = 1, cause_by = 'ben@example.com'
    where org_id = $1 and number = 199`,
    [orgId],
  );
  await owner.query(
    `update incidents set merged_into = 200, status = 'resolved', resolved_at = opened_at + interval '4 minutes',
    resolved_by = 'ben@example.com', alert_count = 0, firing_count = 0, deadlines = '[]' where org_id = $1 and number = 198`,
    [orgId],
  );
  await owner.query(
    `update alerts set flapping = true where id in (select id from alerts where incident_id = $1 order by id desc limit 2)`,
    [incident.id],
  );
  // what ran for a similar incident of the past
  for (const [runbook, status, minutes] of [
    ['clear-cache', 'rolled_back', -70],
    ['restart-connection-pool', 'succeeded', -66],
  ] as const) {
    await owner.query(
      `insert into executions (org_id, runbook, runbook_version, incident_id, requested_by, mode, target, inputs, status,
         created_at, started_at, finished_at, workflow_id)
       select $1, $2, 1, id, 'Holdfast', 'semi_auto', 'checkout-2', '{}', $3, $4, $4, $4, 'past'
       from incidents where org_id = $1 and number = 190`,
      [orgId, runbook, status, at(minutes)],
    );
  }
  await owner.query(
    `insert into incident_analyses (org_id, incident_id, causes, similar_incidents, metrics, notes, analysed_at)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      orgId,
      incident.id,
      JSON.stringify(causes),
      JSON.stringify(similar),
      JSON.stringify(metricsAround(incident.opened)),
      JSON.stringify(['The traces could not be read: no span of these services arrived in the last hour.']),
      at(2),
    ],
  );
}

const causes = [
  {
    service: 'db-primary',
    score: 0.94,
    confidence: 0.847,
    reasons: [
      'It fails, and nothing that it calls does.',
      '5 of 6 failing services reach it: checkout, payments, inventory, gateway and orders-worker.',
      'Its first alert came 40 s before any other.',
      'Its logs hold 812 errors of a kind that was not seen before: ‘remaining connection slots are reserved for roles with the SUPERUSER attribute’.',
      'db-primary 14.9 → 15.3 was deployed 12 min before.',
    ],
  },
  {
    service: 'a-service-with-a-name-that-somebody-made-very-long-indeed-v2-canary',
    score: 0.31,
    confidence: 0.09,
    reasons: ['2 of the failing services reach it.'],
  },
  {
    service: 'payments',
    score: 0.2,
    confidence: 0.04,
    reasons: ['It fails, but so does db-primary, which it calls.'],
  },
  {
    service: 'خدمة-الدفع',
    score: 0.1,
    confidence: 0.02,
    reasons: ['<b>Its</b> errors began after the others.'],
  },
];

const similar = [
  {
    number: 190,
    score: 0.82,
    reasons: [
      'alert DatabaseConnectionsExhausted',
      'service checkout',
      'cause db-primary',
      'pattern could not obtain connection from pool <*> within <*> ms',
    ],
  },
  { number: 165, score: 0.64, reasons: ['alert HighErrorRate', 'service payments'] },
  { number: 154, score: 0.41, reasons: ['service checkout'] },
];

async function seedGraph(owner: pg.Pool, orgId: string, at: (minutes: number) => string): Promise<void> {
  const services: [name: string, kind: string][] = [
    ['gateway', 'service'],
    ['checkout', 'service'],
    ['payments', 'service'],
    ['inventory', 'service'],
    ['a-service-with-a-name-that-somebody-made-very-long-indeed-v2-canary', 'service'],
    ['خدمة-الدفع', 'service'],
    ['connection-pool', 'infrastructure'],
    ['db-primary', 'database'],
  ];
  for (const [name, kind] of services) {
    await owner.query(
      `insert into services (org_id, name, kind, last_seen_at) values ($1, $2, $3, $4) on conflict do nothing`,
      [orgId, name, kind, at(0)],
    );
  }
  const calls = [
    ['gateway', 'checkout'],
    ['checkout', 'payments'],
    ['checkout', 'inventory'],
    ['checkout', 'connection-pool'],
    ['payments', 'connection-pool'],
    ['inventory', 'connection-pool'],
    ['a-service-with-a-name-that-somebody-made-very-long-indeed-v2-canary', 'payments'],
    ['خدمة-الدفع', 'payments'],
    ['connection-pool', 'db-primary'],
  ];
  for (const [caller, callee] of calls) {
    await owner.query(
      `insert into service_dependencies (org_id, caller, callee, observed_in, calls, last_seen_at)
       values ($1, $2, $3, 'traces', 1200, $4) on conflict do nothing`,
      [orgId, caller, callee, at(0)],
    );
  }
}

async function seedChanges(
  owner: pg.Pool,
  orgId: string,
  incidentId: string,
  at: (minutes: number) => string,
): Promise<void> {
  const changes = [
    {
      type: 'deployment',
      status: 'succeeded',
      source: 'argocd',
      service: 'db-primary',
      version: '15.3',
      previous: '14.9',
      title: 'db-primary synced to 15.3',
      minutes: -12,
      score: 0.85,
      verdict: null,
      author: 'ana@example.com',
    },
    {
      type: 'config',
      status: 'succeeded',
      source: 'manual',
      service: 'checkout',
      version: null,
      previous: null,
      title: 'Raised the pool of checkout from 20 to 200 connections for the sale 🔥 (دفع)',
      minutes: -31,
      score: 0.62,
      verdict: 'confirmed',
      author: 'somebody.with.a.very.long.mail.address@operations.subsidiary.example.com',
    },
    {
      type: 'deployment',
      status: 'failed',
      source: 'github',
      service: 'payments',
      version: 'v2.3.1',
      previous: 'v2.3.0',
      title: 'Release <script>alert(1)</script>',
      minutes: -48,
      score: 0.44,
      verdict: null,
      author: 'renovate[bot]',
    },
    {
      type: 'code',
      status: 'succeeded',
      source: 'github',
      service: 'a-service-with-a-name-that-somebody-made-very-long-indeed-v2-canary',
      version: '3f2a91c0de77aa10',
      previous: null,
      title: 'fix: '.padEnd(300, 'NodeFilesystemAlmostOutOfSpace'),
      minutes: -70,
      score: 0.12,
      verdict: 'dismissed',
      author: null,
    },
  ];
  for (const [index, change] of changes.entries()) {
    const { rows } = await owner.query<{ id: number }>(
      `insert into changes (org_id, source, external_id, type, status, service, environment, title, version,
         previous_version, author, url, at)
       values ($1, $2, $3, $4, $5, $6, 'production', $7, $8, $9, $10, $11, $12) returning id`,
      [
        orgId,
        change.source,
        `seed-${index}`,
        change.type,
        change.status,
        change.service,
        change.title,
        change.version,
        change.previous,
        change.author,
        index === 2 ? 'javascript:alert(1)' : 'https://ci.example.com/runs/8123',
        at(change.minutes),
      ],
    );
    await owner.query(
      `insert into incident_changes (org_id, incident_id, change_id, score, reasons, verdict, judged_by, judged_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        orgId,
        incidentId,
        rows[0]?.id,
        change.score,
        JSON.stringify([
          'payments calls it',
          `${-change.minutes} min before the first alert`,
          'a deployment',
          'in the same environment, production',
        ]),
        change.verdict,
        change.verdict && 'ben@example.com',
        change.verdict && at(5),
      ],
    );
  }
}

/** Half an hour before, and what came since: a jump over the threshold, a gap, many series, none at all. */
function metricsAround(opened: number) {
  const points = (value: (minutes: number) => number | null) =>
    Array.from({ length: 120 }, (_, index) => index / 2.7 - 30).flatMap((minutes): [number, number][] => {
      const measured = value(minutes);
      return measured === null ? [] : [[Math.round((opened + minutes * minute) / 1000), measured]];
    });
  const wave = (minutes: number) => 1 + 0.08 * Math.sin(minutes * 3) + 0.04 * Math.sin(minutes * 7);
  return [
    {
      title: 'DatabaseConnectionsExhausted',
      expression: 'sum(pg_stat_activity_count{instance="db-primary"}) > 90',
      service: 'db-primary',
      unit: null,
      threshold: 90,
      link: 'http://prometheus.example.com/graph?g0.expr=pg_stat_activity_count',
      series: [
        {
          name: 'connections',
          points: points((m) => (m < -3 ? 41 : Math.min(100, 41 + (m + 3) * 15)) * wave(m)),
        },
      ],
    },
    {
      title: 'LatencyP99High',
      expression:
        'histogram_quantile(0.99, sum by (le, service) (rate(http_request_duration_seconds_bucket[5m]))) > 0.5',
      service: 'checkout',
      unit: 's',
      threshold: 0.5,
      link: null,
      series: [
        'checkout',
        'payments',
        'inventory',
        'gateway',
        'خدمة-الدفع',
        'a-service-with-a-name-that-somebody-made-very-long-indeed-v2-canary',
        'orders',
        'search',
      ].map((name, index) => ({
        name,
        points: points((m) =>
          index === 1 && m > -20 && m < -11
            ? null
            : (m < index - 1 ? 0.18 : 0.18 + 0.4 * index + 0.1 * m) * wave(m + index),
        ),
      })),
    },
    {
      title: 'QueueBacklogGrows',
      expression: 'max(orders_queue_depth)',
      service: null,
      unit: 'messages',
      threshold: null,
      link: null,
      series: [],
    },
  ];
}
