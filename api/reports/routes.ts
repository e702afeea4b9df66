import { getReport, listReports } from '../../db/reports.ts';
import type { MessageClient } from '../../workflows/messages-client.ts';
import { scopeOf } from '../auth/principal.ts';
import { type Endpoint, pageOf, personEndpoint, presentPage, type Reader } from '../endpoint.ts';
import { NotFoundError } from '../errors.ts';
import { report, reportKinds, reportParams, reportQuery, reportStarted, reportSummary } from './schema.ts';

const tag = 'Reports';

export function reportEndpoints(deps: {
  db: Reader;
  messages: MessageClient;
  workflowUrl(workflowId: string): string | null;
}): Endpoint[] {
  return [
    personEndpoint({
      method: 'get',
      path: '/api/v1/reports',
      tag,
      summary: 'List reports, newest first',
      access: 'viewer',
      query: reportQuery,
      status: 200,
      response: pageOf(reportSummary),
      handle: async ({ principal, query }) => {
        const page = await deps.db.read(scopeOf(principal), (tx) => listReports(tx, query));
        return presentPage(page, (item) => item);
      },
    }),
    personEndpoint({
      method: 'get',
      path: '/api/v1/reports/{id}',
      tag,
      summary: 'One report as it was mailed, with the figures behind it',
      access: 'viewer',
      params: reportParams,
      status: 200,
      response: report,
      errors: { 404: 'No report of this id' },
      handle: async ({ principal, params }) => {
        const found = await deps.db.read(scopeOf(principal), (tx) => getReport(tx, params.id));
        if (!found) throw new NotFoundError(`report ${params.id}`);
        return found;
      },
    }),
    ...reportKinds.map((kind) =>
      personEndpoint({
        method: 'post',
        path: `/api/v1/reports/${kind}/send`,
        tag,
        summary:
          kind === 'sla' ? 'Make and send the SLA report now' : 'Make and send the capacity report now',
        access: 'operator',
        status: 202,
        response: reportStarted,
        handle: async ({ principal }) => {
          const { workflowId } = await deps.messages.startReport(principal.orgId, kind, principal.email);
          return { kind, workflowId, workflowUrl: deps.workflowUrl(workflowId) };
        },
      }),
    ),
  ];
}
