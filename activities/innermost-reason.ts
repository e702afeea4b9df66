/** What went wrong, for people: undici, fetch and Node wrap it, and their own messages say only that it failed. */
export function innermostReason(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return innermostReason(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? innermostReason(error.cause) : error.message || error.name;
}
