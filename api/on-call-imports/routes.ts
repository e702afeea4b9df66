import type { Database, Tx } from '../../db/database.ts';
import { applyImport, readImportPlan } from '../../db/oncall-import.ts';
import { ImportFormatError } from '../../domain/oncall-import/imported.ts';
import type { ImportPlan, ImportSource } from '../../domain/oncall-import/plan.ts';
import { assertRole, scopeOf } from '../auth/principal.ts';
import { type Endpoint, personEndpoint } from '../endpoint.ts';
import { ConflictError, InvalidRequestError } from '../errors.ts';
import { importBody, importPlanBody, importPlanShown } from './schema.ts';

const tag = 'On call';
const path = '/api/v1/on-call/imports';

/** Schedules, escalation policies and people of another tool, with a plan that is shown first. */
export function onCallImportEndpoints({ db }: { db: Pick<Database, 'read' | 'write'> }): Endpoint[] {
  return [
    personEndpoint({
      method: 'post',
      path: `${path}/plan`,
      tag,
      summary: 'What importing an export of Grafana OnCall, PagerDuty or Opsgenie would do; changes nothing',
      access: 'admin',
      body: importPlanBody,
      status: 200,
      response: importPlanShown,
      handle: async ({ principal, body }) => {
        const { plan, hash } = await db.read(scopeOf(principal), (tx) =>
          planOf(tx, body.source, body.export),
        );
        return { ...plan, hash };
      },
    }),
    personEndpoint({
      method: 'post',
      path,
      tag,
      summary: 'Import an export, just as the plan said that you saw',
      access: 'admin',
      body: importBody,
      status: 200,
      response: importPlanShown,
      errors: { 409: 'The plan would be another by now, or it names people who are no users here' },
      handle: async ({ principal, body }) => {
        const { orgId, email: actor } = principal;
        const plan = await db.write(scopeOf(principal), async (tx) => {
          const { plan: found, hash } = await planOf(tx, body.source, body.export);
          if (hash !== body.hash) {
            throw new ConflictError(
              'the plan would be another by now: look at it again, then apply that one',
            );
          }
          const missing = found.people.filter(({ change }) => change === 'create');
          if (missing.length > 0 && !body.createPeople) {
            throw new ConflictError(
              `${missing.map(({ email }) => email).join(', ')} ${missing.length === 1 ? 'is no user' : 'are no users'} here: add them, or let an Owner import with createPeople`,
            );
          }
          if (missing.length > 0) assertRole(principal, 'owner', null);
          await applyImport(tx, { orgId, plan: found, actor });
          return found;
        });
        return { ...plan, hash: body.hash };
      },
    }),
  ];
}

async function planOf(
  tx: Tx,
  source: ImportSource,
  value: unknown,
): Promise<{ plan: ImportPlan; hash: string }> {
  try {
    return await readImportPlan(tx, { source, value, now: Date.now() });
  } catch (error) {
    if (!(error instanceof ImportFormatError)) throw error;
    throw new InvalidRequestError(error.problems.map(fieldOf));
  }
}

/** A message of ImportFormatError begins with the field. */
function fieldOf(text: string): { field: string; message: string } {
  const [path = '', ...message] = text.split(': ');
  return { field: path === 'the file' ? 'export' : `export.${path}`, message: message.join(': ') };
}
