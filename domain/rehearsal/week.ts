import { severities } from '../severity.ts';
import { wallTimeAt } from '../wall-clock.ts';
import { destinationName, targetPerson } from './perform.ts';
import { simulate } from './simulate.ts';
import type { Configuration, FeedEntry, RehearsedIncident } from './situation.ts';

/** An incident that really opened, and the pages that it really sent. */
export interface PastIncident extends RehearsedIncident {
  title: string;
  pages: PastPage[];
}

export interface PastPage {
  at: number;
  /** Mail address of the person, else the address or channel. */
  who: string;
}

export interface WeekToRehearse {
  incidents: PastIncident[];
  standing: Configuration;
  edited: Configuration;
  /** IANA name by mail address, where somebody has said one; others go by `timeZone`. */
  zones: ReadonlyMap<string, string>;
  timeZone: string;
}

/** Pages, and those of them at night where the person is. */
export interface PageCount {
  pages: number;
  atNight: number;
}

export interface WeekSide extends PageCount {
  /** Different people, addresses and channels. */
  told: number;
  /** Numbers of the incidents of which no page arrived although nobody had taken them on. */
  nobodyReached: number[];
  /** Clocks of SLAs that ran out; null: it is not counted. */
  breaches: number | null;
}

export interface RehearsedWeek {
  /** By the log of notifications. */
  asItWas: WeekSide;
  /** With what stands now, the same alerts and the same answers. */
  asItStands: WeekSide;
  asEdited: WeekSide;
  people: { who: string; asItWas: PageCount; asItStands: PageCount; asEdited: PageCount }[];
  /** Those that the edit makes a difference to, the largest first. */
  incidents: DifferentIncident[];
}

export interface DifferentIncident {
  number: number;
  title: string;
  openedAt: number;
  /** Pages, and milliseconds until the first; null: there is none. */
  asItStands: { pages: number; firstAfterMs: number | null };
  asEdited: { pages: number; firstAfterMs: number | null };
}

/** An incident is followed so long: whatever a policy does, it has done by then. */
const followedMs = 24 * 60 * 60_000;
const differencesShown = 50;
const restMs = 10 * 60_000;

/**
 * A past week as it really was, as what stands now would make it, and as it would be with what was edited. People answer
 * when they did: somebody who is paged now and was not then answers nothing.
 */
export function rehearseWeek(week: WeekToRehearse): RehearsedWeek {
  const was = week.incidents.map(({ number, pages }) => ({ number, pages, breaches: 0, reached: true }));
  const incidents = week.incidents.map((incident) => ({ ...incident, readings: readingsOf(incident.feed) }));
  const stands = incidents.map((incident) => outcomeOf(incident, week.standing));
  const edited =
    week.edited === week.standing ? stands : incidents.map((incident) => outcomeOf(incident, week.edited));
  const count = (pages: readonly PastPage[]) => countOf(pages, week);
  const sides = [was, stands, edited].map((side) => byPerson(side.flatMap(({ pages }) => pages)));
  const names = [...new Set(sides.flatMap((side) => [...side.keys()]))].sort();
  const people = names.map((who) => {
    const [a, b, c] = sides.map((side) => count(side.get(who) ?? []));
    const none = { pages: 0, atNight: 0 };
    return { who, asItWas: a ?? none, asItStands: b ?? none, asEdited: c ?? none };
  });
  return {
    asItWas: {
      ...sideOf(was, count),
      breaches: null,
      nobodyReached: week.incidents.filter(neverReached).map(({ number }) => number),
    },
    asItStands: sideOf(stands, count),
    asEdited: sideOf(edited, count),
    people: people.sort((a, b) => weightOf(b) - weightOf(a)),
    incidents: differences(week.incidents, stands, edited),
  };
}

/**
 * When the feed is worth reading: at what makes the incident worse, over, or firing again, and of everything else once in
 * a while. A real storm of alerts is read by and by as well (db/incident-feed.ts, feedRest).
 */
