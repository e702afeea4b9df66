import { z } from 'zod';
import type { Printer, Word } from './terminal.ts';
import { plural } from './words.ts';

const count = z.object({ pages: z.int(), atNight: z.int() });
const side = count.extend({ told: z.int(), nobodyReached: z.array(z.int()), breaches: z.int().nullable() });
const told = z.object({ pages: z.int(), firstAfterMs: z.int().nullable() });

const situation = z.object({
  kind: z.literal('situation'),
  timeZone: z.string(),
  policy: z.string(),
  sla: z.string().nullable(),
  summary: z.string(),
  rows: z.array(
    z.object({
      local: z.string(),
      kind: z.string(),
      type: z.string(),
      who: z.string(),
      by: z.string(),
      what: z.string(),
      why: z.string(),
      outcome: z.string().nullable(),
      reason: z.string().nullable(),
    }),
  ),
  cut: z.boolean(),
});

const week = z.object({
  kind: z.literal('week'),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  timeZone: z.string(),
  incidents: z.int(),
  cut: z.boolean(),
  asItWas: side,
  asItStands: side,
  asEdited: side,
  people: z.array(z.object({ who: z.string(), asItWas: count, asItStands: count, asEdited: count })),
  differences: z.array(z.object({ number: z.int(), title: z.string(), asItStands: told, asEdited: told })),
});

/** What the CLI reads of the answer; `reached`: no incident is left without a page. */
export const rehearsed = z.discriminatedUnion('kind', [situation, week]).transform((answer) => ({
  ...answer,
  reached:
    answer.kind === 'week'
      ? answer.asEdited.nobodyReached.length === 0
      : answer.rows.some(({ type, outcome }) => type === 'escalation.page' && outcome === 'sent'),
}));

export function printRehearsal(printer: Printer, answer: z.output<typeof rehearsed>): void {
  if (answer.kind === 'week') printWeek(printer, answer);
  else printSituation(printer, answer);
}

function printSituation(printer: Printer, answer: z.output<typeof situation>): void {
  const sla = answer.sla === null ? '' : `, SLA ${answer.sla}`;
  printer.line({ text: answer.summary, colour: 'bold' });
  printer.line({ text: `policy ${answer.policy}${sla}; times in ${answer.timeZone}`, colour: 'dim' });
  printer.say('');
  printer.table(
    ['when', 'outcome', 'who', 'what', 'why'],
    answer.rows.map(({ local, kind, who, by, what, why, outcome, reason }) => [
      local,
      outcomeWord(outcome),
      kind === 'event' ? who : `${who}, ${by}`,
      kind === 'event' ? { text: what, colour: 'yellow' } : what,
      { text: [why, reason].filter(Boolean).join('; '), colour: 'dim' },
    ]),
  );
  if (answer.cut) printer.say('there is more: the first 1,000 lines are shown');
}

function outcomeWord(outcome: string | null): Word {
  const text = (outcome ?? '').padEnd(7);
  return outcome === 'failed'
    ? { text, colour: 'red' }
    : { text, colour: outcome === 'sent' ? 'green' : 'dim' };
}

function printWeek(printer: Printer, answer: z.output<typeof week>): void {
  printer.line({ text: plural(answer.incidents, 'incident'), colour: 'bold' });
  printer.line({ text: `${answer.from} to ${answer.to}, a week in ${answer.timeZone}`, colour: 'dim' });
  if (answer.cut) printer.say('there were more: the latest are left out');
  for (const [name, each] of [
    ['as it was', answer.asItWas],
    ['as it stands', answer.asItStands],
    ['as edited', answer.asEdited],
  ] as const) {
    const nobody = each.nobodyReached.map((number) => `#${number}`).join(', ') || 'none';
    const breaches = each.breaches === null ? '' : `, ${plural(each.breaches, 'breach', 'breaches')}`;
    printer.line(
      { text: name.padEnd(13), colour: 'bold' },
      `${plural(each.pages, 'page')} (${each.atNight} at night) to ${each.told}${breaches}; nobody reached: ${nobody}`,
    );
  }
  for (const { who, asItStands, asEdited } of answer.people) {
    if (asItStands.pages === asEdited.pages && asItStands.atNight === asEdited.atNight) continue;
    printer.line(
      who,
      `${asItStands.pages} → ${plural(asEdited.pages, 'page')}, at night ${asItStands.atNight} → ${asEdited.atNight}`,
    );
  }
  for (const { number, title, asItStands, asEdited } of answer.differences) {
    printer.line(`#${number}`, title, {
      text: `${asItStands.pages} → ${plural(asEdited.pages, 'page')}`,
      colour: 'dim',
    });
  }
}
