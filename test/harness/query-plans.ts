import { type CompiledQuery, Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import type { Tx } from '../../db/database.ts';
import type { Schema } from '../../db/schema.ts';
import type { TestDatabase } from './database.ts';

/** What PostgreSQL does for what a repository asks, as the application asks it, under row-level security. */
export interface QueryPlans {
  /** Runs `ask`, then each of its statements once more to explain it. */
  of(ask: (tx: Tx) => Promise<unknown>): Promise<Plans>;
  close(): Promise<void>;
}

export interface Plans {
  statements: number;
  milliseconds: number;
  /** How many rows were looked at, also those that were then left out. */
  looked: number;
  /** The relations that were read from end to end. */
  scans: string[];
}

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: PlanNode[];
}

interface Explained {
  'QUERY PLAN': { Plan: PlanNode; 'Execution Time': number }[];
}

export function openQueryPlans({ url, orgId }: TestDatabase): QueryPlans {
  let captured: CompiledQuery[] = [];
  const capturing = new Kysely<Schema>({
    dialect: new PostgresDialect({
      pool: new pg.Pool({
        connectionString: url,
        max: 1,
        onConnect: async (client: pg.ClientBase) => {
          await client.query('set role holdfast_app');
        },
      }),
    }),
    log: (event) => {
      captured.push(event.query as CompiledQuery);
    },
  });
  return {
    of: async (ask) =>
      await capturing.transaction().execute(async (tx) => {
        await sql`select set_config('app.org_id', ${orgId}, true), set_config('app.team_ids', '*', true)`.execute(
          tx,
        );
        captured = [];
        await ask(tx);
        // what explains them is captured too
        const asked = [...captured];
        const plans: Plans = { statements: asked.length, milliseconds: 0, looked: 0, scans: [] };
        const visit = (node: PlanNode): void => {
          plans.looked +=
            (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
          if (node['Node Type'] === 'Seq Scan') plans.scans.push(node['Relation Name'] ?? '');
          node.Plans?.forEach(visit);
        };
        for (const query of asked) {
          const { rows } = await tx.executeQuery<Explained>({
            ...query,
            sql: `explain (analyze, format json) ${query.sql}`,
          } as CompiledQuery<Explained>);
          const { Plan: plan, 'Execution Time': milliseconds } = rows[0]!['QUERY PLAN'][0]!;
          plans.milliseconds += milliseconds;
          visit(plan);
        }
        return plans;
      }),
    close: async () => await capturing.destroy(),
  };
}
