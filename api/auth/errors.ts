/** What is told to whoever asked: status, title and detail go out as they stand; anything else stays inside. */
export class HttpError extends Error {
  override name = 'HttpError';
  readonly status: number;
  readonly title: string;
  readonly headers: Record<string, string>;
  constructor(
    status: number,
    title: string,
    detail: string,
    options: { headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(detail, { cause: options.cause });
    this.status = status;
    this.title = title;
    this.headers = options.headers ?? {};
  }
}

export class UnauthenticatedError extends HttpError {
  override name = 'UnauthenticatedError';
  constructor(detail: string) {
    super(401, 'Not signed in', detail, { headers: { 'WWW-Authenticate': 'Bearer realm="holdfast"' } });
  }
}

export class ForbiddenError extends HttpError {
  override name = 'ForbiddenError';
  constructor(detail: string) {
    super(403, 'Not allowed', detail);
  }
}

/** The form was not made for this session, or the request comes from another site. */
export class ForeignRequestError extends HttpError {
  override name = 'ForeignRequestError';
  constructor(detail: string) {
    super(403, 'Not from this session', detail);
  }
}

export class TooManyAttemptsError extends HttpError {
  override name = 'TooManyAttemptsError';
  constructor(retryAfterSeconds: number) {
    super(
      429,
      'Too many attempts',
      `too many attempts from here: try again in ${retryAfterSeconds} seconds`,
      {
        headers: { 'Retry-After': String(retryAfterSeconds) },
      },
    );
  }
}
