import { defineSearchAttributeKey, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  continueAsNew,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  patched,
  proxyActivities,
  proxyLocalActivities,
  startChild,
  upsertSearchAttributes,
  uuid4,
} from '@temporalio/workflow';
import type { AnalysisActivities } from '../activities/analysis.ts';
import type { AnnounceActivities } from '../activities/announce.ts';
import type { EscalationActivities } from '../activities/escalation.ts';
import type { EvidenceActivities } from '../activities/evidence.ts';
import type { IncidentActivities } from '../activities/incident.ts';
import type { NotifyActivities } from '../activities/notify.ts';
import { applyEvent, gathersAgainAfterMs } from '../domain/incident/apply-event.ts';
import type { FeedDigest, IncidentEvent } from '../domain/incident/events.ts';
import { type IncidentMove, incidentOver, nextMoves } from '../domain/incident/next-moves.ts';
import { calledOff, pagesCalledOff } from '../domain/incident/pages.ts';
import { carryOver, type IncidentState, newIncidentState } from '../domain/incident/state.ts';
import type { NotifyInput } from '../domain/notification.ts';
import { severities } from '../domain/severity.ts';
import { createDriver } from './drive.ts';
import { execution } from './execution.ts';
import { takeTurns } from './in-turn.ts';
import { handleMessages } from './incident-messages.ts';
import {
  executionWorkflowId,
  type IncidentInput,
  incidentResolved,
  notificationTaskQueue,
  searchAttributeNames,
  temporalOperator,
} from './messages.ts';
import { pagesUnderWay } from './pages-under-way.ts';

const { readFeed, recordIncident, closeIncident, createIncidentExecution } =
  proxyLocalActivities<IncidentActivities>({
    startToCloseTimeout: '20s',
    localRetryThreshold: '1m',
    retry: { initialInterval: '200ms', maximumInterval: '30s' },
  });
// thousands of alerts take their time, and no level waits for it; given up after some minutes, for whoever asked waits
const regrouping = {
  startToCloseTimeout: '1m',
  retry: { initialInterval: '1s', maximumInterval: '30s', maximumAttempts: 10 },
} as const;
const { regroupIncident } = proxyActivities<IncidentActivities>(regrouping);
/** What a history of before has. */
const { regroupIncident: regroupInTurn } = proxyLocalActivities<IncidentActivities>({
  ...regrouping,
  localRetryThreshold: '1s',
});
const { resolveLevel } = proxyLocalActivities<EscalationActivities>({
  startToCloseTimeout: '20s',
  localRetryThreshold: '1m',
  retry: { initialInterval: '200ms', maximumInterval: '30s' },
});
// rules may be many, and nothing that is local waits for them
const { announce } = proxyActivities<AnnounceActivities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '500ms', maximumInterval: '1m', maximumAttempts: 200 },
});
const sending = {
  startToCloseTimeout: '1m',
  // some 16 hours: an incident must come to its end although a channel never answers again
  retry: { initialInterval: '1s', maximumInterval: '5m', maximumAttempts: 200 },
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  taskQueue: notificationTaskQueue,
} as const;
/** A person who can be reached in another way as well does not wait longer for one that does not work. */
const otherwiseAfter = '2m';
const { gatherLogs } = proxyActivities<EvidenceActivities>({
  startToCloseTimeout: '1m',
  retry: { initialInterval: '2s', maximumInterval: '1m', maximumAttempts: 10 },
});
// what it could not look at it says itself; the next one comes soon enough
const { analyseIncident } = proxyActivities<AnalysisActivities>({
  startToCloseTimeout: '90s',
  retry: { initialInterval: '2s', maximumAttempts: 3 },
});

const serviceAttribute = defineSearchAttributeKey(searchAttributeNames.service, 'KEYWORD');
const severityAttribute = defineSearchAttributeKey(searchAttributeNames.severity, 'KEYWORD');

