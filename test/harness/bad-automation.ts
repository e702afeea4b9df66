import type { TestDatabase } from './database.ts';
import { seedExecution, seedRunbookVersion } from './executions.ts';

/**
 * Automation on the worst of nights: stopped for everybody, runs that had begun, open circuit breakers, a queue, and
 * rules with everything that they can hold. Returns the id of a maintenance window.
 */
export async function seedBadAutomation(
  given: Pick<TestDatabase, 'owner' | 'orgId'>,
): Promise<{ window: string }> {
  const { owner, orgId } = given;
  const long = 'checkout-worker-eu-central-1a-blue-green-canary-0042.internal.example.com';
  const arabic = 'قاعدة-البيانات 🔥';
  await seedRunbookVersion(given, 'drain-queue');
  const running = [
    await seedExecution(given, { runbook: 'drain-queue', target: long, admitted: 12, status: 'running' }),
    await seedExecution(given, { runbook: 'drain-queue', target: arabic, admitted: 3, status: 'running' }),
    await seedExecution(given, {
      runbook: 'drain-queue',
      target: 'db-3',
      admitted: 2,
      status: 'running',
      requestedBy: 'Holdfast',
    }),
  ];
  await owner.query(
    `insert into execution_steps (org_id, execution_id, index, name, type, description, status)
     values ($1, $2, 0, 'Move the messages of the dead-letter queue back, one partition after the other', 'command',
       'rabbitmqadmin move', 'running')`,
    [orgId, running[0]],
  );
  for (const target of [long, 'db-7']) {
    for (const ago of [180, 120, 60]) {
      const status = ago === 120 ? 'rollback_failed' : 'rolled_back';
      await seedExecution(given, {
        runbook: 'drain-queue',
        target,
        admitted: ago,
        finished: ago - 2,
        status,
      });
    }
  }
  const waiting = [
    await seedExecution(given, { runbook: 'drain-queue', target: long }),
    await seedExecution(given, { runbook: 'drain-queue', target: long }),
  ];
  await owner.query(
    `insert into target_locks (org_id, target, execution_id)
     select org_id, target, id from executions where id = any ($1)`,
    [running],
  );
  await owner.query(
    `insert into target_queue (org_id, target, execution_id)
     select org_id, target, id from executions where id = any ($1)`,
    [waiting],
  );
  const teams = await owner.query(
    `insert into teams (org_id, slug, name) values ($1, 'automation-payments', 'Payments and ledgers') returning id`,
    [orgId],
  );
  await owner.query(
    `insert into automation_stops (org_id, team_id, stopped_by, reason, goes_on)
     values ($1, null, 'somebody.with.a.very.long.mail.address@operations.subsidiary.example.com',
       'failing over to the other region; nobody touches anything until Ana says so', $2)`,
    [orgId, [running[2]]],
  );
  const { rows } = await owner.query(
    `insert into maintenance_windows (org_id, team_id, target, starts_at, ends_at, reason, created_by)
     values ($1, null, 'db-*', now() - interval '1 hour', now() + interval '3 hours', 'disk swap', 'ana@example.com'),
       ($1, $2, $3, now() + interval '2 days', now() + interval '2 days 4 hours',
        'قائمة الصيانة: the switch of rack 7 is replaced, and nothing in it answers meanwhile', 'ben@example.com')
     returning id`,
    [orgId, teams.rows[0].id, long],
  );
  const hours = {
    days: [1, 2, 3, 4, 5],
    from: '09:00',
    to: '17:00',
    timeZone: 'America/Argentina/ComodRivadavia',
  };
  const rules = {
    maxPerHour: 30,
    cooldown: '15m',
    hours,
    deny: { commands: ['rm -rf *', 'reboot'], hosts: ['*.prod.internal.example.com'], stepTypes: ['sql'] },
    allow: { commands: [`systemctl restart ${long}`] },
  };
  await owner.query(
    `insert into safety_rules (org_id, scope, name, definition, updated_by)
     values ($1, 'target', $2, $3, 'ana@example.com'),
       ($1, 'team', 'automation-payments', '{"maxPerHour": 3}', 'ana@example.com')`,
    [orgId, `${long}*`, JSON.stringify(rules)],
  );
  return { window: rows[0].id };
}
