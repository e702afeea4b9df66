import { asActive, type Caught, type StoredSilence } from '../../db/silences.ts';
import { type SilenceState, stateOf } from '../../domain/silences/silence.ts';
import { hoursText, matchText } from '../../domain/silences/silence-text.ts';
import type { Mark } from '../layout/words.ts';

const silenceMarks: Record<SilenceState, Mark> = {
  waiting: { word: 'Planned', icon: 'clock', tone: 'quiet' },
  silent: { word: 'Silent', icon: 'stopped', tone: 'warning' },
  'out of hours': { word: 'Out of hours', icon: 'clock', tone: 'quiet' },
  over: { word: 'Over', icon: 'done', tone: 'quiet' },
};

const incidentsShown = 5;

export function silenceRow(stored: StoredSilence, caught: Caught | undefined, now: number) {
  const state = stateOf(asActive(stored), now);
  const incidents = caught?.incidents ?? [];
  return {
    id: stored.id,
    mark: silenceMarks[state],
    what: matchText({ match: stored.definition.match, team: stored.team?.slug ?? null }),
    hours: hoursText(stored.definition),
    reason: stored.definition.reason,
    createdBy: stored.createdBy,
    startsAt: stored.startsAt.toISOString(),
    endsAt: stored.endsAt.toISOString(),
    begun: state !== 'waiting',
    catches: caught?.alerts ?? 0,
    incidents: incidents.slice(0, incidentsShown),
    moreIncidents: Math.max(0, incidents.length - incidentsShown),
  };
}
