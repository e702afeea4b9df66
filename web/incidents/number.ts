import type { Request } from 'express';
import { NotFoundError } from '../layout/pages.ts';

/** The incident's number in the address. Throws NotFoundError for what is none. */
export function numberOf(request: Request): number {
  const text = String(request.params.number);
  if (!/^\d{1,9}$/.test(text)) throw new NotFoundError(`'${text}' is no incident number.`);
  return Number(text);
}

export const noSuchIncident = (number: number) =>
  new NotFoundError(`There is no incident #${number}, or it belongs to another team.`);
