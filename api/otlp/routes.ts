import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Database } from '../../db/database.ts';
import { insertLogs } from '../../db/logs.ts';
import { learnExternalCalls, recordSpans } from '../../db/spans.ts';
import { integrationOf } from '../auth/ingest-key.ts';
import { createSeenNote } from '../auth/integration-seen.ts';
import { type Endpoint, endpoint } from '../endpoint.ts';
import type { ErrorLog } from '../errors.ts';
import { groupsOf, isProtobuf, protobufType } from './body.ts';
import { rpcStatus } from './errors.ts';
import { createExternalCalls } from './external-calls.ts';
import { logLineOf } from './log-lines.ts';
import { encode } from './protobuf.ts';
import { createQuota, perMinute } from './quota.ts';
import { countRecords, readRecords } from './records.ts';
import type { Attributes } from './schema.ts';
import { spanOf } from './spans.ts';
import { createTurns } from './turns.ts';

const tag = 'Intake';
const body = z
  .instanceof(Buffer)
  .meta({ override: { type: 'string', format: 'binary' } })
  .optional()
  .meta({ description: 'As application/x-protobuf or application/json, with or without gzip' });

const tracesAnswer = z.object({
  partialSuccess: z.object({ rejectedSpans: z.int(), errorMessage: z.string() }).optional(),
});
const logsAnswer = z.object({
  partialSuccess: z.object({ rejectedLogRecords: z.int(), errorMessage: z.string() }).optional(),
});
const otlpTypes = [protobufType, 'application/json'];
const otlpAs = (schema: z.ZodType) => Object.fromEntries(otlpTypes.map((type) => [type, schema]));
const errors = {
  400: 'No request of OTLP',
  413: 'More than 10 MB unzipped, 20,000 resources and scopes, or 50,000 records',
  415: 'Neither protobuf nor JSON',
};

const tooMany = {
  spans: `more than ${perMinute.spans} spans a minute: sample them`,
  logs: `more than ${perMinute.logs} log records a minute: send those that matter`,
};

/** Rows that are written in one transaction. */
const batch = 2_000;

/** OTLP/HTTP 1.x: https://opentelemetry.io/docs/specs/otlp/ */
export function otlpEndpoints(deps: { db: Pick<Database, 'write'>; log: ErrorLog }): Endpoint[] {
  const { db } = deps;
  const turns = createTurns();
  const noteSeen = createSeenNote(deps);
  const quota = { spans: createQuota(perMinute.spans), logs: createQuota(perMinute.logs) };
  const learnLater = createExternalCalls({
    learn: (window) => db.write({ orgId: window.orgId }, (tx) => learnExternalCalls(tx, window)),
    onError: (error) => deps.log.error({ err: error }, 'calls to hosts could not be learned'),
  });

  /** The records of a request that may still come in this minute; the others are counted and not read. */
  async function read<T extends object>(
    request: Request,
    { bytes, kind, now }: { bytes: Buffer | undefined; kind: 'spans' | 'logs'; now: number },
    readOne: (record: unknown, resource: Attributes) => T | { problem: string },
  ): Promise<Taken & { items: T[]; granted: number }> {
    const groups = groupsOf(request, bytes, kind);
    const wanted = countRecords(groups);
    const granted = quota[kind].grant(integrationOf(request).orgId, wanted, now);
    const { items, rejected, message } = await readRecords(groups, granted, readOne);
    const over = wanted - granted;
    const reasons = [...(over > 0 ? [tooMany[kind]] : []), ...(message === '' ? [] : [message])];
    return { items, granted, rejected: rejected + over, message: reasons.join('; ') };
  }

  async function takeSpans(request: Request, bytes: Buffer | undefined): Promise<Taken> {
    const { orgId } = integrationOf(request);
    const from = Date.now();
    const { items, granted, ...taken } = await read(request, { bytes, kind: 'spans', now: from }, spanOf);
    try {
      for (const spans of batches(items)) {
        await db.write({ orgId }, (tx) => recordSpans(tx, { orgId, spans }));
      }
    } catch (error) {
      quota.spans.giveBack(orgId, granted);
      throw error;
    }
    const namesHosts = items.some(({ peerKind }) => peerKind === 'external');
    if (namesHosts) learnLater(orgId, { from, to: Date.now() });
    return taken;
  }

  async function takeLogRecords(request: Request, bytes: Buffer | undefined): Promise<Taken> {
    const { orgId } = integrationOf(request);
    const now = Date.now();
    const { items, granted, ...taken } = await read(
      request,
      { bytes, kind: 'logs', now },
      (record, resource) => logLineOf(record, resource, now),
    );
    try {
      // one transaction: what is sent again after an error is not there twice
      await db.write({ orgId }, async (tx) => {
        for (const lines of batches(items)) await insertLogs(tx, { orgId, lines });
      });
    } catch (error) {
      quota.logs.giveBack(orgId, granted);
      throw error;
    }
    return taken;
  }

  return [
    {
      ...endpoint({
        method: 'post',
        path: '/v1/traces',
        tag,
        summary: 'Take spans by OTLP',
        access: 'ingest',
        before: turns.before,
        body,
        bodyAs: 'bytes',
        bodyTypes: otlpTypes,
        errors,
        errorsAs: otlpAs(rpcStatus),
        status: 200,
        response: tracesAnswer,
        answersAs: otlpAs(tracesAnswer),
        handle: async ({ request, body: bytes }) => {
          const integration = integrationOf(request);
          const { rejected, message } = await turns.work(integration.orgId, () => takeSpans(request, bytes));
          await noteSeen(integration);
          return rejected === 0 ? {} : { partialSuccess: { rejectedSpans: rejected, errorMessage: message } };
        },
      }),
      send: (answer, request, response) => send(answer, request, response, 'TraceResponse'),
    },
    {
      ...endpoint({
        method: 'post',
        path: '/v1/logs',
        tag,
        summary: 'Take log records by OTLP into the built-in store',
        access: 'ingest',
        before: turns.before,
        body,
        bodyAs: 'bytes',
        bodyTypes: otlpTypes,
        errors,
        errorsAs: otlpAs(rpcStatus),
        status: 200,
        response: logsAnswer,
        answersAs: otlpAs(logsAnswer),
        handle: async ({ request, body: bytes }) => {
          const integration = integrationOf(request);
          const { rejected, message } = await turns.work(integration.orgId, () =>
            takeLogRecords(request, bytes),
          );
          await noteSeen(integration);
          return rejected === 0
            ? {}
            : { partialSuccess: { rejectedLogRecords: rejected, errorMessage: message } };
        },
      }),
      send: (answer, request, response) => send(answer, request, response, 'LogsResponse'),
    },
  ];
}

/** What came of a request: how many of its records cannot be taken, and why. */
interface Taken {
  rejected: number;
  message: string;
}

/** In the encoding of the request. */
function send(
  answer: unknown,
  request: Request,
  response: Response,
  type: 'TraceResponse' | 'LogsResponse',
): void {
  if (isProtobuf(request) && typeof answer === 'object' && answer !== null) {
    response.type(protobufType).send(encode(type, answer));
  } else response.json(answer);
}

function* batches<T>(items: readonly T[]): Generator<T[]> {
  for (let at = 0; at < items.length; at += batch) yield items.slice(at, at + batch);
}
