import type { DependencyState } from '../deps.ts';
import type { Mark } from '../layout/words.ts';

export interface DispatchGauges {
  /** Rows whose change has not been told to their workflow. */
  due: number;
  oldestMs: number;
  unreadFeeds: number;
}

export interface HealthView {
  sentence: string;
  /** `detail` is what a part that is away answered. */
  parts: { name: string; mark: Mark; detail: string | null; took: string }[];
  dispatch: DispatchGauges;
  version: string;
  publicUrl: string;
  temporalUrl: string | null;
}

/** An alert that waits this long says that dispatching does not keep up, or that Temporal is away. */
const lateMs = 30_000;

export function healthView(
  states: DependencyState[],
  dispatch: DispatchGauges,
  about: { version: string; publicUrl: string; temporalUrl: string | null },
): HealthView {
  return {
    sentence: healthSentence(states, dispatch),
    parts: states.map((state) => ({
      name: state.name,
      mark:
        state.state === 'up'
          ? { word: 'Answers', icon: 'done', tone: 'good' }
          : { word: 'Away', icon: 'failed', tone: 'bad' },
      detail: state.error ?? null,
      took: `${Math.round(state.milliseconds)} ms`,
    })),
    dispatch,
    ...about,
  };
}

export function healthSentence(states: DependencyState[], dispatch: DispatchGauges): string {
  const away = states.filter((part) => part.state === 'down').map((part) => part.name);
  if (away.length > 0) {
    const names = away.length === 1 ? away[0] : `${away.slice(0, -1).join(', ')} and ${away.at(-1)}`;
    return `${names} ${away.length === 1 ? 'does' : 'do'} not answer. Alerts are still stored as long as the database is there, and what waits goes on when it is back.`;
  }
  if (dispatch.due > 0 && dispatch.oldestMs > lateMs) {
    return 'Every part answers, but alerts wait longer than they should for their workflow: look at the worker.';
  }
  return 'Every part answers.';
}
