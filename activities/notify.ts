import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { blockDestination, noteChannelHealth } from '../db/destinations.ts';
import { countHeldBack } from '../db/notification-limits.ts';
import { finishNotification, noteDelivered, skipNotification } from '../db/notifications.ts';
import type { NotifyInput, NotifyOutcome } from '../domain/notification.ts';
import {
  type Addressed,
  isPrivate,
  publicDestination,
  withoutPrivateAddress,
} from '../domain/private-address.ts';
import type { ChannelPreviewInput, ChannelProbeInput, Consolidation } from '../workflows/messages.ts';
import { mailsAtOnce } from './channels/email.ts';
import { rateLimitedType } from './channels/post-json.ts';
import { createAdapters, createDelivery, type DeliverDeps } from './notify/deliver.ts';
import { resolveDestination } from './notify/destination.ts';
import { createGate } from './notify/gate.ts';
import type { Delivery } from './notify/outgoing.ts';
import { withPatience } from './notify/patience.ts';
import { type Prepared, prepare } from './notify/prepare.ts';
import { type ChannelPreview, previewMessage } from './notify/preview.ts';
import { type NotDue, notDueByNow } from './notify/still-due.ts';

export interface NotifyDeps extends DeliverDeps {
  /** Address of the pages; links in messages begin with it. */
  publicUrl: string;
  /** In which times are told where neither the reader nor the organization has set one. */
  timeZone: string;
  /** Starts the workflow that tells what is held back; one that runs is left alone. */
  startConsolidation: (consolidation: Consolidation) => Promise<void>;
}

/** On their way to one destination at once. Slack has its messages in their order, so that one updates the other. */
const atOnce = 4;
const atOnceInSlack = 1;
/**
 * All mails go by it: one that hangs leaves most of the worker's slots to what goes another way. As no destination is called.
 */
const mailServer = '(mail server)';

