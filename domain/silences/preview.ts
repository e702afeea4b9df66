import { windowsBetween } from '../weekly-window.ts';
import { concerns, type Silence, type SilenceableAlert } from './silence.ts';

/** An alert that was received at `at`, epoch milliseconds. */
export interface PastAlert extends SilenceableAlert {
  at: number;
}

/** What a silence would have caught, had it held all the while. */
export interface SilencePreview {
  /** Looked at. */
  alerts: number;
  caught: number;
  /** By alert name and service, the most frequent first. */
  kinds: { alert: string; service: string | null; caught: number; lastAt: number }[];
  /** There are more kinds than are shown. */
  kindsCut: boolean;
}

const kindsShown = 50;

/** @param alerts newest first; of a silence that comes back every week only those of its hours are caught */
export function previewSilence(
  { match, team, weekly }: Pick<Silence, 'match' | 'team' | 'weekly'>,
  alerts: readonly PastAlert[],
): SilencePreview {
  const [newest, oldest] = [alerts.at(0), alerts.at(-1)];
  const hours = weekly && newest && oldest ? windowsBetween(weekly, oldest.at, newest.at + 1) : [];
  const inHours = (at: number) => !weekly || hours.some(({ opens, closes }) => opens <= at && at < closes);
  const kinds = new Map<string, SilencePreview['kinds'][number]>();
  let caught = 0;
  for (const alert of alerts) {
    if (!inHours(alert.at) || !concerns({ match, team }, alert)) continue;
    caught++;
    const key = JSON.stringify([alert.name, alert.service]);
    const kind = kinds.get(key);
    if (kind) kind.caught++;
    else kinds.set(key, { alert: alert.name, service: alert.service, caught: 1, lastAt: alert.at });
  }
  return {
    alerts: alerts.length,
    caught,
    kinds: [...kinds.values()]
      .sort((a, b) => b.caught - a.caught || b.lastAt - a.lastAt)
      .slice(0, kindsShown),
    kindsCut: kinds.size > kindsShown,
  };
}
