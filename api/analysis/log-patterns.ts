import { z } from 'zod';
import { type Endpoint, personEndpoint } from '../endpoint.ts';
import type { MinedText } from './log-patterns-thread.ts';
import { ownThread, ownThreadErrors } from './own-thread.ts';

const linesAtMost = 100_000;
/** Characters of a line that are read: a pattern shows in its beginning. */
const lineLength = 8000;

const body = z
  .object({
    lines: z
      .array(
        z.string().transform((line) => line.slice(0, lineLength)),
        'send the lines as texts',
      )
      .max(linesAtMost, `send at most ${linesAtMost} lines at once`)
      .meta({ description: 'In the order in which they were written' }),
  })
  .meta({ id: 'LogLines' });

const response = z
  .object({
    items: z
      .array(
        z.object({
          group: z.int().meta({ description: 'Equal for lines of one pattern; counts up from 0' }),
          template: z.string().meta({ description: "With '<*>' where its lines differ" }),
        }),
      )
      .meta({
        description: 'One per line, in order; lines of one stack trace have the pattern of its exception',
      }),
  })
  .meta({ id: 'LogPatterns' });

/** Mines in a thread of its own: 100,000 lines would hold up all other requests for a second. */
export function logPatternsEndpoint(): Endpoint {
  const mine = ownThread<{ lines: string[] }, MinedText>(
    new URL('./log-patterns-thread.ts', import.meta.url),
    {
      busy: 'other lines are being mined',
      tooMuch: 'send fewer lines at once, or shorter ones',
    },
  );
  return personEndpoint({
    method: 'post',
    path: '/api/v1/analysis/log-patterns',
    tag: 'Analysis',
    summary: 'Group log lines by their pattern',
    access: 'viewer',
    body,
    bodyLimit: '32mb',
    status: 200,
    response,
    errors: ownThreadErrors,
    handle: async ({ body: { lines }, principal }) => {
      const { groups, templates } = await mine(principal.orgId, () => ({ input: { lines } }));
      const shared = templates.map((template, group) => ({ group, template }));
      return { items: Array.from(groups, (group) => shared[group] ?? { group, template: '' }) };
    },
  });
}
