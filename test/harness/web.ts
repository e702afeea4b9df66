import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { createSignIn } from '../../api/auth/sign-in.ts';
import { createTopologyParser } from '../../api/topology/parse.ts';
import type { Database } from '../../db/database.ts';
import type { WebDeps } from '../../web/deps.ts';
import { createWeb } from '../../web/server.ts';
import { createFakeGitSchedules } from './git-schedules.ts';
import { createTestLogDesk } from './log-desk.ts';
import { createFakeMessages } from './messages.ts';

/** All pages on a loopback port, over a real database and strict stand-ins for Temporal. */
export interface TestWeb {
  /** 'http://127.0.0.1:<port>' */
  base: string;
  close(): Promise<void>;
}

export async function serveWeb(
  db: Database,
  deps: Pick<WebDeps, 'logError'> & Partial<WebDeps>,
): Promise<TestWeb> {
  const app = express();
  const server = await new Promise<Server>((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  app.use(
    createWeb({
      db,
      messages: createFakeMessages(),
      gitSchedules: createFakeGitSchedules(),
      calendarReadings: { readNow: async () => {} },
      sloMeasuring: { begin: async () => {}, end: async () => {} },
      logDesk: createTestLogDesk(db),
      signIn: createSignIn({ db }),
      parseTopology: createTopologyParser(),
      publicUrl: base,
      temporalUiUrl: null,
      workflowUrl: () => null,
      readOrigin: async () => null,
      version: '0.0.0',
      timeZone: 'UTC',
      readiness: async () => [],
      sendTestIncident: async () => {},
      runbooksFolder: 'runbooks',
      ...deps,
    }),
  );
  return {
    base,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
