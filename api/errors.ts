import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import { z } from 'zod';
import { InvalidCursorError } from '../db/cursor.ts';
import { DatabaseUnavailableError, UnstorableError } from '../db/database.ts';
import { ExecutionRefusedError } from '../db/executions.ts';
import { LastOwnerError } from '../db/identity.ts';
import { InUseError, UnknownReferenceError } from '../db/policies.ts';
import { NotTriedError } from '../db/preview-thread.ts';
import { ClosedError, RefusedError, TemporalUnavailableError } from '../workflows/messages-client.ts';
import { HttpError } from './auth/errors.ts';

/** Problem details (RFC 9457), the one form of every error of the API. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().optional(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'What went wrong, and where (RFC 9457)' });
export type Problem = z.infer<typeof problem>;

/**
 * What was sent does not have the right form (400), or has it and cannot be used (422); each of `errors` names a field
 * and what to write there.
 */
export class InvalidRequestError extends HttpError {
  override name = 'InvalidRequestError';
  readonly errors: { field: string; message: string }[];
  constructor(errors: { field: string; message: string }[], status: 400 | 422 = 400) {
    const [first] = errors;
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
    super(
      status,
      'Invalid request',
      first ? `${first.field}: ${first.message}${more}` : 'the request is invalid',
    );
    this.errors = errors;
  }
}

export class NotFoundError extends HttpError {
  override name = 'NotFoundError';
  constructor(what: string) {
    super(404, 'Not found', `there is no ${what}, or it is not one of yours`);
  }
}

/** It cannot be done as things stand. */
export class ConflictError extends HttpError {
  override name = 'ConflictError';
  constructor(detail: string, cause?: unknown) {
    super(409, 'Not possible as things stand', detail, { cause });
  }
}

/** Throws InvalidRequestError with the paths of `schema` under `prefix`. */
export function parseOrRefuse<T extends z.ZodType>(schema: T, value: unknown, prefix = ''): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new InvalidRequestError(
    result.error.issues.map((issue) => ({
      field: [prefix, ...issue.path.map(String)].filter((part) => part !== '').join('.') || 'body',
      message: issue.message,
    })),
  );
}

const retryAfterSeconds = '5';
/** Their messages say why, for whoever asked. */
const refusals = [RefusedError, ClosedError, InUseError, LastOwnerError];

/** What is told of an error. Whatever Holdfast does not know by name is 500 and says nothing of the inside. */
export function httpErrorOf(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof InvalidCursorError) {
    return new InvalidRequestError([{ field: 'cursor', message: error.message }]);
  }
  if (error instanceof UnknownReferenceError) {
    return new InvalidRequestError([{ field: error.field, message: error.message }]);
  }
  if (error instanceof UnstorableError) {
    return new InvalidRequestError([
      { field: 'request', message: `${error.message}: leave out NUL characters, and write smaller numbers` },
    ]);
  }
  if (error instanceof ExecutionRefusedError) {
    return new InvalidRequestError(error.problems.map((message) => ({ field: 'inputs', message })));
  }
  if (refusals.some((refusal) => error instanceof refusal) && error instanceof Error) {
    return new ConflictError(error.message, error);
  }
  if (error instanceof NotTriedError) {
    const { message, why } = error;
    const headers = { 'Retry-After': retryAfterSeconds };
    return why === 'busy'
      ? new HttpError(503, 'Too busy', message, { headers, cause: error })
      : new HttpError(422, 'Too much at once', message, { cause: error });
  }
  if (error instanceof DatabaseUnavailableError || error instanceof TemporalUnavailableError) {
    const what = error instanceof DatabaseUnavailableError ? 'the database is away' : error.message;
    return new HttpError(503, 'Not available now', `${what}: send the request again`, {
      headers: { 'Retry-After': retryAfterSeconds },
      cause: error,
    });
  }
  return (
    ofBodyParser(error) ?? new HttpError(500, 'Holdfast failed', 'an unexpected error, which was logged')
  );
}

/** Errors of Express's body parsers say what they are in `type`. */
function ofBodyParser(error: unknown): HttpError | undefined {
  if (!(error instanceof Error) || !('type' in error)) return undefined;
  if (error.type === 'entity.too.large') {
    const most = 'limit' in error ? Number(error.limit) / 2 ** 20 : 10;
    return new HttpError(413, 'Body too large', `the body is larger than ${most} MB: send it in parts`);
  }
  if (error.type === 'entity.parse.failed') {
    return new InvalidRequestError([
      { field: 'body', message: `not valid JSON: ${error.message.slice(0, 200)}` },
    ]);
  }
  if (error.type === 'encoding.unsupported' || error.type === 'charset.unsupported') {
    return new HttpError(415, 'Unsupported encoding', error.message);
  }
  if (error.type === 'request.aborted' || error.type === 'request.size.invalid') {
    return new HttpError(400, 'Incomplete request', 'the body ended before its announced length');
  }
  return undefined;
}

export interface ErrorLog {
  error(detail: object, message: string): void;
}

/** The last handler: whatever was thrown becomes problem+json. */
export function answerErrors(log: ErrorLog): ErrorRequestHandler {
  return (thrown, request, response, next) => {
    const error = httpErrorOf(thrown);
    if (error.status === 500) {
      log.error({ err: thrown, method: request.method, path: request.path }, 'request failed');
    }
    if (response.headersSent) next(thrown);
    else sendProblem(response, error, request.originalUrl.split('?')[0]);
  };
}

export const noSuchEndpoint: RequestHandler = (request) => {
  throw new HttpError(
    404,
    'Not found',
    `there is no ${request.method} ${request.path}: see /api/v1/openapi.json for what there is`,
  );
};

function sendProblem(response: Response, error: HttpError, instance: string | undefined): void {
  const body: Problem = {
    type: 'about:blank',
    title: error.title,
    status: error.status,
    detail: error.message,
    ...(instance === undefined ? {} : { instance }),
    ...(error instanceof InvalidRequestError ? { errors: error.errors } : {}),
  };
  response
    .status(error.status)
    .set(error.headers)
    .type('application/problem+json')
    .send(JSON.stringify(body));
}
