import express, { type Request, type RequestHandler, type Response, type Router } from 'express';
import { z } from 'zod';
import type { Database } from '../db/database.ts';
import type { Role } from '../domain/roles.ts';
import { principalOf } from './auth/authenticate.ts';
import { HttpError } from './auth/errors.ts';
import { assertRole, type Principal } from './auth/principal.ts';
import { parseOrRefuse } from './errors.ts';

/**
 * One operation of the API. The same schemas check what comes in and describe it in the OpenAPI document, so
 * the document cannot say something else than what happens.
 */
export interface Endpoint {
  method: 'get' | 'post' | 'put' | 'delete';
  /** With parameters in braces: '/api/v1/incidents/{number}'. */
  path: string;
  tag: string;
  summary: string;
  access: Access;
  params?: z.ZodObject;
  query?: z.ZodObject;
  body?: z.ZodType;
  /** How the body is read; default 'json'. Bytes are unzipped. */
  bodyAs?: 'json' | 'text' | 'bytes';
  /** What a body may be sent as, for the document; default by `bodyAs`. */
  bodyTypes?: string[];
  /** What `handle` reads of the request by itself, for the document. */
  alsoReads?: { body: z.ZodType; headers: z.ZodObject; query: z.ZodObject };
  /** What a body may have at most; default '10mb'. */
  bodyLimit?: '32mb';
  /** Runs when it is known who asks, before the body is read. */
  before?: RequestHandler;
  status: number;
  /** Absent: no body. */
  response?: z.ZodType;
  /** What `send` sends it as, by type, for the document; default `response` as 'application/json'. */
  answersAs?: Record<string, z.ZodType>;
  /** Other answers than the errors that every operation may give. */
  errors?: Record<number, string>;
  /** How errors are answered, for the document; default problem details. */
  errorsAs?: Record<string, z.ZodType>;
  handle(request: Request): Promise<unknown>;
  /** How the answer is sent; default as JSON. */
  send?(answer: unknown, request: Request, response: Response): void;
}

/** Who may: everybody, an ingest key, a runner's token, or a person with this role (on rows of a team: there). */
export type Access = 'public' | 'ingest' | 'runner' | Role;

export interface Call<P, Q, B> {
  params: P;
  query: Q;
  body: B;
  request: Request;
}

type Output<S> = S extends z.ZodType ? z.output<S> : undefined;

interface Definition<
  P extends z.ZodObject | undefined,
  Q extends z.ZodObject | undefined,
  B extends z.ZodType | undefined,
  R extends z.ZodType | undefined,
> extends Omit<Endpoint, 'params' | 'query' | 'body' | 'response' | 'handle'> {
  params?: P;
  query?: Q;
  body?: B;
  response?: R;
  handle(call: Call<Output<P>, Output<Q>, Output<B>>): Promise<R extends z.ZodType ? z.input<R> : undefined>;
}

/** Ties the schemas to the types of what `handle` gets and answers. */
export function endpoint<
  P extends z.ZodObject | undefined = undefined,
  Q extends z.ZodObject | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
  R extends z.ZodType | undefined = undefined,
>(definition: Definition<P, Q, B, R>): Endpoint {
  const { params, query, body, response, handle, ...rest } = definition;
  return {
    ...rest,
    ...(params ? { params } : {}),
    ...(query ? { query } : {}),
    ...(body ? { body } : {}),
    ...(response ? { response } : {}),
    handle: (request) =>
      handle({
        params: (params && parseOrRefuse(params, request.params)) as Output<P>,
        query: (query && parseOrRefuse(query, request.query)) as Output<Q>,
        body: (body && parseOrRefuse(body, request.body)) as Output<B>,
        request,
      }),
  };
}

/** As `endpoint` for a person's requests: `handle` also gets who it is. */
export function personEndpoint<
  P extends z.ZodObject | undefined = undefined,
  Q extends z.ZodObject | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
  R extends z.ZodType | undefined = undefined,
>(
  definition: Omit<Definition<P, Q, B, R>, 'handle' | 'access'> & {
    access: Role;
    handle(
      call: Call<Output<P>, Output<Q>, Output<B>> & { principal: Principal },
    ): Promise<R extends z.ZodType ? z.input<R> : undefined>;
  },
): Endpoint {
  return endpoint<P, Q, B, R>({
    ...definition,
    handle: (call) => definition.handle({ ...call, principal: principalOf(call.request) }),
  } as Definition<P, Q, B, R>);
}

