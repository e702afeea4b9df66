import { randomUUID } from 'node:crypto';
import type pg from 'pg';

/** Executions in every state that a page has to explain, with names, commands and outputs that mean harm. */
export interface BadExecutions {
  /** Third in the queue for its target. */
  queued: string;
  /** Its step was given to a runner that is away. */
  runnerMissing: string;
  /** Asks in mid-run, inside a nested runbook. */
  asking: string;
  askingApproval: string;
  /** An undo failed and waits for a person. */
  undoWaits: string;
  /** Failed; went on from by `retry`. */
  retried: string;
  retry: string;
  /** Everything about it comes from somebody who means harm. */
  hostile: string;
}

const minute = 60_000;

export const hostileText =
  '<script>alert(1)</script> \u001b[31mred\u001b[0m \u202etxt.exe "><img src=x onerror=alert(1)> {{7*7}} 🔥 خدمة';

interface SeedStep {
  name: string;
  type?: string;
  description: string;
  rollback?: string;
  scope?: number;
  part?: 'step' | 'verify';
  runner?: string;
  retries?: number;
  more?: Record<string, unknown>;
}

export async function seedBadExecutions(
  owner: pg.Pool,
  orgId: string,
  incidentId: string,
  now: number,
): Promise<BadExecutions> {
  const at = (minutes: number): string => new Date(now - minutes * minute).toISOString();
  const execution = async (
    status: string,
    steps: SeedStep[],
    more: Record<string, unknown> = {},
    nested: string[] = [],
  ): Promise<string> => {
    const id = randomUUID();
    await insert(owner, 'executions', {
      org_id: orgId,
      id,
      runbook: 'fail-over-database',
      runbook_version: 3,
      incident_id: incidentId,
      requested_by: 'ana@example.com',
      mode: 'manual',
      target: 'db-primary',
      inputs: JSON.stringify({ cluster: 'db', reason: hostileText }),
      status,
      created_at: at(12),
      workflow_id: `execution:${orgId}:${id}`,
      environment: 'production',
      layout: JSON.stringify(layoutOf(steps, nested)),
      ...more,
    });
    for (const [index, step] of steps.entries()) {
      await insert(owner, 'execution_steps', {
        org_id: orgId,
        execution_id: id,
        index,
        name: step.name,
        type: step.type ?? 'command',
        description: step.description,
        status: 'pending',
        part: step.part ?? 'step',
        runner: step.runner ?? null,
        rollback_description: step.rollback ?? null,
        ...step.more,
      });
    }
    return id;
  };
  const done = (from: number, to: number, output = 'ok') => ({
    status: 'succeeded',
    attempts: 1,
    started_at: at(from),
    finished_at: at(to),
    output,
  });
  const ready = { rollback_status: 'registered' };
  const verify: SeedStep = {
    name: 'Connections are back',
    type: 'prometheus',
    part: 'verify',
    description:
      'until pg_up{cluster="db"} == 1 holds for 60 s\nasked every 5 s at http://prometheus.example.com',
  };

  const holder = await execution('running', failOver({ 1: { ...done(4, 3), ...ready } }), {
    started_at: at(4),
  });
  await insert(owner, 'target_locks', { org_id: orgId, target: 'db-primary', execution_id: holder });
  const waiting = [];
  for (const minutes of [6, 5, 4]) {
    const id = await execution('waiting', failOver({}), { created_at: at(minutes) });
    await insert(owner, 'target_queue', {
      org_id: orgId,
      target: 'db-primary',
      execution_id: id,
      queued_at: at(minutes),
    });
    waiting.push(id);
  }

  const runnerMissing = await execution(
    'running',
    [
      { ...checkStep, more: done(9, 8.8, ' pg_is_in_recovery \n-------------------\n t\n(1 row)') },
      {
        name: 'Restart pgbouncer beside the primary',
        description: 'sudo -n systemctl restart pgbouncer',
        rollback: 'sudo -n systemctl start pgbouncer',
        runner: 'db-eu-1',
        retries: 2,
        more: { status: 'running', attempts: 0, started_at: at(7), ...ready },
      },
      verify,
    ],
    {
      started_at: at(9),
      target: 'pgbouncer-eu',
      status_reason: 'waits for runner db-eu-1: nobody takes up step 2, Restart pgbouncer beside the primary',
    },
  );
  await insert(owner, 'runners', {
    org_id: orgId,
    queue: 'db-eu-1',
    instance: 'db-eu-1.example.com:4711',
    version: '0.1.0',
    started_at: at(3000),
    last_seen_at: at(11),
  });

  const asking = await execution(
    'running',
    [
      { ...checkStep, more: done(9, 8.8, 't') },
      { ...drainStep, more: { ...done(8.8, 7, 'deployment.apps/checkout scaled'), ...ready } },
      { ...nestedSteps[0]!, more: { ...done(7, 6.5, 'ALTER SYSTEM'), ...ready } },
      { ...nestedSteps[1]!, more: { status: 'running', attempts: 1, started_at: at(6) } },
      { ...nestedSteps[2]!, more: {} },
      {
        name: 'Warm the caches',
        type: 'wait',
        description: 'wait 120 s',
        more: { status: 'pending' },
      },
      verify,
    ],
    { started_at: at(9), target: 'db-replica', next_at: at(-24), next_what: 'level 2 is asked' },
    ['promote-replica'],
  );
  // the approval takes a member of this team
  await owner.query(
    `with team as (insert into teams (org_id, slug, name) values ($1, 'dba', 'Databases') returning id)
     insert into memberships (org_id, user_id, team_id, role)
     select $1, users.id, team.id, 'owner' from users, team where users.org_id = $1 and email = 'ana@example.com'`,
    [orgId],
  );
  const askingApproval = randomUUID();
  await insert(owner, 'approvals', {
    org_id: orgId,
    id: askingApproval,
    execution_id: asking,
    incident_id: incidentId,
    runbook: 'fail-over-database',
    requested_by: 'ana@example.com',
    requested_at: at(6),
    expires_at: at(-24),
    required: 2,
    status: 'pending',
    workflow_id: `execution:${orgId}:${asking}`,
    step_index: 3,
    message:
      'The replica is 4 s behind. Promoting it loses what the primary has not sent.\nPromote it all the same?',
    role: 'operator',
    teams: '{dba,sre-on-call}',
    not_requester: false,
    on_timeout: 'escalate',
    level: 1,
  });
  await insert(owner, 'approval_votes', {
    org_id: orgId,
    approval_id: askingApproval,
    person: 'ben@example.com',
    decision: 'approve',
    via: 'mail',
    reason: 'Four seconds are fine.',
    at: at(5),
  });

  const undoWaits = await execution(
    'running',
    [
      { ...checkStep, more: done(20, 19) },
      { ...drainStep, more: { ...done(19, 18), ...ready } },
      {
        ...nestedSteps[0]!,
        scope: 0,
        more: {
          ...done(18, 17),
          rollback_status: 'waiting',
          rollback_attempts: 3,
          rollback_started_at: at(14),
          rollback_finished_at: at(13),
          rollback_output: `ERROR:  cannot execute ALTER SYSTEM in a read-only transaction\n${hostileText}`,
          rollback_error: 'exit code 3: cannot execute ALTER SYSTEM in a read-only transaction',
        },
      },
      {
        name: 'Promote the replica',
        description: 'pg_ctl promote -D /var/lib/postgresql/data',
        more: {
          status: 'failed',
          attempts: 1,
          started_at: at(17),
          finished_at: at(15),
          error: 'its outcome is unknown: the worker that ran it was lost',
          outcome_unknown: true,
        },
      },
      verify,
    ],
    { started_at: at(20), target: 'db-replica-2' },
  );

  const failedSteps = (more: Record<number, Record<string, unknown>>): SeedStep[] =>
    failOver({
      0: done(50, 49),
      1: {
        ...done(49, 48),
        rollback_status: 'succeeded',
        rollback_attempts: 1,
        rollback_started_at: at(46),
        rollback_finished_at: at(45.5),
        rollback_output: 'deployment.apps/checkout scaled',
      },
      2: {
        status: 'failed',
        attempts: 3,
        started_at: at(48),
        finished_at: at(46),
        error: 'exit code 1: pg_ctl: server did not promote in time',
        output: Array.from({ length: 300 }, (_, line) => `waiting for server to promote... ${line}`).join(
          '\n',
        ),
      },
      ...more,
    });
  const retried = await execution('rolled_back', failedSteps({}), {
    started_at: at(50),
    finished_at: at(45),
    target: 'db-replica-3',
    status_reason: 'step 3, Promote the replica, failed: exit code 1: pg_ctl: server did not promote in time',
  });
  const retry = await execution(
    'rollback_failed',
    failedSteps({
      0: { status: 'succeeded' },
      1: {
        ...done(40, 39),
        rollback_status: 'skipped',
        rollback_attempts: 3,
        rollback_started_at: at(36),
        rollback_finished_at: at(35),
        rollback_error: 'exit code 1: deployment not found',
        rollback_decision: 'skip',
        rollback_decided_by: 'ben@example.com',
        rollback_decision_reason: 'The deployment was deleted on purpose.',
      },
    }),
    {
      created_at: at(41),
      started_at: at(40),
      finished_at: at(35),
      target: 'db-replica-3',
      retry_of: retried,
      retry_from: 2,
      status_reason: 'step 3, Promote the replica, failed: exit code 1',
    },
  );

  const hostile = await execution(
    'running',
    [
      {
        name: hostileText,
        description: `psql -c ${hostileText} ${'a-very-long-word-'.repeat(20)}`,
        rollback: hostileText,
        more: { ...done(3, 2, `${hostileText}\n${'x'.repeat(600)}`), ...ready },
      },
      {
        name: 'N'.repeat(180),
        description: hostileText,
        runner: 'r'.repeat(63),
        more: { status: 'skipped', error: `only if mode is ${hostileText}` },
      },
      {
        name: 'Look',
        description: 'cat /var/log/syslog',
        more: {
          status: 'running',
          attempts: 1,
          started_at: at(1),
          output: Array.from({ length: 300 }, (_, line) => `${line} ${hostileText}`).join('\n'),
        },
      },
    ],
    { started_at: at(3), target: hostileText, requested_by: hostileText, environment: hostileText },
  );
  return {
    queued: waiting[2] ?? '',
    runnerMissing,
    asking,
    askingApproval,
    undoWaits,
    retried,
    retry,
    hostile,
  };
}

