import { randomUUID } from 'node:crypto';
import { insert, type Seeding } from './mail-night.ts';

/** Executions of an incident by how they stand: ids. */
export interface MailExecutions {
  /** Waits for its approval. */
  waiting: string;
  approval: string;
  running: string;
  succeeded: string;
  failed: string;
  rolledBack: string;
  rollbackFailed: string;
  refused: string;
  /** An undo of it waits for a person. */
  undoWaits: string;
  /** Without an incident. */
  alone: string;
}

const minute = 60_000;

/** A runbook of four steps, in every state that a mail tells of. */
export async function seedMailExecutions(
  { owner, orgId, now, say }: Seeding,
  incidentId: string,
): Promise<MailExecutions> {
  const at = (minutesAgo: number) => new Date(now - minutesAgo * minute);
  const done = { status: 'succeeded', attempts: 1, started_at: at(8), finished_at: at(7), output: 'ok' };
  const failed = {
    status: 'failed',
    attempts: 3,
    started_at: at(7),
    finished_at: at(6),
    error: say('answered 503, expected 200'),
    output: say('HTTP/1.1 503 Service Unavailable\nretry-after: 30'),
  };
  const undone = { rollback_status: 'succeeded', rollback_attempts: 1, rollback_finished_at: at(5) };
  const notUndone = {
    rollback_attempts: 3,
    rollback_error: say('exit code 5: Unit pgbouncer.service not found.'),
  };
  const steps = [
    { name: say('Check the pool'), type: 'sql', description: say('select count(*)\nfrom pg_stat_activity') },
    {
      name: say('Drain connections'),
      type: 'kubernetes',
      description: say('scale deployment/checkout in namespace production to 0 replicas'),
      rollback_description: say('scale deployment/checkout in namespace production to 6 replicas'),
    },
    {
      name: say('Restart the pool'),
      type: 'command',
      description: say('sudo -n systemctl restart pgbouncer'),
      rollback_description: say('sudo -n systemctl start pgbouncer'),
    },
    {
      name: say('Verify health'),
      type: 'http',
      description: say('GET https://checkout.example.com/healthz\nexpects status 200'),
    },
  ];

  async function execution(
    status: string,
    states: Record<string, unknown>[],
    given: Record<string, unknown> = {},
  ): Promise<string> {
    const id = randomUUID();
    await insert(owner, 'executions', {
      org_id: orgId,
      id,
      runbook: say('restart-connection-pool'),
      runbook_version: 3,
      incident_id: incidentId,
      requested_by: say('Holdfast'),
      mode: 'semi_auto',
      target: say('checkout'),
      inputs: JSON.stringify({ service_name: say('checkout'), password: '***' }),
      status,
      created_at: at(9),
      workflow_id: `execution:${orgId}:${id}`,
      ...(status === 'waiting' ? {} : { started_at: at(8) }),
      ...given,
    });
    for (const [index, step] of steps.entries()) {
      await insert(owner, 'execution_steps', {
        org_id: orgId,
        execution_id: id,
        index,
        status: 'pending',
        ...step,
        ...states[index],
      });
    }
    return id;
  }

  const finished = (reason: string) => ({ finished_at: at(5), status_reason: say(reason) });
  const why = 'step 4, Verify health, failed: answered 503, expected 200';
  const waiting = await execution('waiting', []);
  const approval = await insert(owner, 'approvals', {
    org_id: orgId,
    execution_id: waiting,
    incident_id: incidentId,
    runbook: say('restart-connection-pool'),
    requested_by: say('Holdfast'),
    requested_at: at(2),
    expires_at: at(-28),
    required: 2,
    status: 'pending',
    workflow_id: `execution:${orgId}:${waiting}`,
    message: say('The pool holds 97 connections that do nothing. Restart it?'),
  });
  return {
    waiting,
    approval,
    running: await execution('running', [done, { status: 'running', attempts: 1, started_at: at(7) }]),
    succeeded: await execution('succeeded', [done, done, done, done], { finished_at: at(6) }),
    failed: await execution('failed', [failed], finished('step 1, Check the pool, failed: answered 503')),
    rolledBack: await execution(
      'rolled_back',
      [done, { ...done, ...undone }, { ...done, ...undone }, failed],
      finished(why),
    ),
    rollbackFailed: await execution(
      'rollback_failed',
      [
        done,
        {
          ...done,
          ...notUndone,
          rollback_status: 'skipped',
          rollback_decision: 'skip',
          rollback_decided_by: say('ben@example.com'),
          rollback_decision_reason: say('It was deleted on purpose.'),
        },
        { ...done, ...notUndone, rollback_status: 'failed' },
        failed,
      ],
      finished(why),
    ),
    refused: await execution('failed', [], {
      started_at: null,
      ...finished('the runbook ran 5 times within an hour already'),
    }),
    undoWaits: await execution('running', [
      done,
      { ...done, rollback_status: 'registered' },
      { ...done, ...notUndone, rollback_status: 'waiting' },
      failed,
    ]),
    alone: await execution('failed', [done, failed], { ...finished(why), incident_id: null }),
  };
}
