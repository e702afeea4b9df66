import { answerChatMessage, beginChatMessage } from '../../db/chat-history.ts';
import { createLinkCode, linkIdentity } from '../../db/user-identities.ts';
import type { TestDatabase } from './database.ts';

const longName = 'Ana-María-José-of-the-Operations-Bridge-Night-Shift-Europe-and-Everything-Else';

/** A bad night's chat, with long names and everything that can be; returns a code that connects an account. */
export async function seedBadChat({ db, owner, orgId }: TestDatabase): Promise<string> {
  const { rows } = await owner.query(`select id from users order by created_at limit 1`);
  const userId = rows[0].id;
  await owner.query(
    `insert into notification_channels (org_id, name, definition) values ($1, 'war-room', $2), ($1, $3, $4)`,
    [
      orgId,
      JSON.stringify({ type: 'slack', channel: 'C0ALERTS' }),
      `war-room-of-${longName}`,
      JSON.stringify({ type: 'teams', webhookUrl: 'https://teams.example.com/hook' }),
    ],
  );
  return await db.write({ orgId }, async (tx) => {
    const person = { provider: 'slack', externalId: 'U0ANA', name: longName } as const;
    await linkIdentity(tx, { ...person, orgId, userId, actor: 'ana@example.com', how: 'code' });
    const asked = [
      ['incidents critical mine team payments', '3 open incidents (critical, mine, team payments)'],
      [`ack 200 ${'مرحبا 👋 '.repeat(30)}`, 'Incident #200 is yours: the escalation has stopped.'],
      [`run ${'restart-connection-pool-'.repeat(8)} on 200 why=…`, `Not done: ${'x'.repeat(300)}`],
    ];
    for (let index = 0; index < 60; index++) {
      const [command = '', answer = ''] = asked[index % asked.length] ?? [];
      const id = await beginChatMessage(tx, {
        orgId,
        provider: 'slack',
        delivery: String(index),
        conversation: `alerts-${longName}`.toLowerCase(),
        person: longName,
        command,
      });
      const user = index % 2 === 0 ? { userId, email: 'ana@example.com' } : null;
      if (id !== undefined && index > 0) await answerChatMessage(tx, { id, answer, user });
    }
    return await createLinkCode(tx, orgId, person);
  });
}