/** One incident, from its first alert to the end of its reopen window. Every rule is in domain/incident/. */
export async function incident(input: IncidentInput, carried?: IncidentState): Promise<void> {
  const { orgId, incidentId, number } = input;
  const pages = pagesUnderWay();
  const inTurn = takeTurns();
  let labelled = '';
  const driver = createDriver<IncidentState, IncidentEvent, IncidentMove>({
    // a run of an older Holdfast carries less
    state: { ...newIncidentState(number, Date.now()), ...carried },
    applyEvent,
    nextMoves,
    perform,
    started: (move, at) => ({ type: 'move_started', key: move.key, at }),
    failed: (move, at, reason) => ({ type: 'move_failed', key: move.key, at, reason }),
    tick: (at) => ({ type: 'tick', at }),
    cancelRequested: (at) => ({
      type: 'resolved',
      at,
      by: temporalOperator,
      note: 'the workflow was cancelled in Temporal',
      falsePositive: false,
    }),
    over: incidentOver,
    inFlight: (state) => state.inFlight,
    // every effect carries its key
    repeatable: () => true,
    settled: (state) => {
      const any = state.inFlight.some((key) => key.startsWith('page:'));
      pages.heed(pagesCalledOff(state), { any });
    },
  });

  async function perform(move: IncidentMove): Promise<IncidentEvent> {
    const { key } = move;
    switch (move.kind) {
      case 'read_feed': {
        const digest = await inTurn(() => readFeed({ orgId, incidentId, afterSeq: move.afterSeq }));
        labelRun(digest);
        return { type: 'feed_read', at: Date.now(), key, digest };
      }
      case 'gather_evidence': {
        const againAfterMs = gathersAgainAfterMs(driver.state);
        const { summary, source, empty } = await gatherLogs({ orgId, incidentId, againAfterMs });
        const found = empty ? { empty } : {};
        return { type: 'evidence_gathered', at: Date.now(), key, summary, source, ...found };
      }
      case 'analyse': {
        const told = driver.state.cause?.service ?? null;
        const analysis = await analyseIncident({ orgId, incidentId, told });
        return { type: 'analysed', at: Date.now(), key, ...analysis };
      }
      case 'regroup': {
        const { alertIds, into, by, reason } = move.regrouping;
        const asked = { orgId, incidentId, key: effectKey(key), alertIds, into, by, reason };
        const target = patched('regroup-out-of-turn')
          ? await regroupIncident(asked)
          : await inTurn(() => regroupInTurn(asked));
        return { type: 'regrouped', at: Date.now(), key, into: target.number };
      }
      case 'resolve_level': {
        const { severity } = driver.state;
        const { targets, owners } = await inTurn(() =>
          resolveLevel({ orgId, targets: move.targets, severity, at: Date.now() }),
        );
        return { type: 'level_resolved', at: Date.now(), key, dueAt: move.dueAt, targets, owners };
      }
      case 'page':
        return await page(move);
      case 'announce': {
        const { notices } = await announce({ orgId, incidentId, ...move.announcement });
        return { type: 'announced', at: Date.now(), key, notices };
      }
      case 'notice':
        await send(move.notice);
        return { type: 'notice_sent', at: Date.now(), key };
      case 'start_execution': {
        const executionId = move.executionId ?? uuid4();
        const { runbook, alertId } = move;
        driver.apply({ type: 'execution_named', at: Date.now(), runbook, executionId });
        await inTurn(() => createIncidentExecution({ orgId, incidentId, executionId, runbook, alertId }));
        await startExecution(executionId);
        return { type: 'execution_started', at: Date.now(), key, runbook, executionId };
      }
      case 'withdraw':
        await getExternalWorkflowHandle(executionWorkflowId(orgId, move.executionId)).signal(
          incidentResolved,
        );
        return { type: 'notice_sent', at: Date.now(), key };
      case 'record': {
        const { state } = driver;
        const {
          seq,
          outbox: entries,
          status,
          acknowledged,
          assignedTo,
          snoozedUntil,
          escalationFrom,
          resolved,
          clocks,
          cause,
          openings,
        } = state;
        const escalationPolicy = state.plan?.escalation.name ?? null;
        const standing = {
          openings,
          silencedUntil: state.silence?.until ?? null,
          status,
          acknowledged,
          assignedTo,
          snoozedUntil,
          escalationFrom,
          resolved,
          clocks,
          cause,
          escalationPolicy,
        };
        await inTurn(() =>
          recordIncident({ orgId, incidentId, seq, deadlines: move.deadlines, standing, entries }),
        );
        return { type: 'recorded', at: Date.now(), key, seq, deadlines: JSON.stringify(move.deadlines) };
      }
      case 'close': {
        const closed = await inTurn(() => closeIncident({ orgId, incidentId, afterSeq: move.afterSeq }));
        return { type: closed ? 'closed' : 'not_drained', at: Date.now(), key };
      }
    }
  }

  async function page(move: Extract<IncidentMove, { kind: 'page' }>): Promise<IncidentEvent> {
    const { key, target, detail, cause, dueAt, last } = move;
    const outcome = await pages.run(() =>
      send({ key, type: 'escalation.page', target, detail, cause, dueAt }, last),
    );
    if (outcome.status === 'called off' || (outcome.status === 'skipped' && outcome.held)) {
      return calledOff(driver.state, { at: Date.now(), key, held: outcome.held ?? false });
    }
    const skipped = outcome.status === 'skipped' ? outcome.reason : null;
    return { type: 'page_sent', at: Date.now(), key, destination: outcome.destination, skipped };
  }

  /** The worse the severity, the sooner it is sent where many wait. */
  async function send(
    { key, ...message }: Pick<NotifyInput, 'key' | 'type' | 'target' | 'detail' | 'cause' | 'dueAt'>,
    last = true,
  ) {
    const { severity, plan } = driver.state;
    const { notify } = proxyActivities<NotifyActivities>({
      ...sending,
      ...(last ? {} : { scheduleToCloseTimeout: otherwiseAfter }),
      priority: { priorityKey: 1 + severities.indexOf(severity) },
    });
    const pattern = plan?.pattern === undefined ? {} : { pattern: plan.pattern };
    return await notify({ orgId, incidentId, key: effectKey(key), ...message, severity, ...pattern });
  }

  /** For the lists of the Temporal UI, which filter by them; nothing is decided by them. */
  function labelRun({ service, severity }: FeedDigest): void {
    const label = `${severity} ${service ?? ''}`;
    if (label === labelled) return;
    labelled = label;
    upsertSearchAttributes([
      { key: severityAttribute, value: severity },
      { key: serviceAttribute, value: service },
    ]);
  }

  /** Started by an earlier run is started. */
  async function startExecution(executionId: string): Promise<void> {
    try {
      await startChild(execution, {
        workflowId: executionWorkflowId(orgId, executionId),
        args: [{ orgId, executionId }],
        parentClosePolicy: ParentClosePolicy.ABANDON,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  function effectKey(key: string): string {
    return `incident:${incidentId}:${key}`;
  }

  handleMessages(driver);
  if ((await driver.run()) === 'renew') await continueAsNew<typeof incident>(input, carryOver(driver.state));
}
