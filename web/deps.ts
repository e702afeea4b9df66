import type { SignIn } from '../api/auth/sign-in.ts';
import type { Database } from '../db/database.ts';
import type { MessageClient } from '../workflows/messages-client.ts';

/** What the pages are given; all clients were made in main/. */
export interface WebDeps {
  db: Database;
  messages: MessageClient;
  signIn: SignIn;
  /** PUBLIC_URL is https: cookies travel over https only. */
  secureCookies: boolean;
  /** Present when the embedded mailbox runs. */
  mailbox?: Mailbox;
  /** As 'https://holdfast.example.com', without a slash at the end. */
  publicUrl: string;
  /** Of the Temporal UI; workflow links hang below it. */
  temporalUiUrl?: string;
  temporalNamespace: string;
  version: string;
  /** Each dependency by name, as /readyz says it. */
  readiness(): Promise<DependencyState[]>;
  /** Sends a test incident through the same webhook as a real alert. */
  sendTestIncident?(kind: TestIncidentKind): Promise<void>;
  /** An error that the page could not explain; its reader was given `reference`. */
  logError(error: unknown, reference: string): void;
  /** Where runbook files are read from, for the page that says how to add one. */
  runbooksFolder: string;
}

export interface DependencyState {
  name: string;
  ok: boolean;
  /** What is wrong, or what it is: 'PostgreSQL 18.4'. */
  detail?: string;
  /** Milliseconds that the answer took. */
  tookMs?: number;
}

export const testIncidentKinds = ['database', 'cpu', 'latency', 'random'] as const;
export type TestIncidentKind = (typeof testIncidentKinds)[number];

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
