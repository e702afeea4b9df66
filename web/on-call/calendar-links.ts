import type { CalendarFeed } from '../../db/calendar-feeds.ts';

/** The panel of links to a calendar, of a schedule or of one's own shifts. */
export interface CalendarLinksView {
  links: { createdBy: string; createdAt: string; revoke: string }[];
  /** Just made: shown this once. */
  made: string | null;
  make: string;
}

/** `path` is where a link is made; each is revoked below it. */
export function calendarLinksView(
  feeds: readonly CalendarFeed[],
  path: string,
  made: string | null,
): CalendarLinksView {
  return {
    links: feeds.map(({ id, createdBy, createdAt }) => ({
      createdBy,
      createdAt: createdAt.toISOString(),
      revoke: `${path}/${id}/revoke`,
    })),
    made,
    make: path,
  };
}

export const calendarUrl = (publicUrl: string, token: string): string => `${publicUrl}/calendar/${token}.ics`;
