import { type RequestHandler, Router } from 'express';
import type { Registry } from 'prom-client';
import type { Database } from '../db/database.ts';
import type { CalendarReadings } from '../workflows/messages-calendars.ts';
import type { MessageClient } from '../workflows/messages-client.ts';
import type { GitSchedules } from '../workflows/messages-git.ts';
import type { OriginReader } from '../workflows/messages-origin.ts';
import type { SloMeasuring } from '../workflows/messages-slos.ts';
import { createAlertIntake } from './alerts/accept.ts';
import { alertEndpoints } from './alerts/routes.ts';
import { analysisEndpoints } from './analysis/routes.ts';
import { approvalEndpoints } from './approvals/routes.ts';
import { auditEndpoints } from './audit/routes.ts';
import { authenticate } from './auth/authenticate.ts';
import { requireIngestKey } from './auth/ingest-key.ts';
import { requireRunnerToken } from './auth/runner-token.ts';
import type { SignIn } from './auth/sign-in.ts';
import { automationEndpoints } from './automation/routes.ts';
import { calendarFeedEndpoints } from './calendar-feeds/routes.ts';
import { changeSourceEndpoints } from './change-sources/routes.ts';
import { changeEndpoints } from './changes/routes.ts';
import { identityEndpoints } from './chat/identities.ts';
import { type ChatDeps, chatEndpoints } from './chat/routes.ts';
import { circuitBreakerEndpoints } from './circuit-breakers/routes.ts';
import { contactRulesEndpoints } from './contact-rules/routes.ts';
import { correlationMemoryEndpoints } from './correlation-memory/routes.ts';
import { correlationRuleEndpoints } from './correlation-rules/routes.ts';
import { dryRunEndpoints } from './dry-runs/routes.ts';
import { type Endpoint, mount } from './endpoint.ts';
import { answerErrors, type ErrorLog, noSuchEndpoint } from './errors.ts';
import { escalationPolicyEndpoints } from './escalation-policies/routes.ts';
import { executionEndpoints } from './executions/routes.ts';
import { gitSourceEndpoints } from './git-sources/routes.ts';
import type { Dependency } from './health/probe.ts';
import { healthEndpoints } from './health/routes.ts';
import { exportEndpoint } from './incidents/export.ts';
import { judgementEndpoints } from './incidents/judgements.ts';
import { regroupEndpoints } from './incidents/regroup.ts';
import { incidentEndpoints } from './incidents/routes.ts';
import { type LogSourceProbe, logSourceEndpoints } from './log-sources/routes.ts';
import { type LogTemplatePreviewer, logTemplateEndpoints } from './log-templates/routes.ts';
import { logEndpoints } from './logs/routes.ts';
import { maintenanceWindowEndpoints } from './maintenance-windows/routes.ts';
import { createRequestTimer } from './metrics.ts';
import { notificationChannelEndpoints } from './notification-channels/routes.ts';
import { notificationRuleEndpoints } from './notification-rules/routes.ts';
import { notificationEndpoints } from './notifications/routes.ts';
import { onCallEndpoints } from './on-call/routes.ts';
import { onCallImportEndpoints } from './on-call-imports/routes.ts';
import { onCallScheduleEndpoints } from './on-call-schedules/routes.ts';
import { openApiEndpoint } from './openapi/routes.ts';
import { answerOtlpErrors, noSuchSignal } from './otlp/errors.ts';
import { otlpEndpoints } from './otlp/routes.ts';
import { pagerDutyPeopleEndpoints } from './pagerduty/people.ts';
import { pagerDutyEndpoints } from './pagerduty/routes.ts';
import { readinessEndpoints } from './readiness/routes.ts';
import { rehearsalEndpoints } from './rehearsals/routes.ts';
import { reportEndpoints } from './reports/routes.ts';
import { pinEndpoints } from './runbooks/pin.ts';
import { runbookEndpoints } from './runbooks/routes.ts';
import { runnerEndpoints } from './runner/routes.ts';
import { runnersEndpoints } from './runners/routes.ts';
import { safetyRuleEndpoints } from './safety-rules/routes.ts';
import { schemaEndpoints } from './schemas/routes.ts';
import { serviceEndpoints } from './services/routes.ts';
import { sessionEndpoints } from './session/routes.ts';
import { shareEndpoints } from './shares/routes.ts';
import { signingKeyEndpoints } from './signing-keys/routes.ts';
import { silenceEndpoints } from './silences/routes.ts';
import { slaCalendarEndpoints } from './sla-calendars/routes.ts';
import { slaPolicyEndpoints } from './sla-policies/routes.ts';
import { sloEndpoints } from './slos/routes.ts';
import { targetEndpoints } from './targets/routes.ts';
import { testIncidentEndpoints } from './test-incidents/routes.ts';
import type { TopologyParser } from './topology/parse.ts';
import { topologyEndpoints } from './topology/routes.ts';
import { userIdentityEndpoints } from './users/identities.ts';
import { userEndpoints } from './users/routes.ts';

