import type { BreachReason } from '../breach-reasons.ts';
import type { ChangeVerdict } from '../changes/change.ts';
import type { ResolvedTarget } from '../escalation/resolve.ts';
import type { IncidentStatus } from '../incident-status.ts';
import type { RunbookMode } from '../runbook/definition.ts';
import type { Severity } from '../severity.ts';
import type { SlaClock } from '../sla/clock.ts';
import type { RestoredIncident } from './restored.ts';
import type { IncidentPlan, Notice } from './state.ts';

/** What can happen to an incident. `at` is the workflow's clock in epoch milliseconds. */
export type IncidentEvent =
  | { type: 'tick'; at: number }
  | { type: 'feed_unread'; at: number }
  | { type: 'move_started'; at: number; key: string }
  | { type: 'move_failed'; at: number; key: string; reason: string }
  | { type: 'feed_read'; at: number; key: string; digest: FeedDigest }
  | {
      type: 'evidence_gathered';
      at: number;
      key: string;
      summary: string;
      source: string;
      /** Not one line was found: there is nothing to analyse. */
      empty?: true;
    }
  | {
      type: 'analysed';
      at: number;
      key: string;
      /** Null: nothing is sure enough. */
      cause: { service: string; confidence: number; reasons: string[] } | null;
      /** Changes that are likely enough to be told of, each a sentence. */
      changes: { id: number; sentence: string }[];
      /** Nothing tells of traces, changes or metrics, so that a later look would find the same. */
      complete?: true;
    }
  | { type: 'regroup_asked'; at: number; by: string; alertIds: number[] | null; into: number | null }
  | { type: 'regrouped'; at: number; key: string; into: number }
  | { type: 'cause_judged'; at: number; by: string; service: string }
  | { type: 'change_judged'; at: number; by: string; changeId: number; verdict: ChangeVerdict }
  | {
      type: 'level_resolved';
      at: number;
      key: string;
      dueAt: number;
      targets: ResolvedTarget[];
      /** Mail addresses of those who look after the organization; asked for only where it reaches nobody. */
      owners: string[];
    }
  | { type: 'announced'; at: number; key: string; notices: Omit<Notice, 'type'>[] }
  | { type: 'page_sent'; at: number; key: string; destination: string; skipped: string | null }
  /** It was called off because nobody is to be woken for now: it is due when that is over. */
  | { type: 'page_held'; at: number; key: string }
  | { type: 'notice_sent'; at: number; key: string }
  | { type: 'execution_named'; at: number; runbook: string; executionId: string }
  | { type: 'execution_started'; at: number; key: string; runbook: string; executionId: string }
  | {
      type: 'execution_reported';
      at: number;
      executionId: string;
      runbook: string;
      status: string;
      reason: string | null;
    }
  | { type: 'recorded'; at: number; key: string; seq: number; deadlines: string }
  | { type: 'closed'; at: number; key: string }
  | { type: 'not_drained'; at: number; key: string }
  | { type: 'acknowledged'; at: number; by: string; note: string | null }
  | { type: 'resolved'; at: number; by: string; note: string | null; falsePositive: boolean }
  | { type: 'assigned'; at: number; by: string; to: string }
  /** `via`: the way it came, as an actor has it; absent in what was noted before that was kept. */
  | { type: 'noted'; at: number; by: string; text: string; via?: string }
  | { type: 'snoozed'; at: number; by: string; until: number }
  | {
      type: 'breach_explained';
      at: number;
      by: string;
      clock: SlaClock['kind'];
      reason: BreachReason;
      note: string | null;
    }
  | { type: 'reapply_asked'; at: number; by: string }
  | { type: 'status_set'; at: number; by: string; status: IncidentStatus };

/** The change feed since the last reading, already summed up by the database. */
export interface FeedDigest {
  /** The feed's newest number. */
  seq: number;
  title: string;
  service: string | null;
  severity: Severity;
  /** When the incident was opened, by the database's clock. */
  openedAt: number;
  alertCount: number;
  firingCount: number;
  /** Whether an alert joined that is firing: it opens a resolved incident again. */
  firingJoined: boolean;
  /** What the incident goes by; re-read with each digest, so that a worse severity gets its SLA. */
  plan: IncidentPlan;
  /** Runbooks that the new alerts call for. */
  matches: { runbook: string; mode: RunbookMode; alertId: number; dueAt: number }[];
  /** There is an activity that looks at all the evidence; absent in what was read before there was one. */
  analysis?: true;
  /** The open incident that correlation wants this one to be merged into. */
  mergeInto?: { number: number; reason: string };
  /** Its alerts flap: it is over when none has fired for `quietMs` milliseconds. */
  flapping?: { quietMs: number };
  /** Every alert that fires is silenced: nobody is told until then (epoch milliseconds). `names`: why, for people. */
  silence?: { until: number; names: string[] };
  /** Ids of alerts that have joined and fire, where rules wait for each of them. */
  received?: number[];
  /** With the first reading of a workflow: what an earlier one had recorded, whose history is lost. */
  restored?: RestoredIncident;
}
