import { z } from 'zod';
import type { RenderedSql } from '../../domain/runbook/rendered.ts';
import type { Finding } from './adapter.ts';
import { reasonOf, type SqlConnection } from './sql-connection.ts';

/** What EXPLAIN can look at; anything else is only understood by running it. */
const explained =
  /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*\(?\s*(?:select|insert|update|delete|merge|with|values|table)\b/i;

interface PlanNode {
  'Node Type': string;
  'Plan Rows': number;
  Plans?: PlanNode[] | undefined;
}
const planNode: z.ZodType<PlanNode> = z.object({
  'Node Type': z.string(),
  'Plan Rows': z.number(),
  get Plans() {
    return z.array(planNode).optional();
  },
});
const explanation = z.tuple([z.object({ Plan: planNode })]);

/** Whether each statement is understood, and permitted to this user, without running any. */
export async function checkStatements(step: RenderedSql, connection: SqlConnection): Promise<Finding[]> {
  const findings: Finding[] = [];
  let blind = false;
  for (const [index, { text, parameters }] of step.statements.entries()) {
    const what = `statement ${index + 1}`;
    if (!explained.test(text)) {
      blind = true;
      findings.push({ ok: true, what, detail: 'cannot be tried without running it' });
      continue;
    }
    try {
      const plan = await explain(connection, text, parameters);
      findings.push({ what, ...verdict(plan, step.readOnly) });
    } catch (error) {
      if (blind)
        findings.push({ ok: true, what, detail: `may need what comes before it: ${reasonOf(error)}` });
      else findings.push({ ok: false, what, detail: reasonOf(error) });
    }
  }
  return findings;
}

async function explain(
  connection: SqlConnection,
  text: string,
  parameters: readonly string[],
): Promise<PlanNode> {
  await connection.run('begin read only');
  try {
    // said in full, for a statement that begins with 'analyze' would be run
    const { shown } = await connection.run(`explain (analyze false, format json) ${text}`, parameters);
    return explanation.parse(JSON.parse(shown[0]?.[0] ?? ''))[0].Plan;
  } finally {
    await connection.run('rollback');
  }
}

function verdict(plan: PlanNode, readOnly: boolean): Omit<Finding, 'what'> {
  const changes = changesRows(plan);
  if (changes && readOnly) {
    return {
      ok: false,
      detail: 'changes rows, which the step does not allow; take read_only away, or the change',
    };
  }
  const rows =
    plan['Node Type'] === 'ModifyTable' ? (plan.Plans?.[0]?.['Plan Rows'] ?? 0) : plan['Plan Rows'];
  return {
    ok: true,
    detail: `is understood and permitted; PostgreSQL expects it to ${changes ? 'change' : 'return'} about ${rows.toLocaleString('en')} rows`,
  };
}

function changesRows(plan: PlanNode): boolean {
  return plan['Node Type'] === 'ModifyTable' || (plan.Plans ?? []).some(changesRows);
}
