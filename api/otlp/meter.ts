import { HttpError } from '../auth/errors.ts';

/** What a request may hold at most: more would take longer to count than other requests can wait. */
export const mostCounted = {
  /** Resources and scopes: a Collector sends 8,192 records at once, in the worst case each with both of its own. */
  groups: 20_000,
  /** Spans or log records. */
  records: 50_000,
  /** Fields beside those, which are skipped. */
  others: 100_000,
};
export type Counted = keyof typeof mostCounted;

/** Counts while a body is walked, not afterwards: a few bytes of gzip may hold millions. Throws HttpError (413). */
export type Meter = (what: Counted, count: number) => void;

const names: Record<Counted, string> = {
  groups: 'resources and scopes',
  records: 'records',
  others: 'fields that OTLP does not have here',
};

export function createMeter(): Meter {
  const counted = { groups: 0, records: 0, others: 0 };
  return (what, count) => {
    counted[what] += count;
    if (counted[what] <= mostCounted[what]) return;
    const most = mostCounted[what].toLocaleString('en');
    throw new HttpError(
      413,
      'Too much at once',
      `more than ${most} ${names[what]} in one request: send smaller batches`,
    );
  };
}
