import { createServer } from 'node:http';
import { z } from 'zod';
import { findPort, loopback } from '../../stack/port.ts';

/**
 * Stands in for a webhook of Workflows in Microsoft Teams: as strict as its documentation
 * (learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors, adaptivecards.io/explorer): the address is the
 * secret, 28 KB at most, an adaptive card of a version that Teams shows. It refuses at once what a workflow would take and
 * then fail to post.
 */
export interface TeamsDouble {
  webhookUrl: string;
  cards: Card[];
  /** Answers with 429 and this Retry-After (seconds) until it is undefined. */
  askForPatience: number | undefined;
  close(): Promise<void>;
}

const run = z.strictObject({
  type: z.literal('TextRun'),
  text: z.string(),
  weight: z.enum(['Default', 'Lighter', 'Bolder']).optional(),
  isSubtle: z.boolean().optional(),
  fontType: z.enum(['Default', 'Monospace']).optional(),
  color: z.enum(['Default', 'Dark', 'Light', 'Accent', 'Good', 'Warning', 'Attention']).optional(),
});
const card = z.strictObject({
  type: z.literal('AdaptiveCard'),
  $schema: z.literal('http://adaptivecards.io/schemas/adaptive-card.json'),
  version: z.enum(['1.0', '1.1', '1.2', '1.3', '1.4', '1.5']),
  msteams: z.object({ width: z.literal('Full') }).optional(),
  fallbackText: z.string().optional(),
  body: z.array(z.strictObject({ type: z.literal('RichTextBlock'), inlines: z.array(run).min(1) })),
  actions: z
    .array(z.strictObject({ type: z.literal('Action.OpenUrl'), title: z.string(), url: z.url() }))
    .max(6)
    .optional(),
});
export type Card = z.infer<typeof card>;
const message = z.strictObject({
  type: z.literal('message'),
  attachments: z
    .array(
      z.strictObject({
        contentType: z.literal('application/vnd.microsoft.card.adaptive'),
        contentUrl: z.null(),
        content: card,
      }),
    )
    .length(1),
});

const path = '/workflows/5c9/triggers/manual/paths/invoke?sig=secret-of-the-workflow';
const largestBytes = 28 * 1024;

export async function startTeamsDouble(): Promise<TeamsDouble> {
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    if (request.url !== path) return response.writeHead(401).end();
    if (request.method === 'HEAD') return response.writeHead(405).end();
    if (double.askForPatience !== undefined) {
      return response.writeHead(429, { 'retry-after': String(double.askForPatience) }).end();
    }
    if (body.length > largestBytes) return response.writeHead(413).end('RequestEntityTooLarge');
    const parsed = message.safeParse(JSON.parse(body.toString('utf8')));
    if (!parsed.success) return response.writeHead(400).end(z.prettifyError(parsed.error));
    double.cards.push(...parsed.data.attachments.map(({ content }) => content));
    return response.writeHead(202).end();
  });
  const port = await findPort();
  await new Promise<void>((resolve) => server.listen(port, loopback, resolve));
  const double: TeamsDouble = {
    webhookUrl: `http://${loopback}:${port}${path}`,
    cards: [],
    askForPatience: undefined,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return double;
}

/** All that a card says, a line for each of its blocks. */
export const saidBy = ({ body }: Card): string =>
  body.map(({ inlines }) => inlines.map(({ text }) => text).join('')).join('\n');
