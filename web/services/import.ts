import { type Request, type Response, Router } from 'express';
import { declareTopology, readDeclared } from '../../db/declared-topology.ts';
import { UnknownReferenceError } from '../../db/policies.ts';
import { isEmptyPlan } from '../../domain/topology/declared.ts';
import { topologyYaml } from '../../domain/topology/topology-yaml.ts';
import type { WebDeps } from '../deps.ts';
import { setFlash } from '../layout/flash.ts';
import type { Pages } from '../layout/pages.ts';
import { requireRole, visitorOf } from '../visitor.ts';
import { type ImportState, importView } from './import-view.ts';

const example = `services:
  - name: checkout
    description: Takes orders
    calls: [payments, db-primary]
  - name: db-primary
    kind: database
dependencies:
  - {from: payments, to: db-primary}
`;

/** All that people declare, as one text: looked at as a plan, then applied. */
export function importRoutes(
  { db, parseTopology }: Pick<WebDeps, 'db' | 'parseTopology'>,
  pages: Pages,
): Router {
  const router = Router();

  router.get('/topology/import', requireRole('admin'), async (request, response) => {
    const declared = await db.read(visitorOf(request).scope, readDeclared);
    const isEmpty = declared.services.length === 0 && declared.dependencies.length === 0;
    await show(request, response, {
      source: isEmpty ? example : topologyYaml(declared),
      problems: [],
      plan: null,
    });
  });

  router.get('/topology/declared.yaml', async (request, response) => {
    const declared = await db.read(visitorOf(request).scope, readDeclared);
    response
      .set('Cache-Control', 'private, no-cache')
      .attachment('services.yaml')
      .type('application/yaml')
      .send(topologyYaml(declared));
  });

  router.post('/topology/import', requireRole('admin'), async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const { source, planOnly } = postedImport(request.body);
    const parsed = await parseTopology(orgId, source);
    if ('problems' in parsed) {
      await show(request, response, { source, problems: parsed.problems, plan: null });
      return;
    }
    try {
      const { topology } = parsed;
      const plan = await db.write(scope, (tx) => declareTopology(tx, { orgId, actor, topology, planOnly }));
      if (planOnly) {
        await show(request, response, { source, problems: [], plan });
        return;
      }
      setFlash(
        response,
        'good',
        isEmptyPlan(plan) ? 'It was so already.' : 'Declared. Root causes are found by it.',
      );
      response.redirect(303, '/topology');
    } catch (error) {
      if (!(error instanceof UnknownReferenceError)) throw error;
      const { line, col } = parsed.teams[error.field] ?? { line: 1, col: 1 };
      const problem = { line, col, message: error.message };
      await show(request, response, { source, problems: [problem], plan: null });
    }
  });

  async function show(request: Request, response: Response, state: ImportState): Promise<void> {
    await pages.show(request, response, {
      template: 'services/import',
      view: importView(state),
      title: 'Services as YAML',
      section: 'services',
      status: state.problems.length > 0 ? 422 : 200,
    });
  }

  return router;
}

/** The text as it was typed: its spaces mean something. */
function postedImport(body: unknown): { source: string; planOnly: boolean } {
  const given = typeof body === 'object' && body !== null ? body : {};
  const source: unknown = Reflect.get(given, 'source');
  return {
    source: typeof source === 'string' ? source.replaceAll('\r\n', '\n') : '',
    planOnly: Reflect.get(given, 'do') !== 'apply',
  };
}
