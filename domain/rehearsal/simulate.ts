import { applyEvent } from '../incident/apply-event.ts';
import type { IncidentEvent } from '../incident/events.ts';
import { incidentOver, nextMoves } from '../incident/next-moves.ts';
import { calledOff, pagesCalledOff } from '../incident/pages.ts';
import { type IncidentState, newIncidentState, type TimelineEntry } from '../incident/state.ts';
import { answerEvent } from './answers.ts';
import { silenceBeginnings } from './feed.ts';
import { type Performing, perform, type RehearsedMessage } from './perform.ts';
import type { Answer, RehearsedIncident, Surroundings } from './situation.ts';

export interface SimulatedIncident {
  /** As it stood at the end. */
  state: IncidentState;
  /** In the order in which they were begun. */
  messages: RehearsedMessage[];
  story: TimelineEntry[];
  /** What people did that the incident would not have taken. */
  refused: { answer: Answer; reason: string }[];
  /** It came to its end; else `until` or the limit of steps did. */
  over: boolean;
}

/** An incident that wakes more often than that until the end of the rehearsal is cut there. */
const mostSteps = 20_000;

/** What is still to come, in the order of its time; of the same moment, in the order in which it was found out. */
interface Coming {
  at: number;
  order: number;
  /** Of the move whose outcome it is. */
  move: string | null;
  take(state: IncidentState): IncidentEvent | null;
}

/**
 * Drives the rules of an incident's workflow by a clock that is turned by hand: the same `applyEvent` and `nextMoves`
 * that workflows/incident.ts drives, with the outcome of each move made up as the real activities would have it. The
 * same arguments give the same answer. Nothing is sent, and nothing is read or stored.
 */
export function simulate(incident: RehearsedIncident, surroundings: Surroundings): SimulatedIncident {
  const { until } = surroundings;
  let state = newIncidentState(incident.number, incident.openedAt);
  let now = incident.openedAt;
  let order = 0;
  const coming: Coming[] = [];
  const messages = new Map<string, RehearsedMessage>();
  const story: TimelineEntry[] = [];
  const refused: SimulatedIncident['refused'] = [];

  const expect = (at: number, move: string | null, take: Coming['take']) => {
    coming.push({ at, order: order++, move, take });
  };
  const apply = (event: IncidentEvent) => {
    const before = state.seq;
    state = applyEvent(state, event);
    story.push(...state.outbox.filter(({ seq }) => seq > before));
    const off = pagesCalledOff(state);
    if (off !== null) callOffPages(off === 'held');
  };
  /** What wakes people and has not arrived is cancelled, as by the workflow's scope. */
  const callOffPages = (held: boolean) => {
    for (const each of coming) {
      const message = each.move === null ? undefined : messages.get(each.move);
      if (message?.status !== 'started' || message.type !== 'escalation.page') continue;
      const { key } = message;
      const back = calledOff(state, { at: now, key, held });
      // begun again when nobody is to be left alone any more, it takes the place of this one
      const reason = back.type === 'page_sent' ? back.skipped : 'held back meanwhile';
      messages.set(key, { ...message, status: 'skipped', reason });
      each.at = now;
      each.take = () => ({ ...back, at: now });
    }
  };
  const performing: Performing = {
    incident,
    surroundings,
    state: () => state,
    tell: (message) => messages.set(message.key, message),
    settle: (key, status, reason) => {
      const message = messages.get(key);
      if (message?.status === 'started') messages.set(key, { ...message, status, reason });
    },
  };

  const readings = incident.readings ?? incident.feed.slice(1).map(({ at }) => at);
  const beginnings = silenceBeginnings(incident, surroundings.configuration, until);
  for (const at of [...readings, ...beginnings]) expect(at, null, () => ({ type: 'feed_unread', at: now }));
  for (const answer of incident.answers) {
    expect(answer.at, null, (current) => {
      const event = answerEvent(current, answer, now);
      if (!('refused' in event)) return event;
      refused.push({ answer, reason: event.refused });
      return null;
    });
  }

  for (let step = 0; step < mostSteps; step++) {
    apply({ type: 'tick', at: now });
    const { moves, wakeAt } = nextMoves(state, now);
    for (const move of moves) {
      apply({ type: 'move_started', key: move.key, at: now });
      const { afterMs, outcome } = perform(move, now, performing);
      expect(now + afterMs, move.key, () => outcome(now));
    }
    if (incidentOver(state)) break;
    const next = Math.min(
      ...coming.map(({ at }) => at),
      wakeAt === null ? Infinity : Math.max(wakeAt, now + 1),
    );
    if (next > until || next === Infinity) break;
    now = Math.max(now, next);
    for (const each of takeDue(coming, now)) {
      const event = each.take(state);
      if (event) apply(event);
    }
  }
  return { state, messages: [...messages.values()], story, refused, over: incidentOver(state) };
}

/** Takes out what is due at `now`, in order. */
function takeDue(coming: Coming[], now: number): Coming[] {
  const due = coming.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at || a.order - b.order);
  for (const each of due) coming.splice(coming.indexOf(each), 1);
  return due;
}
