import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import express from 'express';
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import { createLogDesk } from '../activities/logs/log-desk.ts';
import { createAlertIntake } from '../api/alerts/accept.ts';
import { createSignIn } from '../api/auth/sign-in.ts';
import { createSlackApi } from '../api/chat/slack-api.ts';
import { type Dependency, probeAll } from '../api/health/probe.ts';
import { createApi } from '../api/server.ts';
import { makeTestIncident } from '../api/test-incidents/make.ts';
import { createTopologyParser } from '../api/topology/parse.ts';
import { readDispatchGauges } from '../db/dispatch.ts';
import { testIncidentKind } from '../domain/test-incident.ts';
import { createWeb, type Mailbox } from '../web/server.ts';
import { createCalendarReadings } from '../workflows/messages-calendars.ts';
import { createMessageClient } from '../workflows/messages-client.ts';
import { createGitSchedules } from '../workflows/messages-git.ts';
import { createOriginReader } from '../workflows/messages-origin.ts';
import { createSloMeasuring } from '../workflows/messages-slos.ts';
import type { Backends } from './backends.ts';
import type { Config } from './config.ts';

export interface HttpServiceOptions {
  config: Config;
  backends: Backends;
  /** Wakes the dispatcher, where one runs in this process. */
  onAlertsAccepted: () => void;
  temporalUiUrl?: string;
  mailbox?: Mailbox;
}

export interface HttpService {
  close(): Promise<void>;
}

/** What a request that is under way gets to end when the service stops. */
const drainMs = 5_000;

/** The JSON API and the pages on one port. Throws when the port is taken, with the remedy. */
export async function startHttpService(options: HttpServiceOptions): Promise<HttpService> {
  const { config, backends } = options;
  const { db, intakeDb, temporal, logger } = backends;
  const messages = createMessageClient(temporal.workflow);
  const gitSchedules = createGitSchedules(temporal.schedule);
  const signIn = createSignIn({ db });
  const dependencies = dependenciesOf(options);
  const intake = { db, onAlertsAccepted: options.onAlertsAccepted, log: logger };
  const logDesk = createLogDesk(backends.logSources);
  const shared = {
    db,
    messages,
    gitSchedules,
    calendarReadings: createCalendarReadings(temporal.schedule),
    sloMeasuring: createSloMeasuring(temporal.schedule),
    logDesk,
    signIn,
    parseTopology: createTopologyParser(),
    publicUrl: config.publicUrl,
    readOrigin: createOriginReader(temporal.workflow, config.temporalNamespace),
    version: versionOf(),
    timeZone: config.timeZone,
  };
  const workflowUrl = workflowUrlOf(options);

  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', config.trustedProxies);
  app.use(
    createApi({
      ...shared,
      chat: {
        slack: createSlackApi({
          dispatcher: backends.webhooks,
          ...(config.slackApiUrl === undefined ? {} : { apiUrl: config.slackApiUrl }),
        }),
        readHidden: (orgId, hidden) => backends.hidden.read(orgId, hidden),
      },
      intakeDb,
      workflowUrl,
      onAlertsAccepted: options.onAlertsAccepted,
      dependencies,
      metrics: metricsOf(backends),
      log: logger,
    }),
  );
  app.use(
    createWeb({
      ...shared,
      ...(options.mailbox ? { mailbox: options.mailbox } : {}),
      temporalUiUrl: options.temporalUiUrl ?? null,
      workflowUrl,
      readiness: () => probeAll(dependencies),
      sendTestIncident: (orgId, kind) =>
        makeTestIncident(
          { db, accept: createAlertIntake(intake) },
          { orgId, kind: testIncidentKind(kind, randomInt(1000)), resolve: false, now: Date.now() },
        ),
      logError: (error, reference) => logger.error({ err: error, reference }, 'a page failed'),
      runbooksFolder: config.runbooksDir,
    }),
  );

  const server = createServer(app);
  server.listen(config.port, config.listenAddress);
  try {
    await once(server, 'listening');
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    if (!taken) throw error;
    throw new Error(`Port ${config.port} is in use: set PORT to another one, or end what listens on it.`);
  }
  return {
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      const late = setTimeout(() => server.closeAllConnections(), drainMs);
      await closed;
      clearTimeout(late);
    },
  };
}

function versionOf(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}

function workflowUrlOf({ config, temporalUiUrl }: HttpServiceOptions): (workflowId: string) => string | null {
  if (temporalUiUrl === undefined) return () => null;
  const base = `${temporalUiUrl}/namespaces/${encodeURIComponent(config.temporalNamespace)}/workflows`;
  return (workflowId) => `${base}/${encodeURIComponent(workflowId)}`;
}

function dependenciesOf({ backends }: HttpServiceOptions): Dependency[] {
  const { db, temporal, mail, logs } = backends;
  return [
    { name: 'database', probe: async () => void (await readDispatchGauges(db)) },
    {
      name: 'temporal',
      probe: async () => void (await temporal.workflowService.getSystemInfo({})),
    },
    { name: 'mail', probe: async () => void (await mail.verify()) },
    { name: `logs (${logs.name})`, probe: async () => void (await logs.probe()) },
  ];
}

function metricsOf({ db, metrics: registry }: Backends): Registry {
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [registry] });
  const oldest = gauge(
    'holdfast_dispatch_oldest_seconds',
    'Age of the oldest alert change that its workflow has not been told of',
  );
  const unread = gauge(
    'holdfast_incident_feeds_unread',
    'Incidents whose change feed their workflow has not read',
  );
  // one query fills all three when they are asked for
  new Gauge({
    name: 'holdfast_dispatch_due',
    help: 'Alert changes that their workflows have not been told of',
    registers: [registry],
    async collect() {
      const gauges = await readDispatchGauges(db);
      this.set(gauges.due);
      oldest.set(gauges.oldestSeconds);
      unread.set(gauges.unreadFeeds);
    },
  });
  return registry;
}