const checkStep: SeedStep = {
  name: 'The replica keeps up',
  type: 'sql',
  description:
    'on env:REPLICA_URL, in one read-only transaction of at most 1000 rows\nselect pg_is_in_recovery()\nexpects rows: 1',
};
const drainStep: SeedStep = {
  name: 'Drain connections of checkout',
  type: 'kubernetes',
  description: 'scale deployment/checkout in namespace production to 0 replicas, then wait until it is ready',
  rollback: 'scale deployment/checkout in namespace production to 6 replicas, then wait until it is ready',
};
const nestedSteps: SeedStep[] = [
  {
    name: 'promote-replica / Make the primary read-only',
    description: "psql -h db-primary -c 'alter system set default_transaction_read_only = on'",
    rollback: "psql -h db-primary -c 'alter system set default_transaction_read_only = off'",
    scope: 1,
  },
  {
    name: 'promote-replica / Ask whether it may lose writes',
    type: 'approval',
    description:
      '2 approvals by operator or above, of dba or sre-on-call, within 30 min, then the next level is asked',
    scope: 1,
  },
  {
    name: 'promote-replica / Promote',
    type: 'ssh',
    description: 'postgres@db-replica:22 pg_ctl promote -D /var/lib/postgresql/data',
    scope: 1,
  },
];

