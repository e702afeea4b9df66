import { type Rotation, type Weekday, weekdays } from '../oncall/schedule.ts';

type Window = NonNullable<Rotation['hours']>[number];

const dayMinutes = 24 * 60;

/**
 * Windows of the hours of a rotation that hold from a day and time on for so many minutes, over several days if need
 * be; days count from Monday, 0.
 */
export function windowsOf(days: readonly number[], startMinute: number, minutes: number): Window[] {
  const windows: Window[] = [];
  for (let done = 0; done < minutes && done < 7 * dayMinutes; done += dayMinutes) {
    windows.push({
      days: [...new Set(days.map((day) => weekdayAt(day + done / dayMinutes)))],
      from: clockText(startMinute),
      // the same time as `from`: a whole day
      to: clockText(startMinute + Math.min(dayMinutes, minutes - done)),
    });
  }
  return windows;
}

export const everyDay = [0, 1, 2, 3, 4, 5, 6] as const;

export function weekdayAt(day: number): Weekday {
  return weekdays[((day % 7) + 7) % 7] ?? 'mon';
}

/** 'HH:MM' of minutes after midnight, modulo a day. */
function clockText(minute: number): string {
  const within = ((minute % dayMinutes) + dayMinutes) % dayMinutes;
  return `${String(Math.floor(within / 60)).padStart(2, '0')}:${String(within % 60).padStart(2, '0')}`;
}

/** Minutes after midnight of 'HH:MM' or 'HH:MM:SS', with or without a 'Z'. */
export function minuteOf(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
}
