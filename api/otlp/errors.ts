import type { ErrorRequestHandler, RequestHandler } from 'express';
import { z } from 'zod';
import { HttpError } from '../auth/errors.ts';
import { type ErrorLog, httpErrorOf } from '../errors.ts';
import { isProtobuf, protobufType } from './body.ts';
import { encode } from './protobuf.ts';

export const rpcStatus = z
  .object({ code: z.int(), message: z.string() })
  .meta({ id: 'RpcStatus', description: 'google.rpc.Status, in the encoding of the request' });

/** As OTLP/HTTP wants errors: a google.rpc.Status in the encoding of the request, under the status that says whether
 * to send again. https://opentelemetry.io/docs/specs/otlp/#failures-1 */
export function answerOtlpErrors(log: ErrorLog): ErrorRequestHandler {
  return (thrown, request, response, next) => {
    if (response.headersSent) {
      next(thrown);
      return;
    }
    const error = httpErrorOf(thrown);
    if (error.status === 500) {
      log.error({ err: thrown, method: request.method, path: request.originalUrl }, 'request failed');
    }
    const status: z.infer<typeof rpcStatus> = { code: rpcCode(error), message: error.message };
    response.status(error.status).set(error.headers);
    if (isProtobuf(request)) response.type(protobufType).send(encode('RpcStatus', status));
    else response.json(status);
  };
}

/** Without it what is sent to '/v1/metrics' would be led to the page for signing in. */
export const noSuchSignal: RequestHandler = (request) => {
  throw new HttpError(
    404,
    'Not found',
    `there is no ${request.method} ${request.originalUrl.split('?')[0]}: Holdfast takes POST /v1/traces and /v1/logs`,
  );
};

/** INVALID_ARGUMENT, NOT_FOUND, UNAUTHENTICATED, UNAVAILABLE, INTERNAL. */
function rpcCode({ status }: HttpError): number {
  if (status === 401) return 16;
  if (status === 404) return 5;
  if (status === 503) return 14;
  return status < 500 ? 3 : 13;
}
