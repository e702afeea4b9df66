import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { BreachReason } from '../domain/breach-reasons.ts';
import type { ChangeSourceKind, ChangeStatus, ChangeType, ChangeVerdict } from '../domain/changes/change.ts';
import type { ContactRules } from '../domain/contact-rules.ts';
import type { IncidentMetric, SimilarIncident } from '../domain/incident/analysis.ts';
import type {
  AlertStatus,
  ApprovalStatus,
  Deadline,
  ExecutionStatus,
  IncidentStatus,
  SlaState,
  StepStatus,
  UndoStatus,
} from '../domain/incident-status.ts';
import type { ServiceLogs } from '../domain/logs/by-service.ts';
import type { NotificationCause, NotificationStatus } from '../domain/notification.ts';
import type { ToldTogether } from '../domain/notification-limits.ts';
import type { Cause } from '../domain/root-cause/cause.ts';
import type { RunbookProblem } from '../domain/runbook/definition.ts';
import type { RunbookLayout, StepPart } from '../domain/runbook/layout.ts';
import type { Severity } from '../domain/severity.ts';
import type { SlaCalendar } from '../domain/sla/calendar.ts';
import type { ServiceKind } from '../domain/topology/service.ts';
import type { WeeklyWindow } from '../domain/weekly-window.ts';

/** Row types of the tables in `migrations/`; what each column means stands there. */
type Timestamp = ColumnType<Date, Date | string, Date | string>;
type CreatedAt = ColumnType<Date, Date | string | undefined, Date | string>;
/** jsonb: written as text (JSON.stringify), read as the value. */
type Json<T extends object | null> = JSONColumnType<T, string, string>;
type GeneratedJson<T extends object | null> = ColumnType<T, string | undefined, string>;

import type { Role } from '../domain/roles.ts';

export interface OrganizationsTable {
  org_id: Generated<string>;
  slug: string;
  name: string;
  created_at: CreatedAt;
  next_incident_number: Generated<number>;
}

export interface TeamsTable {
  org_id: string;
  id: Generated<string>;
  slug: string;
  name: string;
  match: GeneratedJson<Record<string, string>>;
  created_at: CreatedAt;
}

export interface UsersTable {
  org_id: string;
  id: Generated<string>;
  email: string;
  name: string;
  password_hash: string | null;
  created_at: CreatedAt;
  disabled_at: Timestamp | null;
  time_zone: string | null;
  contact_rules: GeneratedJson<ContactRules>;
}

export interface MembershipsTable {
  org_id: string;
  id: Generated<string>;
  user_id: string;
  team_id: string | null;
  role: Role;
}

export interface SessionsTable {
  org_id: string;
  id: Generated<string>;
  user_id: string;
  token_hash: Buffer;
  csrf_token: string;
  user_agent: Generated<string>;
  created_at: CreatedAt;
  last_seen_at: CreatedAt;
  expires_at: Timestamp;
}

export interface ApiTokensTable {
  org_id: string;
  id: Generated<string>;
  user_id: string;
  name: string;
  token_hash: Buffer;
  created_at: CreatedAt;
  last_used_at: Timestamp | null;
  revoked_at: Timestamp | null;
}

export interface SignInLinksTable {
  org_id: string;
  id: Generated<string>;
  user_id: string;
  token_hash: Buffer;
  created_at: CreatedAt;
  expires_at: Timestamp;
  used_at: Timestamp | null;
}

export interface SigningKeysTable {
  org_id: string;
  id: Generated<string>;
  secret: Buffer;
  created_at: CreatedAt;
  retired_at: Timestamp | null;
}

export interface UsedLinksTable {
  org_id: string;
  nonce: string;
  used_at: CreatedAt;
}

export interface IntegrationsTable {
  org_id: string;
  id: Generated<string>;
  team_id: string | null;
  kind: 'alertmanager' | 'slo';
  name: string;
  key_hash: Buffer;
  resend_interval_ms: Generated<number>;
  alertmanager_url: string | null;
  created_at: CreatedAt;
  last_seen_at: Timestamp | null;
  revoked_at: Timestamp | null;
  resolves_ignored: Generated<number>;
}

