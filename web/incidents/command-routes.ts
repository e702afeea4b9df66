import { type Request, Router } from 'express';
import { explainClosedBreach } from '../../db/breaches.ts';
import { getChange } from '../../db/changes-read.ts';
import { judgeClosedCause, judgeClosedChange } from '../../db/judgements.ts';
import { breachReasons } from '../../domain/breach-reasons.ts';
import { changeVerdicts } from '../../domain/changes/change.ts';
import { durationMs } from '../../domain/duration.ts';
import { RefusedError, unlessClosed } from '../../workflows/messages-client.ts';
import type { WebDeps } from '../deps.ts';
import { posted } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import { act, localPath, NotFoundError, type Pages } from '../layout/pages.ts';
import { visitorOf } from '../visitor.ts';
import { commandBy, commandedIncident } from './commanded.ts';
import { numberOf } from './number.ts';

/** What people do about an incident: each form is a message to its workflow. */
export function incidentCommandRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.post('/incidents/:number/acknowledge', async (request, response) => {
    const { number, command, orgId } = await commandOf(request);
    await act(response, `/incidents/${number}`, async () => {
      await deps.messages.acknowledge(orgId, number, command);
      return 'Acknowledged: it is yours, and the escalation has stopped.';
    });
  });

  router.post('/incidents/:number/resolve', async (request, response) => {
    const { number, command, orgId, note } = await commandOf(request);
    await act(response, `/incidents/${number}`, async () => {
      await deps.messages.resolve(orgId, number, { ...command, ...note });
      return 'Resolved.';
    });
  });

  router.post('/incidents/:number/false-positive', async (request, response) => {
    const { number, command, orgId, note } = await commandOf(request);
    await act(response, `/incidents/${number}`, async () => {
      await deps.messages.resolve(orgId, number, { ...command, ...note, falsePositive: true });
      return 'Marked as a false positive.';
    });
  });

  router.post('/incidents/:number/assign', async (request, response) => {
    const { number, command, orgId } = await commandOf(request);
    const to = posted(request.body, 'to');
    await act(response, `/incidents/${number}`, async () => {
      await deps.messages.assign(orgId, number, { ...command, to });
      return `Assigned to ${to}.`;
    });
  });

  router.post('/incidents/:number/snooze', async (request, response) => {
    const { number, command, orgId } = await commandOf(request);
    const length = snoozes.find((known) => known === posted(request.body, 'for')) ?? '1h';
    const until = new Date(pages.now() + durationMs(length)).toISOString();
    await act(response, `/incidents/${number}`, async () => {
      await deps.messages.snooze(orgId, number, { ...command, until });
      return `Snoozed for ${length}: nobody is paged until then. The SLA clocks run on.`;
    });
  });

  router.post('/incidents/:number/reapply-policy', async (request, response) => {
    const { number, command, orgId } = await commandOf(request);
    await act(response, `/incidents/${number}`, async () => {
      await deps.messages.reapplyPolicy(orgId, number, command);
      return 'Escalation goes by the policies as they are now.';
    });
  });

  router.post('/incidents/:number/notes', async (request, response) => {
    const { number, command, orgId } = await commandOf(request);
    const text = posted(request.body, 'text');
    if (text === '') {
      setFlash(response, 'bad', 'The note is empty: write something first.');
      response.redirect(303, `/incidents/${number}`);
      return;
    }
    await act(response, `/incidents/${number}`, async () => {
      await deps.messages.addNote(orgId, number, { ...command, text });
      return 'The note is on the timeline.';
    });
  });

  router.post('/incidents/:number/cause', async (request, response) => {
    const { number, command, orgId, scope } = await commandOf(request);
    const service = posted(request.body, 'service').slice(0, 500);
    if (service === '') {
      setFlash(response, 'bad', 'Say which service it was.');
      response.redirect(303, `/incidents/${number}`);
      return;
    }
    await act(response, `/incidents/${number}`, async () => {
      const actor = command.actor.name;
      await unlessClosed(
        () => deps.messages.judgeCause(orgId, number, { ...command, service }),
        () => deps.db.write(scope, (tx) => judgeClosedCause(tx, { orgId, number, service, actor })),
      );
      return `The cause is ${service}.`;
    });
  });

  router.post('/incidents/:number/changes/:change/verdict', async (request, response) => {
    const { number, command, orgId, scope } = await commandOf(request);
    const changeId = Number(request.params.change);
    const verdict = changeVerdicts.find((known) => known === posted(request.body, 'verdict'));
    const change =
      Number.isSafeInteger(changeId) && verdict
        ? await deps.db.read(scope, (tx) => getChange(tx, changeId))
        : undefined;
    if (!change || !verdict) throw new NotFoundError('There is no such change.');
    const back = localPath(posted(request.body, 'back'), `/incidents/${number}/changes`);
    await act(response, back, async () => {
      const actor = command.actor.name;
      await unlessClosed(
        () => deps.messages.judgeChange(orgId, number, { ...command, changeId, verdict }),
        () =>
          deps.db.write(scope, (tx) => judgeClosedChange(tx, { orgId, number, changeId, verdict, actor })),
      );
      return verdict === 'confirmed'
        ? 'Confirmed: this change was behind it.'
        : 'Dismissed: this change had nothing to do with it.';
    });
  });

  router.post('/incidents/:number/breaches/:clock/reason', async (request, response) => {
    const { number, command, orgId, scope, note } = await commandOf(request);
    const reason = breachReasons.find((known) => known === posted(request.body, 'reason'));
    const clock = clocks.find((known) => known === request.params.clock);
    if (!clock) throw new NotFoundError('There is no such clock.');
    if (!reason || (reason === 'other' && !note.note)) {
      setFlash(response, 'bad', 'Choose a reason; for another one, say in the note what it was.');
      response.redirect(303, `/incidents/${number}`);
      return;
    }
    const explanation = { clock, reason, note: note.note ?? null };
    await act(response, `/incidents/${number}`, async () => {
      const by = command.actor.name;
      await unlessClosed(
        () => deps.messages.explainBreach(orgId, number, { ...command, ...explanation }),
        async () => {
          const explained = await deps.db.write(scope, (tx) =>
            explainClosedBreach(tx, { orgId, number, by, ...explanation }),
          );
          if (!explained) throw new RefusedError(`the clock to ${clock} is not breached`);
        },
      );
      return 'The reason is on the timeline, and counted in the reports.';
    });
  });

  /** Who commands what: throws unless the visitor sees the incident and may act on it. */
  async function commandOf(request: Request) {
    const { orgId, scope } = visitorOf(request);
    const number = numberOf(request);
    const incident = await commandedIncident(deps, request, number);
    const note = posted(request.body, 'note').slice(0, 2000);
    return {
      number,
      orgId,
      scope,
      command: commandBy(request, incident),
      note: note ? { note } : {},
    };
  }

  return router;
}

const clocks = ['acknowledge', 'resolve'] as const;
const snoozes = ['15m', '30m', '1h', '4h', '12h'] as const;
