import { z } from 'zod';
import { isTimeZone } from '../wall-clock.ts';
import { approvalKeys, defaultApproval, readApproval } from './approval-rules.ts';
import { type BusinessHours, type ExecutionRules, runbookModes } from './definition.ts';
import type { PlacedProblem } from './problems.ts';
import { present } from './step-types/step-type.ts';
import { hostPattern, runnerName, seconds, text, toMs, wholeNumber } from './written.ts';

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const dayRange = z
  .string('write days as text')
  .regex(
    /^(?:mon|tue|wed|thu|fri|sat|sun)(?:-(?:mon|tue|wed|thu|fri|sat|sun))?$/,
    'write days as mon, tue, wed, thu, fri, sat, sun, or as a range such as mon-fri',
  );
const clock = (what: string) =>
  z
    .string(`write ${what} as 'HH:MM' in quotes`)
    .regex(/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/, `write ${what} as 'HH:MM', from 00:00 to 24:00`);

export const hours = z
  .strictObject({
    days: z
      .union([dayRange, z.array(dayRange).min(1).max(7)], 'write days as mon-fri, or as a list of days')
      .default('mon-fri'),
    from: clock('from'),
    to: clock('to').describe('Earlier than `from`: on the next day.'),
    time_zone: text('time_zone', 100).describe('Of the IANA list, e.g. Europe/Berlin.'),
  })
  .describe('When automation may start it; people may at any time. Absent: at any hour.');

export const execution = z
  .strictObject({
    mode: z
      .enum(runbookModes, `write mode as one of: ${runbookModes.join(', ')}`)
      .default('semi_auto')
      .describe(
        'manual: people start it; semi_auto: an alert proposes it and people approve; auto: it runs.',
      ),
    ...approvalKeys,
    max_per_hour: wholeNumber('max_per_hour', 1, 1000).default(10).describe('Executions in an hour at most.'),
    cooldown: seconds(0, 'cooldown').default(300).describe('Seconds between two executions on one target.'),
    target: text('target', 300)
      .optional()
      .describe(
        'What only one execution at a time may work on; may hold {{variables}}. Default: the service.',
      ),
    allowed_hosts: z
      .array(hostPattern, 'write allowed_hosts as a list')
      .max(100)
      .default([])
      .describe("Hosts that may come out of a variable: names, '*.example.com', addresses, networks."),
    environments: z
      .array(text('an environment', 100), 'write environments as a list')
      .max(50)
      .default([])
      .describe(
        "Environments that automation may run it in (globs over the alert's label environment or env).",
      ),
    hours: hours.optional(),
    runner: runnerName
      .optional()
      .describe('The runner that carries the steps out, unless one names another.'),
  })
  .describe('When and how it may run.');

export function readExecutionRules(written: z.output<typeof execution>): ExecutionRules {
  return {
    mode: written.mode,
    approval: readApproval(written, defaultApproval),
    maxPerHour: written.max_per_hour,
    cooldownMs: toMs(written.cooldown),
    ...present({ target: written.target }),
    allowedHosts: written.allowed_hosts,
    environments: written.environments,
    ...present({ hours: written.hours && readHours(written.hours), runner: written.runner }),
  };
}

function readHours(written: z.output<typeof hours>): BusinessHours {
  const days = [written.days].flat().flatMap(daysOf);
  return {
    days: [...new Set(days)].sort((a, b) => a - b),
    from: written.from,
    to: written.to,
    timeZone: written.time_zone,
  };
}

/** 'fri-mon' goes over the end of the week. */
function daysOf(range: string): number[] {
  const [first = '', last = first] = range.split('-');
  const from = weekdays.indexOf(first);
  const length = ((weekdays.indexOf(last) - from + 7) % 7) + 1;
  return Array.from({ length }, (_, index) => ((from + index) % 7) + 1);
}

export function* hoursProblems(written: z.output<typeof hours>): Generator<PlacedProblem> {
  if (written.from === written.to) {
    yield { place: ['to'], message: 'from and to are the same time; leave hours out for the whole day' };
  }
  if (!isTimeZone(written.time_zone)) {
    yield {
      place: ['time_zone'],
      message: `'${written.time_zone}' is no time zone; write one of the IANA list, e.g. Europe/Berlin or UTC`,
    };
  }
}