export interface SettingsTable {
  org_id: string;
  key: string;
  value: Json<Record<string, unknown>>;
  updated_at: CreatedAt;
}

export interface IncidentsTable {
  org_id: string;
  id: Generated<string>;
  team_id: string | null;
  number: number;
  title: string;
  status: Generated<IncidentStatus>;
  severity: Severity;
  severity_rank: number;
  service: string | null;
  labels: GeneratedJson<Record<string, string>>;
  opened_at: CreatedAt;
  last_alert_at: CreatedAt;
  acknowledged_at: Timestamp | null;
  acknowledged_by: string | null;
  assigned_to: string | null;
  snoozed_until: Timestamp | null;
  escalation_from: Timestamp | null;
  resolved_at: Timestamp | null;
  resolved_by: string | null;
  closed_at: Timestamp | null;
  alert_count: Generated<number>;
  firing_count: Generated<number>;
  truncated_count: Generated<number>;
  feed_seq: Generated<number>;
  feed_unread: Generated<boolean>;
  feed_read_at: Timestamp | null;
  feed_owed_by: number | null;
  feed_owed_since: Timestamp | null;
  recorded_seq: Generated<number>;
  escalation_policy: string | null;
  deadlines: GeneratedJson<Deadline[]>;
  feed_forgotten: Generated<boolean>;
  merge_wanted: string | null;
  merge_reason: string | null;
  merged_into: number | null;
  cause_service: string | null;
  cause_confidence: number | null;
  cause_by: string | null;
  opening: Generated<number>;
  first_acknowledged_at: Timestamp | null;
  silenced_until: Timestamp | null;
}

export interface IncidentKeysTable {
  org_id: string;
  key: string;
  incident_id: string;
  first_at: CreatedAt;
  last_at: CreatedAt;
}

export interface IncidentWordsTable {
  org_id: string;
  word: string;
  number: number;
}

export interface AlertsTable {
  org_id: string;
  id: Generated<number>;
  team_id: string | null;
  integration_id: string;
  fingerprint: string;
  status: AlertStatus;
  name: string;
  severity: Severity;
  severity_rank: number;
  service: string | null;
  labels: Json<Record<string, string>>;
  annotations: Json<Record<string, string>>;
  generator_url: string | null;
  starts_at: Timestamp;
  ends_at: Timestamp | null;
  received_at: CreatedAt;
  last_seen_at: CreatedAt;
  resolved_at: Timestamp | null;
  occurrences: Generated<number>;
  truncated: Generated<number>;
  version: Generated<number>;
  dispatched_version: Generated<number>;
  claimed_until: Timestamp | null;
  incident_id: string | null;
  correlation_reason: string | null;
  flapping: Generated<boolean>;
  dispatched_at: Timestamp | null;
  seen_version: Generated<number>;
}

export interface IncidentFeedTable {
  org_id: string;
  incident_id: string;
  seq: number;
  kind: 'joined' | 'resolved' | 'stale' | 'firing' | 'updated' | 'left';
  alert_id: number;
  alert_version: number;
  at: CreatedAt;
}

export interface TimelineTable {
  org_id: string;
  id: Generated<number>;
  incident_id: string;
  at: CreatedAt;
  kind: string;
  actor: string;
  summary: string;
  data: GeneratedJson<Record<string, unknown>>;
  dedup_key: string;
}

export interface IncidentLogsTable {
  org_id: string;
  incident_id: string;
  source: string;
  query: Json<Record<string, unknown>>;
  link: string | null;
  total: number;
  patterns: Json<Record<string, unknown>>;
  stack_traces: Json<Record<string, unknown>>;
  lines: Json<Record<string, unknown>>;
  services: ColumnType<ServiceLogs[], string | undefined, string>;
  error: string | null;
  retry_at: Date | null;
  fetched_at: CreatedAt;
}

