const missing =
  /traffic|throughput|request.?(rate|count|volume)|\brps\b|\bqps\b|no.?(data|requests)|starv|idle/i;

/**
 * Whether an alert, by its name, complains that too little comes in. That is what a service suffers whose callers fail:
 * it is an effect of their trouble, never its cause.
 */
export function complainsOfMissingTraffic(name: string): boolean {
  return missing.test(name);
}