export interface ApiDeps {
  db: Pick<Database, 'read' | 'write' | 'unscoped'>;
  /** Where alerts are stored, `db` where it is not named: connections of its own keep a storm from waiting for itself. */
  intakeDb?: Pick<Database, 'write'>;
  messages: MessageClient;
  gitSchedules: GitSchedules;
  calendarReadings: CalendarReadings;
  sloMeasuring: SloMeasuring;
  logDesk: LogSourceProbe & LogTemplatePreviewer;
  chat: ChatDeps['chat'];
  signIn: SignIn;
  parseTopology: TopologyParser;
  /** IANA name, of organizations that have set none. */
  timeZone: string;
  /** Without a slash at the end. */
  publicUrl: string;
  /** Of Holdfast. */
  version: string;
  /** A workflow's page in the Temporal UI, null where there is none. */
  workflowUrl(workflowId: string): string | null;
  /** Where a workflow's own history says that a message was to be sent. */
  readOrigin: OriginReader;
  /** Wakes the dispatcher: there is something due. */
  onAlertsAccepted(): void;
  /** What /readyz asks, by name. */
  dependencies: Dependency[];
  metrics: Registry;
  log: ErrorLog;
}

/** The JSON API with its health endpoints. Answers everything under /api; lets the rest through to the pages. */
export function createApi(deps: ApiDeps): Router {
  const secureCookies = deps.publicUrl.startsWith('https:');
  const router = Router();
  const time = createRequestTimer(deps.metrics);
  router.use(['/api', '/v1', '/healthz', '/readyz', '/metrics'], plainAnswers);
  mount(router, endpointsOf(deps, secureCookies), {
    person: authenticate({ db: deps.db, secureCookies }),
    ingest: requireIngestKey(deps.db),
    runner: requireRunnerToken(deps.db),
    time,
  });
  router.use('/api', noSuchEndpoint);
  router.use('/v1', noSuchSignal, answerOtlpErrors(deps.log));
  router.use(answerErrors(deps.log));
  return router;
}

/** Every operation, in the order in which the OpenAPI document names them. */
function endpointsOf(deps: ApiDeps, secureCookies: boolean): Endpoint[] {
  const accept = createAlertIntake({ ...deps, db: deps.intakeDb ?? deps.db });
  const endpoints = [
    ...alertEndpoints({ accept }),
    ...logEndpoints(deps),
    ...otlpEndpoints(deps),
    ...incidentEndpoints(deps),
    ...judgementEndpoints(deps),
    exportEndpoint(deps),
    ...shareEndpoints(deps),
    ...regroupEndpoints(deps),
    ...correlationRuleEndpoints(deps),
    ...correlationMemoryEndpoints(deps),
    ...analysisEndpoints(),
    ...testIncidentEndpoints({ db: deps.db, accept }),
    ...changeEndpoints(deps),
    ...changeSourceEndpoints(deps),
    ...serviceEndpoints(deps),
    ...topologyEndpoints(deps),
    ...approvalEndpoints(deps),
    ...runbookEndpoints(deps),
    ...pinEndpoints(deps),
    ...gitSourceEndpoints(deps),
    ...schemaEndpoints(),
    ...dryRunEndpoints(deps),
    ...executionEndpoints(deps),
    ...automationEndpoints(deps),
    ...safetyRuleEndpoints(deps),
    ...maintenanceWindowEndpoints(deps),
    ...silenceEndpoints(deps),
    ...circuitBreakerEndpoints(deps),
    ...targetEndpoints(deps),
    ...onCallScheduleEndpoints(deps),
    ...onCallEndpoints(deps),
    ...calendarFeedEndpoints(deps),
    ...onCallImportEndpoints(deps),
    ...escalationPolicyEndpoints(deps),
    ...slaPolicyEndpoints(deps),
    ...slaCalendarEndpoints(deps),
    ...sloEndpoints(deps),
    ...notificationChannelEndpoints(deps),
    ...pagerDutyEndpoints(deps),
    ...pagerDutyPeopleEndpoints(deps),
    ...notificationRuleEndpoints(deps),
    ...notificationEndpoints(deps),
    ...rehearsalEndpoints(deps),
    ...logSourceEndpoints(deps),
    ...logTemplateEndpoints(deps),
    ...chatEndpoints(deps),
    ...identityEndpoints(deps),
    ...reportEndpoints(deps),
    ...runnersEndpoints(deps),
    ...runnerEndpoints(deps),
    ...sessionEndpoints({ db: deps.db, signIn: deps.signIn, secureCookies }),
    ...userEndpoints(deps),
    ...userIdentityEndpoints(deps),
    ...contactRulesEndpoints(deps),
    ...readinessEndpoints(deps),
    ...signingKeyEndpoints(deps),
    ...auditEndpoints(deps),
    ...healthEndpoints(deps),
  ];
  return [...endpoints, openApiEndpoint(endpoints, deps)];
}

/** Data of a moment for one reader: not guessed at by browsers, not kept by caches. */
const plainAnswers: RequestHandler = (_request, response, next) => {
  response.set({ 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store' });
  next();
};