export interface SlaClocksTable {
  org_id: string;
  incident_id: string;
  kind: 'acknowledge' | 'resolve';
  policy: string;
  started_at: Timestamp;
  at_risk_at: Timestamp;
  due_at: Timestamp;
  state: SlaState;
  ended_at: Timestamp | null;
  pauses: GeneratedJson<[number, number][]>;
  calendar: GeneratedJson<SlaCalendar | Record<string, never> | null>;
  breach_reason: BreachReason | null;
  breach_note: string | null;
  breach_explained_by: string | null;
  breach_explained_at: Timestamp | null;
}

export interface RunbooksTable {
  org_id: string;
  name: string;
  team_id: string | null;
  version: number;
  file: string;
  source: string;
  definition: Json<Record<string, unknown>>;
  loaded_at: CreatedAt;
  removed_at: Timestamp | null;
  environment: Generated<string>;
  source_id: string | null;
  latest_version: number;
  pinned_at: Timestamp | null;
  pinned_by: string | null;
}

export interface RunbookVersionsTable {
  org_id: string;
  name: string;
  version: number;
  source: string;
  definition: Json<Record<string, unknown>>;
  loaded_at: CreatedAt;
  commit: string | null;
  author: string | null;
  committed_at: Timestamp | null;
}

export interface RunbookProblemsTable {
  org_id: string;
  file: string;
  line: number;
  col: number;
  message: string;
  found_at: CreatedAt;
}

export interface ExecutionsTable {
  org_id: string;
  id: Generated<string>;
  team_id: string | null;
  runbook: string;
  runbook_version: number;
  incident_id: string | null;
  alert_id: number | null;
  requested_by: string;
  mode: 'manual' | 'semi_auto' | 'auto';
  target: string;
  inputs: Json<Record<string, string>>;
  status: ExecutionStatus;
  status_reason: string | null;
  created_at: CreatedAt;
  started_at: Timestamp | null;
  finished_at: Timestamp | null;
  workflow_id: string;
  recorded_seq: Generated<number>;
  layout: Json<RunbookLayout>;
  environment: string | null;
  retry_of: string | null;
  retry_from: number | null;
  admitted_at: Timestamp | null;
  next_at: Timestamp | null;
  next_what: string | null;
}

export interface ExecutionStepsTable {
  org_id: string;
  execution_id: string;
  index: number;
  name: string;
  type: string;
  description: string;
  status: StepStatus;
  attempts: Generated<number>;
  started_at: Timestamp | null;
  finished_at: Timestamp | null;
  output: Generated<string>;
  error: string | null;
  rollback_description: string | null;
  rollback_status: UndoStatus | null;
  rollback_attempts: Generated<number>;
  rollback_started_at: Timestamp | null;
  rollback_finished_at: Timestamp | null;
  rollback_output: Generated<string>;
  rollback_error: string | null;
  part: Generated<StepPart>;
  runner: string | null;
  outcome_unknown: Generated<boolean>;
  rollback_decision: 'retry' | 'skip' | null;
  rollback_decided_by: string | null;
  rollback_decision_reason: string | null;
}

export interface TargetLocksTable {
  org_id: string;
  target: string;
  execution_id: string;
  acquired_at: CreatedAt;
}

export interface ApprovalsTable {
  org_id: string;
  id: Generated<string>;
  team_id: string | null;
  execution_id: string;
  incident_id: string | null;
  runbook: string;
  requested_by: string;
  requested_at: Timestamp;
  expires_at: Timestamp;
  required: Generated<number>;
  status: ApprovalStatus;
  decided_at: Timestamp | null;
  reason: string | null;
  workflow_id: string;
  step_index: number | null;
  message: Generated<string>;
  role: Generated<Role>;
  teams: Generated<string[]>;
  not_requester: Generated<boolean>;
  on_timeout: Generated<'expire' | 'escalate'>;
  level: Generated<number>;
}

export interface ApprovalVotesTable {
  org_id: string;
  approval_id: string;
  person: string;
  decision: 'approve' | 'reject';
  via: string;
  reason: string | null;
  at: Timestamp;
}

