import { plainAnswer } from '../../domain/chat/answers.ts';
import type { SlackMessage } from '../../domain/chat/slack-blocks.ts';
import { type ErrorLog, httpErrorOf, InvalidRequestError } from '../errors.ts';

/** Why something was not done, and the remedy, as a sentence; what Holdfast does not know by name is logged. */
export function refusalText(error: unknown, log: ErrorLog): string {
  const known = httpErrorOf(error);
  if (known instanceof InvalidRequestError) {
    return `Not done: ${known.errors.map(({ field, message }) => `${field}: ${message}`).join('; ')}.`;
  }
  switch (known.status) {
    case 403:
      return `Not allowed: ${known.message}. Ask an Owner of Holdfast for that role.`;
    case 404:
    case 409:
      return `Not done: ${known.message}.`;
    case 503:
      return `Not done: ${known.message}. Nothing was lost.`;
    default:
      log.error({ err: error }, 'a request from chat failed');
      return 'Holdfast failed on that, and has logged why. The pages may still do it.';
  }
}

export function refusalAnswer(error: unknown, log: ErrorLog): SlackMessage {
  return plainAnswer(refusalText(error, log));
}
