import type { SignIn } from '../api/auth/sign-in.ts';
import type { Database } from '../db/database.ts';
import type { LogLine } from '../domain/logs/log-line.ts';
import type { LogTemplate } from '../domain/logs/log-template.ts';
import type { TestIncidentKind } from '../domain/test-incident.ts';
import type { ParsedTopology } from '../domain/topology/topology-yaml.ts';
import type { CalendarReadings } from '../workflows/messages-calendars.ts';
import type { MessageClient } from '../workflows/messages-client.ts';
import type { GitSchedules } from '../workflows/messages-git.ts';
import type { OriginReader } from '../workflows/messages-origin.ts';
import type { SloMeasuring } from '../workflows/messages-slos.ts';

/** What the pages are given; all clients were made in main/. */
export interface WebDeps {
  db: Database;
  messages: MessageClient;
  gitSchedules: GitSchedules;
  calendarReadings: CalendarReadings;
  sloMeasuring: SloMeasuring;
  logDesk: LogDesk;
  signIn: SignIn;
  /** Reads what is declared as YAML without holding others up. Throws HttpError (503, 422) where that is too much. */
  parseTopology(orgId: string, source: string): Promise<ParsedTopology>;
  /** Present when the embedded mailbox runs. */
  mailbox?: Mailbox;
  /** As 'https://holdfast.example.com', without a slash at the end; with https, cookies travel over https only. */
  publicUrl: string;
  /** The Temporal UI's own page, null where there is none. */
  temporalUiUrl: string | null;
  /** A workflow's page in the Temporal UI, null where there is none. */
  workflowUrl(workflowId: string): string | null;
  /** Where a workflow's own history says that a message was to be sent. */
  readOrigin: OriginReader;
  version: string;
  /** IANA name; for organizations that have set none under Settings, Reports. */
  timeZone: string;
  /** Each dependency by name, as /readyz says it. */
  readiness(): Promise<DependencyState[]>;
  /** Sends a test incident through the same intake as a real alert. */
  sendTestIncident(orgId: string, kind: TestIncidentKind | 'random'): Promise<unknown>;
  /** An error that the page could not explain; its reader was given `reference`. */
  logError(error: unknown, reference: string): void;
  /** Where runbook files are read from, for the page that says how to add one. */
  runbooksFolder: string;
}

/** Asks log systems, while somebody sets them up. */
export interface LogDesk {
  /** Writes down how the source is; undefined where there is none of this name. */
  probe(orgId: string, name: string): Promise<{ health: string } | { error: string } | undefined>;
  /** Undefined where the incident has no alerts. */
  preview(orgId: string, template: LogTemplate, incidentId: string): Promise<TemplatePreview | undefined>;
}

export interface TemplatePreview {
  source: string | null;
  /** As the source was asked. */
  statement: string | null;
  /** Why there is less to show than there could be. */
  problem: string | null;
  total: number;
  lines: LogLine[];
}

export interface DependencyState {
  name: string;
  state: 'up' | 'down';
  /** That the answer took. */
  milliseconds: number;
  error?: string;
}

/** The embedded mailbox as the pages read it. */
export interface Mailbox {
  /** Newest first. */
  list(limit: number): Promise<MailSummary[]>;
  get(id: string): Promise<Mail | undefined>;
}

export interface MailSummary {
  id: string;
  from: string;
  to: string[];
  subject: string;
  /** ISO 8601. */
  receivedAt: string;
}

export interface Mail extends MailSummary {
  text: string;
  html: string | null;
}