export interface EscalationPoliciesTable {
  org_id: string;
  name: string;
  team_id: string | null;
  definition: Json<Record<string, unknown>>;
  updated_at: CreatedAt;
}

export interface SlaPoliciesTable {
  org_id: string;
  name: string;
  team_id: string | null;
  position: number;
  definition: Json<Record<string, unknown>>;
  updated_at: CreatedAt;
}

export interface NotificationChannelsTable {
  org_id: string;
  name: string;
  team_id: string | null;
  definition: Json<Record<string, unknown>>;
  updated_at: CreatedAt;
  id: Generated<string>;
  checked_at: Date | null;
  health: string | null;
  error: string | null;
}

export interface SideEffectsTable {
  org_id: string;
  key: string;
  kind: string;
  status: 'started' | 'succeeded' | 'failed';
  attempts: Generated<number>;
  started_at: CreatedAt;
  finished_at: Timestamp | null;
  detail: GeneratedJson<Record<string, unknown>>;
}

export interface NotificationsTable {
  org_id: string;
  id: Generated<number>;
  key: string;
  type: string;
  incident_id: string | null;
  execution_id: string | null;
  channel: string;
  destination: string;
  subject: string;
  status: NotificationStatus;
  attempts: Generated<number>;
  error: string | null;
  created_at: CreatedAt;
  finished_at: Timestamp | null;
  cause: GeneratedJson<NotificationCause | Record<string, never>>;
  person: string | null;
  latency_ms: number | null;
  consolidated_into: number | null;
  part_of: number | null;
  consolidation: GeneratedJson<(ToldTogether & { pattern: string; ends: string }) | null>;
}

export interface LogsTable {
  org_id: string;
  id: Generated<number>;
  at: Timestamp;
  service: string;
  host: string | null;
  level: string;
  message: string;
  labels: GeneratedJson<Record<string, string>>;
}

export interface AuditLogTable {
  org_id: string;
  id: Generated<number>;
  at: CreatedAt;
  actor: string;
  action: string;
  subject: string;
  data: GeneratedJson<Record<string, unknown>>;
}

export interface ReportsTable {
  org_id: string;
  id: Generated<string>;
  key: Generated<string>;
  kind: 'sla' | 'capacity';
  period_start: Timestamp;
  period_end: Timestamp;
  subject: string;
  html: string;
  text: string;
  data: Json<Record<string, unknown>>;
  recipients: string[];
  requested_by: string;
  created_at: CreatedAt;
  sent_at: Timestamp | null;
  team_id: string | null;
  span: Generated<'week' | 'month'>;
}

export interface TargetQueueTable {
  org_id: string;
  target: string;
  execution_id: string;
  queued_at: CreatedAt;
}

export interface SafetyRulesTable {
  org_id: string;
  scope: 'organization' | 'team' | 'runbook' | 'target';
  name: string;
  definition: Json<Record<string, unknown>>;
  updated_at: CreatedAt;
  updated_by: string;
}

export interface AutomationStopsTable {
  org_id: string;
  id: Generated<string>;
  team_id: string | null;
  stopped_at: CreatedAt;
  stopped_by: string;
  reason: string;
  lifted_at: Timestamp | null;
  lifted_by: string | null;
  goes_on: Generated<string[]>;
}

export interface CircuitResetsTable {
  org_id: string;
  runbook: string;
  target: string;
  reset_at: CreatedAt;
  reset_by: string;
  reason: string;
}

export interface MaintenanceWindowsTable {
  org_id: string;
  id: Generated<string>;
  team_id: string | null;
  target: string;
  starts_at: Timestamp;
  ends_at: Timestamp;
  weekly: ColumnType<WeeklyWindow | null, string | null | undefined, string | null>;
  reason: string;
  created_at: CreatedAt;
  created_by: string;
}

export interface RunnersTable {
  org_id: string;
  queue: string;
  instance: string;
  version: string;
  started_at: Timestamp;
  last_seen_at: CreatedAt;
}

