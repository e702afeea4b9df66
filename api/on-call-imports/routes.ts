import type { Database } from '../../db/database.ts';
import { applyImport, createImportPlanner } from '../../db/oncall-import.ts';
import { ImportFormatError } from '../../domain/oncall-import/imported.ts';
import { assertRole, scopeOf } from '../auth/principal.ts';
import { type Endpoint, personEndpoint, whenLeft } from '../endpoint.ts';
import { ConflictError, InvalidRequestError } from '../errors.ts';
import { importBody, importPlanBody, importPlanShown } from './schema.ts';

const tag = 'On call';
const path = '/api/v1/on-call/imports';

/** Schedules, escalation policies and people of another tool, with a plan that is shown first. */
export function onCallImportEndpoints({ db }: { db: Pick<Database, 'read' | 'write'> }): Endpoint[] {
  const planner = createImportPlanner(db);

  async function planOf(...[scope, given, left]: Parameters<typeof planner>) {
    try {
      return await planner(scope, given, left);
    } catch (error) {
      if (!(error instanceof ImportFormatError)) throw error;
      throw new InvalidRequestError(error.problems.map(fieldOf));
    }
  }

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
      errors: { 422: 'It takes too long', 503: 'Others wait already' },
      handle: async ({ principal, body, request }) => {
        const given = { source: body.source, value: body.export, now: Date.now() };
        const { plan, hash } = await planOf(scopeOf(principal), given, whenLeft(request));
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
      errors: {
        409: 'The plan would be another by now, or it names people who are no users here',
        422: 'It takes too long',
        503: 'Others wait already',
      },
      handle: async ({ principal, body, request }) => {
        const { orgId, email: actor } = principal;
        const scope = scopeOf(principal);
        const given = { source: body.source, value: body.export, now: Date.now() };
        const { plan: found, hash, stillHolds } = await planOf(scope, given, whenLeft(request));
        const plan = await db.write(scope, async (tx) => {
          if (hash !== body.hash || !(await stillHolds(tx))) {
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

/** A message of ImportFormatError begins with the field. */
function fieldOf(text: string): { field: string; message: string } {
  const [path = '', ...message] = text.split(': ');
  return { field: path === 'the file' ? 'export' : `export.${path}`, message: message.join(': ') };
}
