import { join } from 'node:path';
import { Gauge } from 'prom-client';
import { createAlertActivities } from '../activities/alert.ts';
import { createAnalysisActivities } from '../activities/analysis.ts';
import { createAnnounceActivities } from '../activities/announce.ts';
import { createCalendarReader } from '../activities/calendars/reader.ts';
import { createCalendarActivities } from '../activities/calendars.ts';
import { createChatActivities } from '../activities/chat.ts';
import { createDryRunActivities } from '../activities/dry-run.ts';
import { createDutyActivities } from '../activities/duty.ts';
import { createEscalationActivities } from '../activities/escalation.ts';
import { createEvidenceActivities } from '../activities/evidence.ts';
import { createExecutionActivities } from '../activities/execution.ts';
import { createGitActivities } from '../activities/git.ts';
import { createIncidentActivities } from '../activities/incident.ts';
import { createNotifyActivities } from '../activities/notify.ts';
import { createReportActivities } from '../activities/reports.ts';
import { createSloActivities } from '../activities/slo.ts';
import { createDatabaseLedger } from '../activities/steps/ledger-database.ts';
import { createStepActivities } from '../activities/steps.ts';
import { listGitSources } from '../db/git-sources.ts';
import { listOrganizations } from '../db/organizations.ts';
import { readReportSettings } from '../db/report-audience.ts';
import { hasSlos } from '../db/slos.ts';
import { createGitSchedules } from '../workflows/messages-git.ts';
import { createSloMeasuring } from '../workflows/messages-slos.ts';
import type { Backends } from './backends.ts';
import type { Config } from './config.ts';
import { createCorrelationLockMetrics } from './correlation-lock-metrics.ts';
import { startReconciler } from './reconciler.ts';
import { startRetention } from './retention.ts';
import { startRunbookFolder } from './runbook-folder.ts';
import { ensureSchedules } from './schedules.ts';
import { ensureSearchAttributes } from './search-attributes.ts';
import { startSilences } from './silences.ts';
import { startSloMeasuring } from './slo-measuring.ts';
import { stepDepsOf } from './step-deps.ts';
import { connectWorker, temporalConnectionOptions } from './temporal-connection.ts';
import { installTemporalRuntime } from './temporal-runtime.ts';
import { type Activities, startWorkers } from './workers.ts';
import { bundleWorkflows } from './workflow-bundle.ts';

export interface WorkerService {
  /** Resolves with a sentence when the workers end by themselves. */
  readonly failed: Promise<string>;
  close(): Promise<void>;
}

export interface WorkerServiceOptions {
  config: Config;
  backends: Backends;
  temporalAddress: string;
}

/** Runs the workflows and activities, keeps the runbooks read, the schedules made and the rows true. */
export async function startWorkerService(options: WorkerServiceOptions): Promise<WorkerService> {
  const { config, backends, temporalAddress } = options;
  const { db, temporal, starter, logger } = backends;
  const namespace = config.temporalNamespace;
  installTemporalRuntime(logger);
  const [workflowBundle, nativeConnection] = await Promise.all([
    bundleWorkflows(),
    connectWorker(temporalConnectionOptions(config, temporalAddress), logger),
  ]);
  await ensureSearchAttributes(backends.connection, namespace);
  const folder = await startRunbookFolder({ db, directory: config.runbooksDir, logger });
  const workers = await startWorkers({
    connection: nativeConnection,
    namespace,
    workflowBundle,
    alertActivities: createAlertActivities({
      db,
      signalFeedUnread: starter.signalFeedUnread,
      fetch,
      lockMetrics: createCorrelationLockMetrics(backends.metrics),
    }),
    activities: await activitiesOf(config, backends),
  });
  const reconciler = startReconciler({ db, client: temporal, starter, logger });
  new Gauge({
    name: 'holdfast_reconciler_mismatches',
    help: 'Rows that say that they run although their workflow has ended',
    registers: [backends.metrics],
    collect() {
      this.set(reconciler.mismatches.length);
    },
  });
  const silences = startSilences({ db, logger });
  const objectives = startSloMeasuring({
    db,
    measuring: createSloMeasuring(backends.temporal.schedule),
    logger,
  });
  const retention = startRetention({ db, logDays: config.logRetentionDays, logger });
  await ensureSchedules(temporal, await scheduledOrganizations(config, backends));
  await ensureGitSchedules(backends);
  await ensureSloSchedules(backends);
  return {
    failed: workers.stopped.then(
      () => new Promise<string>(() => {}),
      (error: unknown) => `The Temporal worker ended by itself: ${String(error)}`,
    ),
    async close() {
      const watching = [reconciler, silences, objectives, retention, folder];
      await Promise.all(watching.map((each) => each.stop()));
      await workers.shutdown();
      await nativeConnection.close();
    },
  };
}

