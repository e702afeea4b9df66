import type { Mail } from '../../web/deps.ts';
import { seedBadAutomation } from './bad-automation.ts';
import { seedBadChat } from './bad-chat.ts';
import { type BadNight, seedBadNight } from './bad-night.ts';
import { seedBadNotifications } from './bad-notifications.ts';
import { seedBadOnCall } from './bad-on-call.ts';
import { seedBadTopology } from './bad-topology.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { createFakeMessages } from './messages.ts';
import { serveWeb, type TestWeb } from './web.ts';

/** All pages over a night on which everything has an awkward name, with what is needed to find one's way. */
export interface BadPages {
  database: TestDatabase;
  night: BadNight;
  web: TestWeb;
  messages: ReturnType<typeof createFakeMessages>;
  /** What went wrong on the server. */
  problems: unknown[];
  maintenanceWindow: string;
  messageIds: { page: number; failed: number };
  linkCode: string;
  mail: Mail;
  close(): Promise<void>;
}

export async function serveBadPages(): Promise<BadPages> {
  const database = await createTestDatabase();
  const now = Date.now();
  const night = await seedBadNight(database.owner, database.orgId, now);
  const { window: maintenanceWindow } = await seedBadAutomation(database);
  await seedBadTopology(database.owner, database.orgId, night.worstIncident);
  const messageIds = await seedBadNotifications(database);
  await seedBadOnCall(database, now);
  const linkCode = await seedBadChat(database);
  const messages = createFakeMessages();
  const problems: unknown[] = [];
  const web = await serveWeb(database.db, {
    messages,
    mailbox: {
      list: async () => [mail],
      get: async (id) => (id === mail.id ? mail : undefined),
    },
    temporalUiUrl: 'http://127.0.0.1:8233',
    workflowUrl: (id) => `http://127.0.0.1:8233/namespaces/default/workflows/${encodeURIComponent(id)}`,
    readiness: async () => [
      { name: 'database', state: 'up', milliseconds: 2 },
      {
        name: 'elasticsearch',
        state: 'down',
        milliseconds: 1002,
        error: 'connect ECONNREFUSED 127.0.0.1:9200',
      },
    ],
    logError: (error) => problems.push(error),
  });
  return {
    database,
    night,
    web,
    messages,
    problems,
    maintenanceWindow,
    messageIds,
    linkCode,
    mail,
    async close() {
      await web.close();
      await database.close();
    },
  };
}

const mail: Mail = {
  id: '1763700000000-aaaaaaaaaaaa',
  from: 'Holdfast <holdfast@example.com>',
  to: ['somebody.with.a.very.long.mail.address@operations.subsidiary.example.com', 'ana@example.com'],
  subject: `[critical] #200 checkout: ${'db-primary-refuses-connections-'.repeat(5)}`,
  receivedAt: new Date().toISOString(),
  text: `Checkout has been failing.\n${'https://holdfast.example.com/l/'.padEnd(600, 'x')}\n`,
  html: '<html><head><script>parent.document.title="taken over"</script></head><body><a href="https://example.com">Acknowledge</a></body></html>',
};
