import { randomUUID } from 'node:crypto';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { HttpError, TooManyAttemptsError } from '../../api/auth/errors.ts';
import { InvalidCursorError } from '../../db/cursor.ts';
import { DatabaseUnavailableError, UnstorableError } from '../../db/database.ts';
import { TemporalUnavailableError } from '../../workflows/messages-client.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { visitorIfAny } from '../visitor.ts';

export interface ErrorPage {
  status: number;
  title: string;
  text: string;
  /** What mends it. */
  remedy: string | null;
  /** Whether the health page helps. */
  health: boolean;
  /** Names the entry in the log; null where the page says it all. */
  reference: string | null;
}

/** What a person is told of an error: nothing of the inside, but what happened and what to do. */
export function errorPage(error: unknown, reference: string): ErrorPage {
  const page = (status: number, title: string, text: string, more: Partial<ErrorPage> = {}): ErrorPage => ({
    status,
    title,
    text,
    remedy: null,
    health: false,
    reference: null,
    ...more,
  });
  if (error instanceof NotFoundError) return page(404, 'Not here', error.message);
  if (error instanceof HttpError) return page(error.status, error.title, sentence(error.message));
  if (error instanceof InvalidCursorError) {
    return page(400, 'That page is gone', 'The list was cut differently when the link was made.', {
      remedy: 'Begin again at its newest page.',
    });
  }
  if (error instanceof UnstorableError) {
    return page(400, 'That cannot be kept', 'It holds a character or a number that cannot be stored.', {
      remedy: 'Go back, and write it without.',
    });
  }
  if (error instanceof DatabaseUnavailableError) {
    return page(503, 'The database does not answer', 'Nothing was changed, and running incidents go on.', {
      remedy: 'Reload in a moment.',
      health: true,
    });
  }
  if (error instanceof TemporalUnavailableError) {
    return page(503, 'Temporal does not answer', sentence(error.message), {
      remedy: 'Nothing was lost: send it again in a moment.',
      health: true,
    });
  }
  const status = statusOf(error);
  if (status === 413) return page(413, 'Too much at once', `The form holds more than ${limitOf(error)} kB.`);
  if (status !== undefined && status >= 400 && status < 500) {
    return page(status, 'That request cannot be read', 'Go back, reload the page and send it again.');
  }
  return page(500, 'Something went wrong here', 'It is not your doing, and it is in the log.', {
    reference,
    health: true,
  });
}

const sentence = (text: string): string => {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
};

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('status' in error)) return undefined;
  return typeof error.status === 'number' ? error.status : undefined;
}

/** Of body-parser's errors. */
function limitOf(error: unknown): number {
  const limit = typeof error === 'object' && error !== null && 'limit' in error ? Number(error.limit) : 0;
  return limit / 1024 || 256;
}

export const noSuchPage: RequestHandler = () => {
  throw new NotFoundError('There is no page at this address.');
};

export function showErrors(
  pages: Pages,
  log: (error: unknown, reference: string) => void,
): ErrorRequestHandler {
  return async (error, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const reference = randomUUID().slice(0, 8);
    const view = errorPage(error, reference);
    if (view.reference) log(error, reference);
    if (error instanceof TooManyAttemptsError) response.set(error.headers);
    const page = { template: 'errors/show', view, title: view.title, status: view.status };
    if (visitorIfAny(request) && !(error instanceof DatabaseUnavailableError)) {
      try {
        await pages.show(request, response, { ...page, section: 'none', narrow: true });
        return;
      } catch (second) {
        // the frame needs the database too: without it the error stands alone
        log(second, reference);
      }
    }
    pages.alone(request, response, { ...page, wide: true });
  };
}
