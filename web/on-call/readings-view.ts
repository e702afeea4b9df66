import type { CalendarHealth } from '../../db/oncall.ts';
import type { Mark } from '../layout/words.ts';

/** How the calendar of a rotation is read. */
export interface ReadingRow {
  mark: Mark;
  rotation: string;
  host: string;
  outcome: string;
  /** Names of events that are nobody's here. */
  unmatched: string;
  readAt: string | null;
}

const marks: Record<'unread' | 'failed' | 'read', Mark> = {
  unread: { word: 'Not read yet', icon: 'waiting', tone: 'busy' },
  failed: { word: 'Cannot be read', icon: 'failed', tone: 'bad' },
  read: { word: 'Read', icon: 'done', tone: 'good' },
};

const namesShown = 5;

export function readingRow(calendar: CalendarHealth): ReadingRow {
  const { rotation, url, checkedAt, readAt, error, shifts, unmatched } = calendar;
  const more = unmatched.length - namesShown;
  return {
    mark: marks[error !== null ? 'failed' : checkedAt === null ? 'unread' : 'read'],
    rotation,
    // the rest of the address is a secret as often as not
    host: new URL(url).host,
    outcome: error ?? `${shifts} ${shifts === 1 ? 'shift' : 'shifts'}`,
    unmatched: `${unmatched.slice(0, namesShown).join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
    readAt: readAt?.toISOString() ?? null,
  };
}