export interface RunnerTokensTable {
  org_id: string;
  id: Generated<string>;
  queue: string;
  name: string;
  token_hash: Buffer;
  created_at: CreatedAt;
  created_by: string;
  last_used_at: Timestamp | null;
  revoked_at: Timestamp | null;
}

export interface GitSourcesTable {
  org_id: string;
  id: Generated<string>;
  team_id: string | null;
  environment: Generated<string>;
  url: string;
  branch: string;
  path: Generated<string>;
  credential: string | null;
  webhook_secret: string;
  interval_ms: number;
  imported_commit: string | null;
  imported_at: Timestamp | null;
  checked_commit: string | null;
  checked_at: Timestamp | null;
  error: string | null;
  created_at: CreatedAt;
  created_by: string;
  removed_at: Timestamp | null;
}

export interface GitImportsTable {
  org_id: string;
  id: Generated<string>;
  source_id: string;
  commit: string;
  author: string;
  author_email: string;
  committed_at: Timestamp;
  subject: string;
  status: 'imported' | 'refused';
  problems: GeneratedJson<RunbookProblem[]>;
  changes: GeneratedJson<Record<string, unknown>>;
  at: CreatedAt;
}

export interface CorrelationRulesTable {
  org_id: string;
  id: Generated<string>;
  team_id: string | null;
  definition: Json<Record<string, unknown>>;
  updated_at: CreatedAt;
}

export interface CorrelationMemoryTable {
  org_id: string;
  integration_id: string;
  fingerprint: string;
  group_id: string;
  apart_from: Generated<string[]>;
  name: string;
  service: string | null;
  incident_number: number;
  decided_by: string;
  decided_at: CreatedAt;
  seen_at: CreatedAt;
}

export interface RegroupingsTable {
  org_id: string;
  key: string;
  from_incident: string;
  into_incident: string;
  alert_ids: number[] | null;
  actor: string;
  reason: string | null;
  at: CreatedAt;
}

export interface ServicesTable {
  org_id: string;
  name: string;
  team_id: string | null;
  kind: Generated<ServiceKind>;
  description: Generated<string>;
  declared: Generated<boolean>;
  first_seen_at: CreatedAt;
  last_seen_at: CreatedAt;
}

export interface ServiceDependenciesTable {
  org_id: string;
  caller: string;
  callee: string;
  declared: Generated<boolean>;
  observed_in: 'traces' | 'labels' | null;
  calls: Generated<number>;
  errors: Generated<number>;
  first_seen_at: CreatedAt;
  last_seen_at: Timestamp | null;
}

export interface SpansTable {
  org_id: string;
  trace_id: string;
  span_id: string;
  parent_span_id: string | null;
  service: string;
  peer: string | null;
  peer_kind: ServiceKind | null;
  name: string;
  started_at: Timestamp;
  ended_at: Timestamp;
  failed: boolean;
  message: string | null;
  received_at: CreatedAt;
}

export interface ChangeSourcesTable {
  org_id: string;
  id: Generated<string>;
  team_id: string | null;
  kind: 'github' | 'jenkins' | 'argocd' | 'generic';
  name: string;
  secret: string;
  mapping: GeneratedJson<Record<string, unknown>>;
  created_at: CreatedAt;
  last_seen_at: Timestamp | null;
  removed_at: Timestamp | null;
}

export interface ChangesTable {
  org_id: string;
  id: Generated<number>;
  team_id: string | null;
  source: ChangeSourceKind;
  source_id: string | null;
  external_id: string;
  type: ChangeType;
  status: ChangeStatus;
  service: string | null;
  environment: string | null;
  title: string;
  version: string | null;
  previous_version: string | null;
  author: string | null;
  url: string | null;
  at: Timestamp;
  received_at: CreatedAt;
  data: GeneratedJson<Record<string, unknown>>;
}

export interface IncidentChangesTable {
  org_id: string;
  incident_id: string;
  change_id: number;
  score: number;
  reasons: Json<string[]>;
  verdict: ChangeVerdict | null;
  judged_by: string | null;
  judged_at: Timestamp | null;
}

