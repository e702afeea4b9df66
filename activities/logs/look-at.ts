import { type LogQuery, queryBefore } from '../../domain/logs/query.ts';
import type { LogSample } from '../../domain/logs/usual.ts';
import { type LogSource, LogSourceRefusedError, LogSourceUnavailableError } from './log-source.ts';
import type { ServingSource } from './serving-sources.ts';

/** What became of asking one source. */
export interface LookedAt {
  name: string;
  link: string | null;
  /** Null where it failed. */
  found: {
    during: LogSample;
    /** Null where only they could not be had. */
    before: LogSample | null;
    /** In the source's own language. */
    asked: string;
  } | null;
  failure: SourceFailure | null;
  /** Sentences: what made the answer less than it could be. */
  notes: string[];
}

export interface SourceFailure {
  message: string;
  /** Asking again may help. */
  mendable: boolean;
}

/** Milliseconds after which a source is given up, whatever its own requests are allowed. */
const patience = 40_000;

/** Asks one source for the lines around the alerts and for those before them, at the same time. Never throws for it. */
export async function lookAt(
  serving: ServingSource,
  orgId: string,
  standard: LogQuery,
  limits: { during: number; before: number },
): Promise<LookedAt> {
  const look: LookedAt = { name: serving.name, link: null, found: null, failure: null, notes: [] };
  try {
    await serving.use(async (source) => {
      const { query, note } = serving.queryOf(source, standard);
      if (note !== null) look.notes.push(note);
      look.link = source.link(query);
      const earlier = queryBefore(query);
      const [during, before] = await withinPatience(
        source,
        Promise.all([
          source.query(orgId, { ...query, limit: limits.during }),
          source.query(orgId, { ...earlier, limit: limits.before }).catch(unlessOfTheSource),
        ]),
      );
      if (during.note !== null) look.notes.push(during.note);
      look.found = {
        during: { lines: during.lines, total: during.total, from: query.from, to: query.to },
        before: before && { lines: before.lines, total: before.total, from: earlier.from, to: earlier.to },
        asked: during.asked,
      };
    });
  } catch (error) {
    look.failure = failureOf(error);
  }
  return look;
}

/** What all sources said, as if it were one; `now` ends a window that reaches beyond it. */
export function together(
  looks: LookedAt[],
  query: LogQuery,
  now: number,
): { around: LogSample; before: LogSample | null } {
  const found = looks.flatMap((look) => look.found ?? []);
  const around = joined(
    found.map(({ during }) => during),
    { from: query.from, to: Math.max(query.from + 1, Math.min(query.to, now)) },
  );
  const comparable = found.flatMap(({ before }) => before ?? []);
  if (comparable.length < found.length || comparable.length === 0) return { around, before: null };
  const { from, to } = queryBefore(query);
  return { around, before: joined(comparable, { from, to }) };
}

function joined(samples: LogSample[], window: { from: number; to: number }): LogSample {
  const lines = samples.flatMap((sample) => sample.lines);
  return {
    lines: samples.length > 1 ? lines.sort((a, b) => a.at - b.at) : lines,
    total: samples.reduce((sum, sample) => sum + sample.total, 0),
    ...window,
  };
}

async function withinPatience<T>(source: LogSource, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const reason = `${source.name} did not answer within ${patience / 1000} s`;
    timer = setTimeout(() => reject(new LogSourceUnavailableError(reason)), patience);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What is known of the incident itself is worth more than the comparison. */
function unlessOfTheSource(error: unknown): null {
  failureOf(error);
  return null;
}

/** Throws what is no failure of a source. */
function failureOf(error: unknown): SourceFailure {
  if (error instanceof LogSourceUnavailableError) return { message: error.message, mendable: true };
  if (error instanceof LogSourceRefusedError) return { message: error.message, mendable: false };
  throw error;
}
