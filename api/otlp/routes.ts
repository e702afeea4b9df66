import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Database } from '../../db/database.ts';
import { insertLogs } from '../../db/logs.ts';
import { recordSpans } from '../../db/spans.ts';
import { integrationOf } from '../auth/ingest-key.ts';
import { createSeenNote } from '../auth/integration-seen.ts';
import { type Endpoint, endpoint } from '../endpoint.ts';
import type { ErrorLog } from '../errors.ts';
import { groupsOf, isProtobuf, protobufType } from './body.ts';
import { createExternalCalls } from './external-calls.ts';
import { logLineOf } from './log-lines.ts';
import { encode } from './protobuf.ts';
import { readRecords } from './records.ts';
import { createSpanQuota, spansPerMinute } from './span-quota.ts';
import { spanOf } from './spans.ts';
import { createTurns } from './turns.ts';

const tag = 'Intake';
const body = z
  .instanceof(Buffer)
  .meta({ override: { type: 'string', format: 'binary' } })
  .optional()
  .meta({ description: 'As application/x-protobuf or application/json, with or without gzip' });

/** Rows that are written in one transaction. */
const batch = 2_000;

/** OTLP/HTTP 1.x: https://opentelemetry.io/docs/specs/otlp/ */
export function otlpEndpoints(deps: { db: Pick<Database, 'write'>; log: ErrorLog }): Endpoint[] {
  const { db } = deps;
  const turn = createTurns({ atOnce: 2, waiting: 32 });
  const noteSeen = createSeenNote(db);
  const grant = createSpanQuota();
  const learnLater = createExternalCalls({
    db,
    onError: (error) => deps.log.error({ err: error }, 'calls to hosts could not be learned'),
  });

  async function takeSpans(request: Request, bytes: Buffer | undefined): Promise<Taken> {
    const { orgId } = integrationOf(request);
    const { items, rejected, message } = await readRecords(groupsOf(request, bytes, 'spans'), spanOf);
    const now = Date.now();
    const taken = items.slice(0, grant(orgId, items.length, now));
    for (const spans of batches(taken)) {
      await db.write({ orgId }, (tx) => recordSpans(tx, { orgId, spans }));
    }
    if (taken.some(({ peerKind }) => peerKind === 'external')) learnLater(orgId, now);
    const over = items.length - taken.length;
    const reasons = [
      ...(over > 0 ? [`more than ${spansPerMinute} spans a minute: sample them`] : []),
      ...(message === '' ? [] : [message]),
    ];
    return { rejected: rejected + over, message: reasons.join('; ') };
  }

  async function takeLogRecords(request: Request, bytes: Buffer | undefined): Promise<Taken> {
    const { orgId } = integrationOf(request);
    const now = Date.now();
    const { items, rejected, message } = await readRecords(
      groupsOf(request, bytes, 'logs'),
      (record, resource) => logLineOf(record, resource, now),
    );
    // one transaction: what is sent again after an error is not there twice
    await db.write({ orgId }, async (tx) => {
      for (const lines of batches(items)) await insertLogs(tx, { orgId, lines });
    });
    return { rejected, message };
  }

  return [
    {
      ...endpoint({
        method: 'post',
        path: '/v1/traces',
        tag,
        summary: 'Take spans by OTLP',
        access: 'ingest',
        body,
        bodyAs: 'bytes',
        status: 200,
        response: z.object({
          partialSuccess: z.object({ rejectedSpans: z.int(), errorMessage: z.string() }).optional(),
        }),
        handle: async ({ request, body: bytes }) => {
          const { rejected, message } = await turn(() => takeSpans(request, bytes));
          await noteSeen(integrationOf(request));
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
        body,
        bodyAs: 'bytes',
        status: 200,
        response: z.object({
          partialSuccess: z.object({ rejectedLogRecords: z.int(), errorMessage: z.string() }).optional(),
        }),
        handle: async ({ request, body: bytes }) => {
          const { rejected, message } = await turn(() => takeLogRecords(request, bytes));
          await noteSeen(integrationOf(request));
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
