import { iso } from './endpoint.ts';

/** Answers of an endpoint that tries something on the past, for the OpenAPI document. */
export const previewErrors = { 422: 'It took too long', 503: 'Others wait already' };

/** What came of it kind by kind, with its times as the API writes them. */
export function presentPreview<Found extends { since: Date; kinds: { lastAt: number }[] }>(found: Found) {
  const { since, kinds, ...rest } = found;
  return {
    ...rest,
    since: iso(since),
    kinds: kinds.map((kind: Found['kinds'][number]) => ({ ...kind, lastAt: iso(new Date(kind.lastAt)) })),
  };
}
