import { getIncidentByNumber, listIncidentAlerts, listTimeline } from '../../db/incident-detail.ts';
import { listIncidents } from '../../db/incidents.ts';
import { durationMs, parseDuration } from '../../domain/duration.ts';
import { incidentWorkflowId } from '../../workflows/messages.ts';
import type { MessageClient } from '../../workflows/messages-client.ts';
import { type Principal, scopeOf } from '../auth/principal.ts';
import {
  type Endpoint,
  pageOf,
  personEndpoint,
  presentPage,
  type Reader,
  withoutUndefined,
} from '../endpoint.ts';
import { NotFoundError } from '../errors.ts';
import { commandIncident, type SendCommand, seenIncident } from './commanded.ts';
import { presentAlert, presentIncident, presentSummary, presentTimelineEntry } from './presenter.ts';
import {
  accepted,
  acknowledgeBody,
  alertsQuery,
  assignBody,
  incidentAlert,
  incidentDetail,
  incidentParams,
  incidentQuery,
  incidentSummary,
  noteBody,
  resolveBody,
  snoozeBody,
  timelineEntry,
  timelineQuery,
} from './schema.ts';

export interface IncidentRoutesDeps {
  db: Reader;
  messages: MessageClient;
  /** A workflow's page in the Temporal UI, null where there is none. */
  workflowUrl(workflowId: string): string | null;
}

const tag = 'Incidents';
const refusals = { 404: 'No incident of this number', 409: 'Refused, with the reason' };

export function incidentEndpoints(deps: IncidentRoutesDeps): Endpoint[] {
  const { db, messages } = deps;

  const command = (principal: Principal, number: number, send: SendCommand) =>
    commandIncident(db, principal, number, send);

  return [
    personEndpoint({
      method: 'get',
      path: '/api/v1/incidents',
      tag,
      summary: 'List incidents, newest first',
      access: 'viewer',
      query: incidentQuery,
      status: 200,
      response: pageOf(incidentSummary),
      handle: async ({ principal, query }) => {
        const { since, ...filter } = query;
        const page = await db.read(scopeOf(principal), (tx) =>
          listIncidents(tx, {
            ...withoutUndefined(filter),
            limit: query.limit,
            ...(since === undefined ? {} : { since: sinceWhen(since, Date.now()) }),
          }),
        );
        return presentPage(page, presentSummary);
      },
    }),
    personEndpoint({
      method: 'get',
      path: '/api/v1/incidents/{number}',
      tag,
      summary: 'One incident with its alerts, causes, logs, metrics, changes, SLA clocks and executions',
      access: 'viewer',
      params: incidentParams,
      status: 200,
      response: incidentDetail,
      errors: { 404: refusals[404] },
      handle: async ({ principal, params }) => {
        const incident = await db.read(scopeOf(principal), (tx) => getIncidentByNumber(tx, params.number));
        if (!incident) throw new NotFoundError(`incident ${params.number}`);
        const workflowUrl = deps.workflowUrl(incidentWorkflowId(principal.orgId, incident.number));
        return presentIncident(incident, workflowUrl);
      },
    }),
    personEndpoint({
      method: 'get',
      path: '/api/v1/incidents/{number}/alerts',
      tag,
      summary: 'The alerts of an incident, newest first',
      access: 'viewer',
      params: incidentParams,
      query: alertsQuery,
      status: 200,
      response: pageOf(incidentAlert),
      errors: { 404: refusals[404] },
      handle: async ({ principal, params, query }) => {
        const { id: incidentId } = await seenIncident(db, principal, params.number);
        const page = await db.read(scopeOf(principal), (tx) =>
          listIncidentAlerts(tx, { incidentId, ...withoutUndefined(query), limit: query.limit }),
        );
        return presentPage(page, presentAlert);
      },
    }),
    personEndpoint({
      method: 'get',
      path: '/api/v1/incidents/{number}/timeline',
      tag,
      summary: 'What happened, in order',
      access: 'viewer',
      params: incidentParams,
      query: timelineQuery,
      status: 200,
      response: pageOf(timelineEntry),
      errors: { 404: refusals[404] },
      handle: async ({ principal, params, query }) => {
        const { id: incidentId } = await seenIncident(db, principal, params.number);
        const { cursor, limit, order } = query;
        const page = await db.read(scopeOf(principal), (tx) =>
          listTimeline(tx, {
            incidentId,
            limit,
            newestFirst: order === 'newest',
            ...withoutUndefined({ cursor }),
          }),
        );
        return presentPage(page, presentTimelineEntry);
      },
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/incidents/{number}/acknowledge',
      tag,
      summary: 'Take it on: escalation stops',
      access: 'operator',
      params: incidentParams,
      body: acknowledgeBody,
      status: 200,
      response: accepted,
      errors: refusals,
      handle: ({ principal, params, body }) =>
        command(principal, params.number, ({ orgId, number }, by) =>
          messages.acknowledge(orgId, number, { ...by, ...withoutUndefined(body ?? {}) }),
        ),
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/incidents/{number}/resolve',
      tag,
      summary: 'Say that it is over, or was none (falsePositive)',
      access: 'operator',
      params: incidentParams,
      body: resolveBody,
      status: 200,
      response: accepted,
      errors: refusals,
      handle: ({ principal, params, body }) =>
        command(principal, params.number, ({ orgId, number }, by) =>
          messages.resolve(orgId, number, { ...by, ...withoutUndefined(body ?? {}) }),
        ),
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/incidents/{number}/assign',
      tag,
      summary: 'Give it to someone',
      access: 'operator',
      params: incidentParams,
      body: assignBody,
      status: 200,
      response: accepted,
      errors: refusals,
      handle: ({ principal, params, body }) =>
        command(principal, params.number, ({ orgId, number }, by) =>
          messages.assign(orgId, number, { ...by, to: body.to }),
        ),
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/incidents/{number}/notes',
      tag,
      summary: 'Add a note to the timeline',
      access: 'operator',
      params: incidentParams,
      body: noteBody,
      status: 200,
      response: accepted,
      errors: refusals,
      handle: ({ principal, params, body }) =>
        command(principal, params.number, ({ orgId, number }, by) =>
          messages.addNote(orgId, number, { ...by, text: body.text }),
        ),
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/incidents/{number}/snooze',
      tag,
      summary: 'Hold escalation until later',
      access: 'operator',
      params: incidentParams,
      body: snoozeBody,
      status: 200,
      response: accepted,
      errors: refusals,
      handle: ({ principal, params, body }) => {
        const seen = withoutUndefined({ asOf: body.asOf });
        const until =
          body.until === undefined
            ? new Date(Date.now() + durationMs(body.for ?? '0s'))
            : new Date(body.until);
        return command(principal, params.number, ({ orgId, number }, by) =>
          messages.snooze(orgId, number, { ...by, ...seen, until: until.toISOString() }),
        );
      },
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/incidents/{number}/reapply-policy',
      tag,
      summary: 'Escalate by the policies as they are now, instead of those of the opening',
      access: 'operator',
      params: incidentParams,
      status: 200,
      response: accepted,
      errors: refusals,
      handle: ({ principal, params }) =>
        command(principal, params.number, ({ orgId, number }, by) =>
          messages.reapplyPolicy(orgId, number, by),
        ),
    }),
  ];
}

function sinceWhen(since: string, now: number): Date {
  const ago = parseDuration(since);
  return ago === undefined ? new Date(since) : new Date(now - ago);
}