export function createNotifyActivities(deps: NotifyDeps) {
  const adapters = createAdapters(deps);
  const { deliver, probe } = createDelivery(deps, adapters);
  const gate = createGate();
  const publicUrl = deps.publicUrl.replace(/\/+$/, '');

  /**
   * Tells one target. What was sent is not sent again; an attempt that died is made again as the same message
   * (Message-ID, idempotency key, links). Throws retryable failures for what a retry mends, among them
   * DestinationBusy and RateLimited, which say when, and DestinationSlow; non-retryable UnknownChannel, UnknownUser,
   * UnknownSlackUser, NobodyOnCall, ChannelIncomplete, SubjectMissing, and …Refused, …Redirected, …Forbidden of the
   * channel's kind otherwise; CancelledFailure when it was cancelled before the message left.
   */
  async function notify(input: NotifyInput): Promise<NotifyOutcome> {
    const context = Context.current();
    const leaveOffAt = deps.clock() + context.info.startToCloseTimeoutMs / 2;
    // a cancellation arrives with the answer to a heartbeat
    context.heartbeat();
    const leave: (() => void)[] = [];
    try {
      const prepared = await deps.db.write({ orgId: input.orgId }, (tx) =>
        prepare(tx, input, {
          attempt: context.info.attempt,
          publicUrl,
          timeZone: deps.timeZone,
          now: deps.clock(),
          enter: ({ key, kind }) => {
            const gates: [string, number][] = [[key, kind === 'slack' ? atOnceInSlack : atOnce]];
            if (kind === 'email') gates.push([mailServer, mailsAtOnce]);
            return gates.every(([name, atMost]) => {
              const left = gate.enter(name, atMost);
              if (left) leave.push(left);
              return left !== undefined;
            });
          },
        }),
      );
      if (prepared.status === 'impossible') throw prepared.failure;
      if (prepared.status === 'settled') {
        if (prepared.consolidation) await deps.startConsolidation(prepared.consolidation);
        return prepared.outcome;
      }
      return await send(input, prepared, { context, leaveOffAt });
    } finally {
      for (const left of leave) left();
    }
  }

  async function send(
    input: NotifyInput,
    { entry, begun, destination, deliveries, inMs }: Extract<Prepared, { status: 'ready' }>,
    { context, leaveOffAt }: { context: Context; leaveOffAt: number },
  ): Promise<NotifyOutcome> {
    const scope = { orgId: input.orgId };
    if (inMs > 0) {
      // its turn comes within a second, in which somebody may have answered
      await sleep(inMs);
      const not = await deps.db.read(scope, (tx) => notDueByNow(tx, input));
      if (not) {
        await deps.db.write(scope, (tx) => skipNotification(tx, { ...entry, reason: not.reason }));
        return { status: 'skipped', destination: publicDestination(entry), ...not };
      }
    }
    if (context.cancellationSignal.aborted) {
      const reason = 'it was called off before it was sent';
      await deps.db.write(scope, (tx) => skipNotification(tx, { ...entry, reason }));
      throw context.cancellationSignal.reason;
    }
    const startedAt = deps.clock();
    const { failures, responses, calledOff } = await deliverAll(
      input,
      inTurn(deliveries, begun.attempt),
      leaveOffAt,
    );
    const endedAt = deps.clock();
    const reached = responses.length + begun.delivered.length;
    // after a snooze it goes to those who are left
    if (calledOff && (reached === 0 || calledOff.not.held)) {
      const { not } = calledOff;
      const reason = reached === 0 ? not.reason : `${not.reason}, but for the ${reached} who have it already`;
      await deps.db.write(scope, (tx) => skipNotification(tx, { ...entry, reason }));
      return { status: 'skipped', destination: publicDestination(entry), ...not };
    }
    // a retry, if one helps; what nobody got has failed; what some got was sent, and the log says who was left out
    const mendable = calledOff ? undefined : failures.find((failure) => !failure.nonRetryable);
    const problems = failures.map((each) => each.message);
    if (calledOff) problems.push(`not sent to ${calledOff.left.join(', ')}: ${calledOff.not.reason}`);
    const failure = mendable ?? (reached === 0 ? failures[0] : undefined);
    await deps.db.write(scope, async (tx) => {
      await finishNotification(tx, {
        key: input.key,
        status: failure ? 'failed' : 'sent',
        latencyMs: endedAt - startedAt,
        sinceDueMs: Math.max(0, endedAt - (input.dueAt ?? begun.createdAt.getTime())),
        ...(problems.length > 0 && { error: problems.join('\n') }),
        ...(responses.length > 0 && { response: responses.join('; ') }),
      });
      if (destination.channel !== null) {
        const error = failures[0]?.message ?? null;
        await noteChannelHealth(tx, { name: destination.channel, health: responses[0] ?? null, error });
      }
      const asked = failures.find(({ type }) => type === rateLimitedType);
      if (asked) {
        await blockDestination(tx, {
          orgId: input.orgId,
          destination: destination.key,
          forMs: Number(asked.nextRetryDelay ?? 0),
          reason: asked.message,
        });
      }
    });
    if (failure) throw withPatience(forEverybody(failure, entry), context.info.attempt);
    return { status: 'sent', destination: publicDestination(entry) };
  }

  /**
   * To one address after the other. Before each further one it asks again whether that is still due; those whose turn does
   * not come until `leaveOffAt` (epoch milliseconds) have it in the next attempt, which must not begin beside this one.
   */
  async function deliverAll(
    input: NotifyInput,
    deliveries: Delivery[],
    leaveOffAt: number,
  ): Promise<{
    failures: ApplicationFailure[];
    responses: string[];
    calledOff?: { not: NotDue; left: string[] };
  }> {
    const failures: ApplicationFailure[] = [];
    const responses: string[] = [];
    for (const [index, { to, outgoing }] of deliveries.entries()) {
      const left = deliveries.slice(index).map((delivery) => delivery.to);
      if (index > 0 && deps.clock() >= leaveOffAt) {
        failures.push(slow(left));
        break;
      }
      const not = index > 0 && (await deps.db.read({ orgId: input.orgId }, (tx) => notDueByNow(tx, input)));
      if (not) return { failures, responses, calledOff: { not, left } };
      try {
        responses.push((await deliver(input.orgId, outgoing)).response);
      } catch (error) {
        if (!(error instanceof ApplicationFailure)) throw error;
        failures.push(error);
        continue;
      }
      if (deliveries.length > 1) {
        await deps.db.write({ orgId: input.orgId }, (tx) =>
          noteDelivered(tx, { key: input.key, address: to }),
        );
      }
    }
    return { failures, responses };
  }

  /**
   * How many messages are told in the one with this id by now, of how many incidents, and how many of those are open; how
   * many of the messages are of use by now, which histories from before 2026-11-29 do not say; and whether that one was
   * sent, which histories from before 2026-11-22 do not say.
   */
  async function countHeld({ orgId, limit }: Pick<Consolidation, 'orgId' | 'limit'>): Promise<{
    held: number;
    incidents: number;
    open: number;
    due?: number;
    told?: boolean;
  }> {
    return await deps.db.read({ orgId }, (tx) => countHeldBack(tx, limit));
  }

  /** What would be sent through a channel; sends nothing. Throws UnknownChannel and ChannelIncomplete. */
  async function previewChannel(input: ChannelPreviewInput): Promise<ChannelPreview> {
    return await deps.db.read({ orgId: input.orgId }, (tx) =>
      previewMessage(tx, input, { adapters, publicUrl, timeZone: deps.timeZone, now: deps.clock() }),
    );
  }

  /**
   * Asks the other side of a channel whether it would take messages, sends none, and writes down how the channel is.
   * Throws as `notify` does.
   */
  async function probeChannel({ orgId, channel }: ChannelProbeInput): Promise<{ response: string }> {
    const target = { type: 'channel', name: channel } as const;
    const destination = await deps.db.read({ orgId }, (tx) =>
      resolveDestination(tx, target, { at: deps.clock(), severity: 'info' }),
    );
    if (destination instanceof ApplicationFailure) throw destination;
    const note = (health: string | null, error: string | null) =>
      deps.db.write({ orgId }, (tx) => noteChannelHealth(tx, { name: channel, health, error }));
    try {
      const answer = await probe(orgId, destination);
      await note(answer.response, null);
      return answer;
    } catch (error) {
      if (error instanceof ApplicationFailure) await note(null, error.message);
      throw error;
    }
  }

  return { notify, countHeld, previewChannel, probeChannel };
}

/** Each attempt begins with another address: one that takes long does not keep the others from their turn for ever. */
function inTurn(deliveries: Delivery[], attempt: number): Delivery[] {
  const first = (attempt - 1) % Math.max(1, deliveries.length);
  return [...deliveries.slice(first), ...deliveries.slice(0, first)];
}

function slow(left: string[]): ApplicationFailure {
  return ApplicationFailure.retryable(
    `it takes long there, and so goes on with the next attempt: ${left.join(', ')}`,
    'DestinationSlow',
  );
}

/** As timelines may tell it, without what its causes repeat; the log has all of it. */
function forEverybody(failure: ApplicationFailure, addressed: Addressed): ApplicationFailure {
  if (!isPrivate(addressed)) return failure;
  const { type, nonRetryable, nextRetryDelay } = failure;
  return ApplicationFailure.create({
    message: withoutPrivateAddress(failure.message, addressed),
    ...(type != null && { type }),
    ...(nonRetryable != null && { nonRetryable }),
    ...(nextRetryDelay != null && { nextRetryDelay }),
  });
}

export type NotifyActivities = ReturnType<typeof createNotifyActivities>;