function readingsOf(feed: readonly FeedEntry[]): number[] {
  const firing = new Set<number>();
  const readings: number[] = [];
  let worst: number = severities.length;
  for (const { at, firing: fires, alert } of feed) {
    const before = firing.size;
    if (fires) firing.add(alert.id);
    else firing.delete(alert.id);
    const rank = severities.indexOf(alert.severity);
    const matters = rank < worst || (before === 0) !== (firing.size === 0);
    worst = Math.min(worst, rank);
    if (matters || at - (readings.at(-1) ?? at) >= restMs) readings.push(at);
  }
  return readings;
}

interface Outcome {
  number: number;
  pages: PastPage[];
  breaches: number;
  reached: boolean;
}

function outcomeOf(incident: RehearsedIncident, configuration: Configuration): Outcome {
  const { messages, state } = simulate(incident, {
    configuration,
    failures: [],
    latencyMs: 1000,
    until: incident.openedAt + followedMs,
  });
  const pages = messages
    .filter(({ type, status }) => type === 'escalation.page' && status === 'sent')
    .map(({ at, target }) => ({ at, who: targetPerson(target) ?? destinationName(target) }));
  const breaches = state.clocks.filter((clock) => clock.state === 'breached').length;
  const levels = Object.values(state.levels);
  // where no policy is for it, or a level was asked and nothing arrived, nobody was reached; before the first level nobody
  // had to be
  const reached =
    pages.length > 0 ||
    (state.plan !== null && levels.every(({ unreachedAfterMs }) => unreachedAfterMs === undefined));
  return { number: incident.number, pages, breaches, reached };
}

/** By the log: not one page, and nobody who took it on. */
function neverReached({ pages, answers }: PastIncident): boolean {
  return pages.length === 0 && answers.length === 0;
}

function sideOf(outcomes: readonly Outcome[], count: (pages: readonly PastPage[]) => PageCount): WeekSide {
  const pages = outcomes.flatMap((outcome) => outcome.pages);
  return {
    ...count(pages),
    told: new Set(pages.map(({ who }) => who)).size,
    nobodyReached: outcomes.filter(({ reached }) => !reached).map(({ number }) => number),
    breaches: outcomes.reduce((sum, { breaches }) => sum + breaches, 0),
  };
}

function countOf(pages: readonly PastPage[], { zones, timeZone }: WeekToRehearse): PageCount {
  const atNight = pages.filter(({ at, who }) => isNight(at, zones.get(who) ?? timeZone));
  return { pages: pages.length, atNight: atNight.length };
}

/** From 22:00 to 07:00 by the clock on the wall. */
function isNight(at: number, zone: string): boolean {
  const hour = new Date(wallTimeAt(zone, at)).getUTCHours();
  return hour >= 22 || hour < 7;
}

function byPerson(pages: readonly PastPage[]): Map<string, PastPage[]> {
  return Map.groupBy(pages, ({ who }) => who);
}

/** Those whom the edit changes most stand first. */
function weightOf({ asItStands, asEdited }: RehearsedWeek['people'][number]): number {
  return Math.abs(asEdited.pages - asItStands.pages) * 1000 + asEdited.pages;
}

function differences(
  incidents: readonly PastIncident[],
  stands: readonly Outcome[],
  edited: readonly Outcome[],
): DifferentIncident[] {
  const told = (outcome: Outcome | undefined, openedAt: number) => ({
    pages: outcome?.pages.length ?? 0,
    firstAfterMs: outcome?.pages[0] ? outcome.pages[0].at - openedAt : null,
  });
  return incidents
    .map(({ number, title, openedAt }, index) => ({
      number,
      title,
      openedAt,
      asItStands: told(stands[index], openedAt),
      asEdited: told(edited[index], openedAt),
      differs: JSON.stringify(stands[index]?.pages) !== JSON.stringify(edited[index]?.pages),
    }))
    .filter(({ differs }) => differs)
    .map(({ differs: _, ...incident }) => incident)
    .sort(
      (a, b) =>
        Math.abs(b.asEdited.pages - b.asItStands.pages) - Math.abs(a.asEdited.pages - a.asItStands.pages),
    )
    .slice(0, differencesShown);
}