export interface IncidentAnalysesTable {
  org_id: string;
  incident_id: string;
  causes: GeneratedJson<Cause[]>;
  similar_incidents: GeneratedJson<SimilarIncident[]>;
  metrics: GeneratedJson<IncidentMetric[]>;
  notes: GeneratedJson<string[]>;
  analysed_at: CreatedAt;
}

export interface IncidentTraitsTable {
  org_id: string;
  trait: string;
  incident_id: string;
}

export interface LogSourcesTable {
  org_id: string;
  name: string;
  team_id: string | null;
  definition: Json<Record<string, unknown>>;
  updated_at: CreatedAt;
  checked_at: Date | null;
  health: string | null;
  error: string | null;
}

export interface LogTemplatesTable {
  org_id: string;
  name: string;
  team_id: string | null;
  definition: Json<Record<string, unknown>>;
  updated_at: CreatedAt;
}

export interface IncidentSharesTable {
  org_id: string;
  id: Generated<string>;
  incident_id: string;
  token_hash: Buffer;
  created_by: string;
  created_at: CreatedAt;
  expires_at: Timestamp;
  revoked_at: Timestamp | null;
  opened: Generated<number>;
  last_opened_at: Timestamp | null;
}

export interface UserIdentitiesTable {
  org_id: string;
  user_id: string;
  provider: 'slack' | 'teams' | 'pagerduty';
  external_id: string;
  name: Generated<string>;
  linked_at: CreatedAt;
}

export interface IdentityLinkCodesTable {
  org_id: string;
  code_hash: Buffer;
  provider: UserIdentitiesTable['provider'];
  external_id: string;
  name: Generated<string>;
  expires_at: Date;
}

export interface OnCallSchedulesTable {
  org_id: string;
  name: string;
  team_id: string | null;
  definition: Json<Record<string, unknown>>;
  updated_at: CreatedAt;
}

export interface OnCallOverridesTable {
  org_id: string;
  id: Generated<string>;
  schedule: string;
  person: string;
  instead_of: string | null;
  starts_at: Timestamp;
  ends_at: Timestamp;
  reason: Generated<string>;
  created_by: string;
  created_at: CreatedAt;
}

export interface OnCallCalendarShiftsTable {
  org_id: string;
  schedule: string;
  rotation: string;
  person: string;
  starts_at: Timestamp;
  ends_at: Timestamp;
}

export interface OnCallCalendarsTable {
  org_id: string;
  schedule: string;
  rotation: string;
  url: string;
  checked_at: CreatedAt;
  read_at: Timestamp | null;
  error: string | null;
  shifts: Generated<number>;
  unmatched: Generated<string[]>;
}

export interface CalendarFeedsTable {
  org_id: string;
  id: Generated<string>;
  token_hash: Buffer;
  schedule: string | null;
  user_id: string | null;
  created_by: string;
  created_at: CreatedAt;
  revoked_at: Timestamp | null;
}

export interface NotificationRulesTable {
  org_id: string;
  name: string;
  team_id: string | null;
  position: number;
  definition: Json<Record<string, unknown>>;
  updated_at: CreatedAt;
}

export interface SilencesTable {
  org_id: string;
  id: Generated<string>;
  team_id: string | null;
  definition: Json<Record<string, unknown>>;
  starts_at: Timestamp;
  ends_at: Timestamp;
  begins_at: Timestamp | null;
  created_by: string;
  created_at: CreatedAt;
}

export interface SlaCalendarsTable {
  org_id: string;
  name: string;
  team_id: string | null;
  definition: Json<Record<string, unknown>>;
  updated_at: CreatedAt;
}

export interface SlosTable {
  org_id: string;
  name: string;
  team_id: string | null;
  definition: Json<Record<string, unknown>>;
  updated_at: CreatedAt;
}

export interface SloStatesTable {
  org_id: string;
  slo: string;
  at: Timestamp;
  state: Json<Record<string, unknown>>;
}

export interface SloPointsTable {
  org_id: string;
  slo: string;
  at: Timestamp;
  budget_left: number;
  burn_rate: number;
}