async function activitiesOf(config: Config, backends: Backends): Promise<Activities> {
  const { db, mail, webhooks: dispatcher } = backends;
  const { mailFrom, publicUrl, prometheusUrl } = config;
  const clock = Date.now;
  const first = (await listOrganizations(db))[0];
  const steps = stepDepsOf(config, {
    ledger: createDatabaseLedger(db),
    temporal: backends.connection.workflowService,
    secrets: [config.ownerToken, config.ingestKey],
  });
  return {
    ...createIncidentActivities({
      db,
      reopenWindowMs: config.reopenWindowMs,
      signalFeedUnread: backends.starter.signalFeedUnread,
    }),
    ...createAnalysisActivities({
      db,
      prometheusUrl,
      ownsEnvironment: backends.ownsEnvironment,
      clock,
    }),
    ...createExecutionActivities({
      db,
      approveBySignal: config.approveBySignal,
      runnerPatienceMs: config.runnerPatienceMs,
    }),
    ...createEscalationActivities({ db }),
    ...createAnnounceActivities({ db }),
    ...createNotifyActivities({
      db,
      mail,
      mailFrom,
      dispatcher,
      hidden: backends.hidden,
      slackApiUrl: config.slackApiUrl,
      pagerDutyApiUrl: config.pagerDutyApiUrl,
      pagerDutyRestApiUrl: config.pagerDutyRestApiUrl,
      publicUrl,
      timeZone: config.timeZone,
      startConsolidation: backends.starter.startConsolidation,
      clock,
    }),
    ...createEvidenceActivities(backends.logSources),
    ...createStepActivities(steps),
    ...createDryRunActivities(steps),
    ...createCalendarActivities({
      db,
      egressAllow: config.egressAllow,
      readEvents: createCalendarReader(),
      clock,
    }),
    ...createGitActivities({
      db,
      secrets: steps.secretSource,
      folder: join(config.dataDir, 'git'),
      allowFile: config.gitAllowFile,
      knownHosts: config.sshKnownHosts,
      egressAllow: config.egressAllow,
      environment: config.commandEnvironment,
      removeSchedule: createGitSchedules(backends.temporal.schedule).remove,
    }),
    ...createChatActivities({ db }),
    ...createDutyActivities({ db }),
    ...createSloActivities({
      db,
      prometheusUrl,
      ownsEnvironment: backends.ownsEnvironment,
      measuring: createSloMeasuring(backends.temporal.schedule),
      clock,
    }),
    ...createReportActivities({
      db,
      mail,
      mailFrom,
      publicUrl,
      prometheusUrl,
      clock,
      // what the environment names is the first organization's; the others have their owners and settings
      defaults: (orgId) => ({
        recipients: orgId === first?.orgId ? config.sendReportsTo : [],
        timeZone: config.timeZone,
      }),
    }),
  };
}

/** Objectives that were made while Temporal was away are measured, too; where there are none nothing is asked each minute. */
async function ensureSloSchedules({ db, temporal }: Backends): Promise<void> {
  const measuring = createSloMeasuring(temporal.schedule);
  for (const { orgId } of await listOrganizations(db)) {
    const wanted = () => db.read({ orgId }, hasSlos);
    if (!(await wanted())) await measuring.end(orgId);
    // also where the first one was made meanwhile
    if (await wanted()) await measuring.begin(orgId);
  }
}

/** A source that was made while Temporal lost its data, or by another Holdfast, is looked at, too. */
async function ensureGitSchedules({ db, temporal }: Backends): Promise<void> {
  const schedules = createGitSchedules(temporal.schedule);
  for (const { orgId } of await listOrganizations(db)) {
    for (const { id, intervalMs } of await db.read({ orgId }, listGitSources)) {
      await schedules.keep({ orgId, sourceId: id, intervalMs });
    }
  }
}

async function scheduledOrganizations(config: Config, { db }: Backends) {
  const organizations = [];
  for (const { orgId } of await listOrganizations(db)) {
    const settings = await db.read({ orgId }, readReportSettings);
    organizations.push({ orgId, timeZone: settings.timeZone ?? config.timeZone });
  }
  return organizations;
}
