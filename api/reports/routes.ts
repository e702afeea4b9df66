import { getReport, listReports, type ReportKind } from '../../db/reports.ts';
import { findTeam } from '../../db/teams.ts';
import { reportCsv, tableCsv } from '../../domain/reports/csv.ts';
import type { ReportSpan } from '../../domain/reports/period.ts';
import { storedReport } from '../../domain/reports/stored.ts';
import { reportTables } from '../../domain/reports/tables.ts';
import type { MessageClient } from '../../workflows/messages-client.ts';
import { assertRole, type Principal, scopeOf } from '../auth/principal.ts';
import { type Endpoint, pageOf, personEndpoint, presentPage, type Reader } from '../endpoint.ts';
import { NotFoundError } from '../errors.ts';
import {
  csvQuery,
  csvText,
  report,
  reportParams,
  reportQuery,
  reportStarted,
  reportSummary,
  sendQuery,
} from './schema.ts';

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
    // before what takes the whole word for an id
    personEndpoint({
      method: 'get',
      path: '/api/v1/reports/{id}.csv',
      tag,
      summary: 'The tables of a report as CSV',
      access: 'viewer',
      params: reportParams,
      query: csvQuery,
      status: 200,
      answersAs: { 'text/csv': csvText },
      response: csvText,
      errors: { 404: 'No report of this id, or no such table in it' },
      handle: async ({ principal, params: { id }, query: { table: wanted } }) => {
        const found = await deps.db.read(scopeOf(principal), (tx) => getReport(tx, id));
        const stored = found && storedReport(found.data);
        if (!found || !stored) throw new NotFoundError(`report ${id}`);
        const tables = reportTables(stored, Date.parse(found.periodEnd));
        if (wanted === undefined) return reportCsv(tables);
        const table = tables.find((one) => one.id === wanted);
        if (!table) {
          const names = tables.map((one) => one.id).join(', ');
          throw new NotFoundError(`table '${wanted}' in report ${id} (it has ${names || 'none'})`);
        }
        return tableCsv(table);
      },
      send: (csv, request, response) => {
        response
          .set('Cache-Control', 'private, no-cache')
          .attachment(`report-${String(request.params.id)}.csv`)
          .type('text/csv')
          .send(csv);
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
    personEndpoint({
      method: 'post',
      path: '/api/v1/reports/sla/send',
      tag,
      summary: 'Make and send the SLA report now',
      access: 'operator',
      query: sendQuery,
      status: 202,
      response: reportStarted,
      errors: { 404: 'No team of this name' },
      handle: async ({ principal, query: { span, team: slug } }) => {
        const team =
          slug === undefined ? undefined : await deps.db.read(scopeOf(principal), (tx) => findTeam(tx, slug));
        if (slug !== undefined && !team) throw new NotFoundError(`team '${slug}'`);
        if (team) assertRole(principal, 'operator', team.id);
        return await start(principal, 'sla', { span, ...(team ? { teamId: team.id } : {}) });
      },
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/reports/capacity/send',
      tag,
      summary: 'Make and send the capacity report now',
      access: 'operator',
      status: 202,
      response: reportStarted,
      handle: async ({ principal }) => await start(principal, 'capacity'),
    }),
  ];

  async function start(principal: Principal, kind: ReportKind, of?: { span: ReportSpan; teamId?: string }) {
    const { workflowId } = await deps.messages.startReport(principal.orgId, kind, principal.email, of);
    return { kind, workflowId, workflowUrl: deps.workflowUrl(workflowId) };
  }
}