export interface NotificationLimitsTable {
  org_id: string;
  destination: string;
  pattern: string;
  hour_began: Timestamp;
  sent: Generated<number>;
  held: Generated<number>;
  consolidated: number | null;
}

export interface DestinationsTable {
  org_id: string;
  destination: string;
  free_at: CreatedAt;
  blocked_until: Timestamp | null;
  reason: string | null;
}

export interface ChannelMessagesTable {
  org_id: string;
  destination: string;
  subject: string;
  reference: Json<Record<string, unknown>>;
  updated_at: CreatedAt;
}

export interface ChatMessagesTable {
  org_id: string;
  id: Generated<number>;
  provider: string;
  delivery: string;
  conversation: string;
  user_id: string | null;
  person: string;
  command: string;
  answer: string;
  at: CreatedAt;
}

export interface Schema {
  organizations: OrganizationsTable;
  teams: TeamsTable;
  users: UsersTable;
  memberships: MembershipsTable;
  sessions: SessionsTable;
  api_tokens: ApiTokensTable;
  sign_in_links: SignInLinksTable;
  signing_keys: SigningKeysTable;
  used_links: UsedLinksTable;
  integrations: IntegrationsTable;
  settings: SettingsTable;
  incidents: IncidentsTable;
  incident_keys: IncidentKeysTable;
  incident_words: IncidentWordsTable;
  alerts: AlertsTable;
  incident_feed: IncidentFeedTable;
  timeline: TimelineTable;
  incident_logs: IncidentLogsTable;
  sla_clocks: SlaClocksTable;
  runbooks: RunbooksTable;
  runbook_versions: RunbookVersionsTable;
  runbook_problems: RunbookProblemsTable;
  executions: ExecutionsTable;
  execution_steps: ExecutionStepsTable;
  target_locks: TargetLocksTable;
  approvals: ApprovalsTable;
  approval_votes: ApprovalVotesTable;
  escalation_policies: EscalationPoliciesTable;
  sla_policies: SlaPoliciesTable;
  notification_channels: NotificationChannelsTable;
  side_effects: SideEffectsTable;
  notifications: NotificationsTable;
  logs: LogsTable;
  audit_log: AuditLogTable;
  reports: ReportsTable;
  target_queue: TargetQueueTable;
  safety_rules: SafetyRulesTable;
  automation_stops: AutomationStopsTable;
  circuit_resets: CircuitResetsTable;
  maintenance_windows: MaintenanceWindowsTable;
  runners: RunnersTable;
  runner_tokens: RunnerTokensTable;
  git_sources: GitSourcesTable;
  git_imports: GitImportsTable;
  correlation_rules: CorrelationRulesTable;
  correlation_memory: CorrelationMemoryTable;
  regroupings: RegroupingsTable;
  services: ServicesTable;
  service_dependencies: ServiceDependenciesTable;
  spans: SpansTable;
  change_sources: ChangeSourcesTable;
  changes: ChangesTable;
  incident_changes: IncidentChangesTable;
  incident_analyses: IncidentAnalysesTable;
  incident_traits: IncidentTraitsTable;
  log_sources: LogSourcesTable;
  log_templates: LogTemplatesTable;
  incident_shares: IncidentSharesTable;
  user_identities: UserIdentitiesTable;
  identity_link_codes: IdentityLinkCodesTable;
  on_call_schedules: OnCallSchedulesTable;
  on_call_overrides: OnCallOverridesTable;
  on_call_calendar_shifts: OnCallCalendarShiftsTable;
  on_call_calendars: OnCallCalendarsTable;
  calendar_feeds: CalendarFeedsTable;
  notification_rules: NotificationRulesTable;
  silences: SilencesTable;
  sla_calendars: SlaCalendarsTable;
  slos: SlosTable;
  slo_states: SloStatesTable;
  slo_points: SloPointsTable;
  notification_limits: NotificationLimitsTable;
  destinations: DestinationsTable;
  channel_messages: ChannelMessagesTable;
  chat_messages: ChatMessagesTable;
}
