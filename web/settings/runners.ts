import { type Request, type Response, Router } from 'express';
import {
  createRunnerToken,
  listRunners,
  listRunnerTokens,
  type RunnerRecord,
  revokeRunnerToken,
} from '../../db/runners.ts';
import { formatDuration } from '../../domain/duration.ts';
import { isSilent, runnerNamePattern } from '../../domain/runner.ts';
import type { WebDeps } from '../deps.ts';
import { field, type Problems, posted } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import type { Pages } from '../layout/pages.ts';
import { uuidOf } from '../layout/uuid.ts';
import type { Mark } from '../layout/words.ts';
import { requireRole, visitorOf } from '../visitor.ts';

const base = '/settings/runners';

export function runnerRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get(base, async (request, response) => {
    await show(request, response, {});
  });

  router.post(base, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const values = { queue: posted(request.body, 'queue'), name: posted(request.body, 'name').slice(0, 100) };
    const problems: Problems = {
      ...(runnerNamePattern.test(values.queue)
        ? {}
        : { queue: 'Write small letters, digits and hyphens, such as edge-berlin.' }),
      ...(values.name === '' ? { name: 'Say which machine it is for.' } : {}),
    };
    if (Object.keys(problems).length > 0) {
      await show(request, response, { values, problems });
      return;
    }
    const { token } = await deps.db.write(scope, (tx) => createRunnerToken(tx, { orgId, ...values, actor }));
    await show(request, response, { made: { queue: values.queue, token } });
  });

  router.post(`${base}/tokens/:id/revoke`, requireRole('admin'), async (request, response) => {
    const { scope, orgId, email: actor } = visitorOf(request);
    const tokenId = uuidOf(request.params.id, 'token');
    const done = await deps.db.write(scope, (tx) => revokeRunnerToken(tx, { orgId, tokenId, actor }));
    const text =
      'The token is revoked. Runners that use it end within seconds; their steps wait for another.';
    setFlash(response, done ? 'good' : 'plain', done ? text : 'It was revoked already.');
    response.redirect(303, base);
  });

  async function show(
    request: Request,
    response: Response,
    given: { values?: Record<string, string>; problems?: Problems; made?: { queue: string; token: string } },
  ): Promise<void> {
    const { scope } = visitorOf(request);
    const [runners, tokens] = await deps.db.read(scope, async (tx) => [
      await listRunners(tx),
      await listRunnerTokens(tx),
    ]);
    const now = pages.now();
    const absent = [...new Set(tokens.map(({ queue }) => queue))].filter(
      (queue) => !runners.some((runner) => runner.queue === queue),
    );
    await pages.show(request, response, {
      template: 'settings/runners',
      view: {
        runners: [
          ...runners.map((runner) => ({
            ...runner,
            startedAt: runner.startedAt.toISOString(),
            lastSeenAt: runner.lastSeenAt.toISOString(),
            state: runnerMark(runner, now),
          })),
          ...absent.map((queue) => ({ queue, state: neverSeen })),
        ],
        tokens: tokens.map((token) => ({
          ...token,
          createdAt: token.createdAt.toISOString(),
          lastUsedAt: token.lastUsedAt?.toISOString() ?? null,
        })),
        made: given.made ? { ...given.made, command: commandFor(given.made) } : null,
        form: {
          queue: field('queue', 'Queue', {
            ...given,
            hint: 'What runbooks name as their runner, such as edge-berlin',
          }),
          name: field('name', 'Which machine is it for?', {
            ...given,
            hint: 'So that you know it again, such as rack 4',
          }),
        },
      },
      title: 'Runners',
      section: 'settings',
      narrow: true,
      status: given.problems ? 422 : 200,
      secret: given.made !== undefined,
    });
  }

  const commandFor = ({ queue, token }: { queue: string; token: string }): string =>
    [
      `HOLDFAST_URL=${deps.publicUrl}`,
      `HOLDFAST_RUNNER_TOKEN=${token}`,
      'TEMPORAL_ADDRESS=temporal.example.com:7233',
      `npm run runner -- --queue ${queue}`,
    ].join(' \\\n');

  return router;
}

const neverSeen: Mark = { word: 'never seen', icon: 'waiting', tone: 'quiet' };

/** 'seen 12 s ago', 'silent for 3 h'. */
export function runnerMark({ lastSeenAt }: Pick<RunnerRecord, 'lastSeenAt'>, now: number): Mark {
  const past = Math.max(0, now - lastSeenAt.getTime());
  const unit =
    past < 60_000 ? 1000 : past < 3_600_000 ? 60_000 : past < 48 * 3_600_000 ? 3_600_000 : 86_400_000;
  const long = formatDuration(Math.floor(past / unit) * unit);
  return isSilent(lastSeenAt, now)
    ? { word: `silent for ${long}`, icon: 'alert', tone: 'bad' }
    : { word: past < 1000 ? 'seen just now' : `seen ${long} ago`, icon: 'done', tone: 'good' };
}
