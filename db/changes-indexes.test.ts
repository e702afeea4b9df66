import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { openQueryPlans, type QueryPlans } from '../test/harness/query-plans.ts';
import { listChangeSources } from './change-sources.ts';
import { candidateChanges, confirmationHistory, recordChange } from './changes.ts';
import { changeFrequency, changeNames, countChanges, getChange, listChanges } from './changes-read.ts';
import { readCorrelationContext } from './correlation-context.ts';
import type { Tx } from './database.ts';

/**
 * 100,000 changes in a year, of 200 services, and 20,000 incidents, asked as the application asks, under row-level
 * security: an incident that opens looks at the changes before it, and a page at its window, never at all of them.
 */
let fixture: TestDatabase;
let plans: QueryPlans;

beforeAll(async () => {
  fixture = await createTestDatabase();
  plans = openQueryPlans(fixture);
  const { owner, orgId } = fixture;
  await owner.query(
    `insert into changes (org_id, source, external_id, type, status, service, environment, title, version, at)
     select $1, 'github', n::text, case n % 3 when 0 then 'code' else 'deployment' end,
       case when n % 50 = 0 then 'failed' else 'succeeded' end, 'service-' || n % 200, 'production', 'Deploy',
       'v' || n, now() - n * interval '5 minutes'
     from generate_series(1, 100000) n`,
    [orgId],
  );
  await owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, service, labels, opened_at, closed_at)
     select $1, n, 'Broken', 'high', 1, 'service-' || n % 200, '{}', now() - n * interval '20 minutes',
       case when n > 40 then now() end
     from generate_series(1, 20000) n`,
    [orgId],
  );
  await owner.query(
    `insert into incident_changes (org_id, incident_id, change_id, score, reasons, verdict, judged_at)
     select c.org_id, i.id, c.id, 0.5, '[]', case when c.id % 100 = 0 then 'confirmed' end,
       case when c.id % 100 = 0 then c.at end
     from changes c join incidents i on i.number = c.id % 20000 + 1 where c.id % 5 = 0`,
  );
  await owner.query('vacuum analyze');
}, 240_000);
afterAll(async () => {
  await plans.close();
  await fixture.close();
});

const ago = (days: number) => new Date(Date.now() - days * 86_400_000);

/** Rows that each may look at, at most. */
const asked: Record<string, { most: number; ask: (tx: Tx) => Promise<unknown> }> = {
  'the candidates of an incident': {
    most: 200,
    ask: (tx) =>
      candidateChanges(tx, {
        incidentId: randomUUID(),
        from: ago(1 / 12),
        to: new Date(),
        services: ['service-1'],
      }),
  },
  'the history of services': {
    most: 50_000,
    ask: (tx) =>
      confirmationHistory(tx, {
        incidentId: randomUUID(),
        services: ['service-10', 'service-20', 'service-30'],
      }),
  },
  'a change that arrives': {
    most: 1_000,
    ask: async (tx) =>
      recordChange(tx, {
        orgId: fixture.orgId,
        context: await readCorrelationContext(tx),
        origin: { source: 'generic', sourceId: null, teamId: null },
        report: {
          externalId: `new-${Math.random()}`,
          type: 'deployment',
          status: 'succeeded',
          service: 'service-7',
          environment: 'production',
          title: 'Deploy',
          version: 'v0',
          previousVersion: null,
          author: null,
          url: null,
          at: Date.now() - 3_600_000,
          begins: false,
          data: {},
        },
      }),
  },
  'the list': { most: 500, ask: (tx) => listChanges(tx, { since: ago(7), limit: 50 }) },
  'the list of a service': {
    most: 500,
    ask: (tx) => listChanges(tx, { service: 'service-7', since: ago(90), limit: 50 }),
  },
  'the risky ones': { most: 5_000, ask: (tx) => listChanges(tx, { risky: true, since: ago(7), limit: 50 }) },
  'their number': { most: 9_000, ask: (tx) => countChanges(tx, { risky: true, since: ago(7) }, 1000) },
  'how often services change': {
    most: 30_000,
    ask: (tx) => changeFrequency(tx, { since: ago(30), limit: 100 }),
  },
  'names to choose from': { most: 15_000, ask: changeNames },
  'one change': { most: 100, ask: (tx) => getChange(tx, 50_000) },
  sources: { most: 100, ask: listChangeSources },
};

test.for(Object.entries(asked))('%s by index', async ([name, { most, ask }]) => {
  const { looked, milliseconds, scans } = await plans.of(ask);
  if (process.env.SHOW_PLANS) console.log(name, Math.round(looked), milliseconds.toFixed(1), scans.join());
  expect(scans.filter((table) => ['changes', 'incidents', 'incident_changes'].includes(table))).toEqual([]);
  expect(looked).toBeLessThan(most);
});
