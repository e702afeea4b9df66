import type { NewAlert } from './snapshot.ts';

/** Equal for sightings of one alert, as Alertmanager's fingerprint is: the same labels, the same alert. */
export function identityOf({ service, name, labels }: NewAlert): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([service, name, sorted]);
}