function failOver(more: Record<number, Record<string, unknown>>): SeedStep[] {
  const steps: SeedStep[] = [
    checkStep,
    drainStep,
    {
      name: 'Promote the replica',
      type: 'ssh',
      description: 'postgres@db-replica:22 pg_ctl promote -D /var/lib/postgresql/data',
      retries: 2,
    },
  ];
  return steps.map((step, index) => ({ ...step, more: more[index] ?? {} }));
}

function layoutOf(steps: SeedStep[], nested: string[]) {
  return {
    scopes: ['fail-over-database', ...nested].map((runbook) => ({
      runbook,
      version: 3,
      values: {},
      secretReferences: {},
      secretInputs: [],
      allowedHosts: [],
    })),
    steps: steps.map((step) => ({
      scope: step.scope ?? 0,
      name: step.name,
      part: step.part ?? 'step',
      definition: {
        name: step.name,
        type: step.type ?? 'command',
        timeoutMs: 60_000,
        retries: step.retries ?? 0,
        retryDelayMs: 10_000,
        continueOnFail: false,
        idempotent: false,
        conditions: [],
        action:
          step.type === 'wait'
            ? { kind: 'wait', durationMs: 120_000 }
            : { kind: 'command', form: { argv: ['true'] }, requiresSudo: false },
      },
    })),
  };
}

async function insert(owner: pg.Pool, table: string, row: Record<string, unknown>): Promise<void> {
  await owner.query(
    `insert into ${table} (${Object.keys(row)
      .map((name) => `"${name}"`)
      .join(', ')}) values (${Object.keys(row)
      .map((_, index) => `$${index + 1}`)
      .join(', ')})`,
    Object.values(row),
  );
}
