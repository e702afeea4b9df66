import type pg from 'pg';

const services: [name: string, kind: string, declared: boolean][] = [
  ['checkout', 'service', true],
  ['payments', 'service', true],
  ['inventory', 'service', false],
  ['gateway', 'service', true],
  ['db-primary', 'database', true],
  ['session-cache', 'cache', false],
  ['orders', 'queue', false],
  ['packer', 'service', false],
  ['api.stripe.com', 'external', false],
  ['node-17.eu-central-1b.storage-optimized-i3en-12xlarge.internal.example.com', 'infrastructure', true],
  ['a-service-with-a-name-that-somebody-made-very-long-indeed-v2-canary', 'service', false],
  ['خدمة-الدفع', 'service', false],
  ['決済サービス', 'service', false],
  ['<script>alert("service")</script>', 'service', false],
  ['a/b c?d#e', 'service', false],
];

const calls: [caller: string, callee: string, seen: number, failed: number][] = [
  ['gateway', 'checkout', 120_000, 9_000],
  ['gateway', 'خدمة-الدفع', 300, 0],
  ['gateway', '決済サービス', 10, 0],
  ['gateway', '<script>alert("service")</script>', 1, 1],
  ['checkout', 'payments', 80_000, 8_100],
  ['checkout', 'inventory', 79_000, 12],
  ['checkout', 'session-cache', 400_000, 0],
  ['checkout', 'orders', 40_000, 0],
  ['packer', 'orders', 40_000, 0],
  ['packer', 'a/b c?d#e', 4, 0],
  ['payments', 'db-primary', 160_000, 31_000],
  ['payments', 'api.stripe.com', 40_000, 40],
  ['inventory', 'db-primary', 90_000, 10],
  ['db-primary', 'node-17.eu-central-1b.storage-optimized-i3en-12xlarge.internal.example.com', 0, 0],
  ['خدمة-الدفع', 'payments', 90, 2],
  ['db-primary', 'checkout', 1, 0],
  ['a-service-with-a-name-that-somebody-made-very-long-indeed-v2-canary', 'db-primary', 5, 0],
];

/** Services of a bad night around an incident: awkward names, a cycle, one that nobody calls. */
export async function seedBadTopology(owner: pg.Pool, orgId: string, incident: number): Promise<void> {
  for (const [name, kind, declared] of services) {
    await owner.query(
      `insert into services (org_id, name, kind, declared, description) values ($1, $2, $3, $4, $5)
       on conflict (org_id, name) do update set kind = excluded.kind, declared = excluded.declared`,
      [orgId, name, kind, declared, declared ? 'Takes what comes, and answers for it. '.repeat(4) : ''],
    );
  }
  for (const [caller, callee, seen, failed] of calls) {
    await owner.query(
      `insert into service_dependencies (org_id, caller, callee, declared, observed_in, calls, errors, last_seen_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
      [
        orgId,
        caller,
        callee,
        seen === 0,
        seen === 0 ? null : 'traces',
        seen,
        failed,
        seen === 0 ? null : new Date(Date.now() - seen),
      ],
    );
  }
  for (const service of ['gateway', 'checkout', 'db-primary']) {
    await owner.query(
      `insert into incident_keys (org_id, key, incident_id)
       select $1, $2, id from incidents where org_id = $1 and number = $3 on conflict do nothing`,
      [orgId, `service=${service}`, incident],
    );
  }
  await owner.query(
    `update incidents set cause_service = 'db-primary' 
     where org_id = $1 and number = $2 and cause_service is null`,
    [orgId, incident],
  );
}
