import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { Registry } from 'prom-client';
import { createSignIn, type SignIn } from '../../api/auth/sign-in.ts';
import { type ApiDeps, createApi } from '../../api/server.ts';
import { createTopologyParser } from '../../api/topology/parse.ts';
import type { Tx } from '../../db/database.ts';
import { createApiToken, createUser, setMembership } from '../../db/identity.ts';
import { ensureOrganization } from '../../db/organizations.ts';
import type { Role } from '../../domain/roles.ts';
import { TemporalUnavailableError } from '../../workflows/messages-client.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { createFakeGitSchedules, type FakeGitSchedules } from './git-schedules.ts';
import { createTestLogDesk } from './log-desk.ts';
import { createFakeMessages, type FakeMessages } from './messages.ts';
import { createTestChat } from './slack-app.ts';

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever came
  body: any;
}

export interface Ask {
  token?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** The whole API on a loopback port, over a real database and a strict stand-in for Temporal. */
export interface TestApi {
  url: string;
  fixture: TestDatabase;
  orgId: string;
  ownerUserId: string;
  integrationId: string;
  ingestKey: string;
  /** An API token of somebody with this role in the whole organization. */
  tokens: Record<Role, string>;
  messages: FakeMessages;
  gitSchedules: FakeGitSchedules;
  /** Organizations whose calendars were to be read at once, in order. */
  calendarsRead: string[];
  /** Organizations whose objectives are to be measured from now on. */
  measuringBegun: string[];
  /** Of what measures objectives. */
  temporalIsAway: { now: boolean };
  signIn: SignIn;
  /** How often the dispatcher was woken. */
  woken: { count: number };
  errors: object[];
  /** A body that is no string goes as JSON. */
  ask(method: string, path: string, request?: Ask): Promise<Answer>;
  /** A person with one role, in a team or in the organization. */
  addPerson(email: string, role: Role, teamId?: string | null): Promise<{ userId: string; token: string }>;
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export const ownerToken = 'hft_owner-token-of-the-tests';

export async function createTestApi(overrides: Partial<ApiDeps> = {}): Promise<TestApi> {
  const fixture = await createTestDatabase();
  const made = await ensureOrganization(fixture.db, {
    slug: 'tested',
    name: 'Tested',
    ownerEmail: 'owner@example.com',
    ownerToken,
  });
  const { orgId } = made;
  const messages = createFakeMessages();
  const gitSchedules = createFakeGitSchedules();
  const calendarsRead: string[] = [];
  const measuringBegun: string[] = [];
  const temporalIsAway = { now: false };
  const signIn = createSignIn({ db: fixture.db });
  const woken = { count: 0 };
  const errors: object[] = [];
  const app = express();
  app.use(
    createApi({
      db: fixture.db,
      messages,
      gitSchedules,
      calendarReadings: {
        async readNow(orgId) {
          calendarsRead.push(orgId);
        },
      },
      sloMeasuring: {
        async begin(orgId) {
          measuringBegun.push(orgId);
          if (temporalIsAway.now) throw new TemporalUnavailableError('Temporal does not answer');
        },
        end: async () => {},
      },
      logDesk: createTestLogDesk(fixture.db, { secrets: { 'env:LOGS_KEY': 'key-of-the-logs' } }),
      chat: createTestChat(),
      signIn,
      parseTopology: createTopologyParser(),
      publicUrl: 'http://holdfast.example',
      version: '0.0.0',
      timeZone: 'UTC',
      workflowUrl: (workflowId) => `http://temporal.example/${workflowId}`,
      readOrigin: async () => null,
      onAlertsAccepted: () => {
        woken.count++;
      },
      dependencies: [],
      metrics: new Registry(),
      log: { error: (detail) => errors.push(detail) },
      ...overrides,
    }),
  );
  const server = await new Promise<Server>((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function addPerson(email: string, role: Role, teamId: string | null = null) {
    return await fixture.db.write({ orgId }, async (tx) => {
      const userId = await createUser(tx, { orgId, email, name: email, actor: 'test' });
      await setMembership(tx, { orgId, userId, teamId, role, actor: 'test' });
      const { token } = await createApiToken(tx, { orgId, userId, name: 'test', actor: 'test' });
      return { userId, token };
    });
  }

  return {
    url,
    fixture,
    orgId,
    ownerUserId: made.ownerUserId,
    integrationId: made.integrationId,
    ingestKey: made.ingestKey!,
    tokens: {
      owner: ownerToken,
      admin: (await addPerson('admin@example.com', 'admin')).token,
      operator: (await addPerson('operator@example.com', 'operator')).token,
      viewer: (await addPerson('viewer@example.com', 'viewer')).token,
    },
    messages,
    gitSchedules,
    calendarsRead,
    measuringBegun,
    temporalIsAway,
    signIn,
    woken,
    errors,
    addPerson,
    write: (work) => fixture.db.write({ orgId }, work),
    async ask(method, path, { token, body, headers = {} } = {}) {
      const isText = typeof body === 'string' || body === undefined;
      const response = await fetch(url + path, {
        method,
        headers: {
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
          ...(isText ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: isText ? (body as string) : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('json');
      return {
        status: response.status,
        headers: response.headers,
        body: isJson ? JSON.parse(text) : text,
      };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await fixture.close();
    },
  };
}