export type Reader = Pick<Database, 'read'>;

const limit = '10mb';
const ownJson = { limit, strict: false, type: ['application/json', 'application/*+json'] };
const parsers: Record<'ownJson' | 'anyJson' | 'text' | 'bytes', RequestHandler> = {
  ownJson: express.json(ownJson),
  // what sends alerts is not always particular about its Content-Type
  anyJson: express.json({ limit, strict: false, type: () => true }),
  text: express.text({ limit, type: () => true }),
  bytes: express.raw({ limit, type: () => true }),
};

/** Who is asked first, then the body is read: nobody without a key makes Holdfast read 10 MB. */
export function mount(
  router: Router,
  endpoints: Endpoint[],
  guards: {
    person: RequestHandler;
    ingest: RequestHandler;
    runner: RequestHandler;
    time(path: string): RequestHandler;
  },
): void {
  for (const operation of endpoints) {
    const { access } = operation;
    const handlers: RequestHandler[] = [guards.time(operation.path)];
    if (access === 'ingest') handlers.push(guards.ingest);
    else if (access === 'runner') handlers.push(guards.runner);
    else if (access !== 'public') handlers.push(guards.person, requireRoleSomewhere(access));
    if (operation.before) handlers.push(operation.before);
    if (operation.body) handlers.push(parserOf(operation), refuseUnread);
    handlers.push(async (request, response) => {
      response.status(operation.status);
      const answer = await operation.handle(request);
      if (operation.send) operation.send(answer, request, response);
      else if (operation.response) response.json(answer);
      else response.end();
    });
    router[operation.method](operation.path.replaceAll(/\{(\w+)\}/g, ':$1'), ...handlers);
  }
}

/** On what is shared a role in any team counts, up to Operator; what a team owns is checked with the row. */
function requireRoleSomewhere(needed: Role): RequestHandler {
  return (request, _response, next) => {
    assertRole(principalOf(request), needed, null);
    next();
  };
}

function parserOf(operation: Endpoint): RequestHandler {
  if (operation.bodyLimit) return express.json({ ...ownJson, limit: operation.bodyLimit });
  if (operation.bodyAs === 'text' || operation.bodyAs === 'bytes') return parsers[operation.bodyAs];
  return operation.access === 'ingest' ? parsers.anyJson : parsers.ownJson;
}

/** A body that no parser took would be ignored in silence: `curl -d` without a Content-Type sends such a one. */
const refuseUnread: RequestHandler = (request, _response, next) => {
  const hasBody =
    Number(request.get('content-length') ?? 0) > 0 || request.get('transfer-encoding') !== undefined;
  if (request.body === undefined && hasBody) {
    throw new HttpError(
      415,
      'Unsupported media type',
      "send the body as JSON with 'Content-Type: application/json'",
    );
  }
  next();
};

// ---- what many operations share ----

export const pageQuery = {
  cursor: z.string().max(500).optional().meta({ description: '`nextCursor` of the page before' }),
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: 'Items on a page' }),
};

export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().meta({ description: 'Null on the last page' }),
  });
}

export function presentPage<T, U>(
  page: { items: T[]; nextCursor?: string },
  present: (item: T) => U,
): { items: U[]; nextCursor: string | null } {
  return { items: page.items.map(present), nextCursor: page.nextCursor ?? null };
}

/** One or several words of `words`, separated by commas or given repeatedly. */
export function anyOf<const W extends readonly [string, ...string[]]>(words: W) {
  return z
    .union([z.string(), z.array(z.string())])
    .transform((given) => [given].flat().flatMap((text) => text.split(',')))
    .pipe(z.array(z.enum(words, `write one or several of ${words.join(', ')}, separated by commas`)).min(1));
}

export const instant = z.iso.datetime();
export const iso = (date: Date): string => date.toISOString();
export const isoOrNull = (date: Date | null): string | null => date?.toISOString() ?? null;

/** Aborted when whoever asked has gone: what takes long need not go on. */
export function whenLeft(request: Request): AbortSignal {
  const left = new AbortController();
  request.res?.once('close', () => left.abort());
  return left.signal;
}

/** Leaves out what is undefined, for callees that tell 'absent' from 'undefined'. */
export function withoutUndefined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
