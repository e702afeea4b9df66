import { type Severity, severities } from '../severity.ts';
import { unescapeSlack } from './slack-blocks.ts';

/** What somebody asks of Holdfast in chat. */
export type ChatCommand =
  | { name: 'help' }
  | { name: 'link' }
  | { name: 'incidents'; severity: Severity[]; mine: boolean; team: string | null }
  | { name: 'alert'; number: number }
  | { name: 'ack'; number: number; note: string | null }
  | { name: 'resolve'; number: number; note: string | null }
  | { name: 'run'; runbook: string; number: number | null; inputs: Record<string, string> }
  | { name: 'approve' | 'reject'; subject: ApprovalSubject; reason: string | null }
  | { name: 'oncall'; schedule: string | null };

/** Which approval: the one that an incident waits for, or the one of an execution. */
export type ApprovalSubject = { number: number } | { executionId: string };

/** `problem` is an answer for the person: what was not understood, and how it is written. */
export type ReadCommand = { command: ChatCommand } | { problem: string };

/** How each command is written, in the order in which the help shows them. */
export const chatUsages: readonly { usage: string; does: string }[] = [
  {
    usage: 'incidents',
    does: 'open incidents, worst first; also `incidents critical`, `mine`, `team payments`',
  },
  { usage: 'alert 42', does: 'how incident #42 stands, with its buttons' },
  { usage: 'ack 42 looking into it', does: 'take #42 on: the escalation stops; the note is optional' },
  { usage: 'resolve 42 restarted the pool', does: 'say that #42 is over; the note is optional' },
  {
    usage: 'run restart-service on 42 service=checkout',
    does: 'run a runbook, for an incident and with inputs where it takes some',
  },
  {
    usage: 'approve 42',
    does: 'vote for what #42 waits for; an execution’s id works too, and a reason after it',
  },
  { usage: 'reject 42 not during the sale', does: 'vote against it' },
  { usage: 'oncall', does: 'who is on call now, and until when; also `oncall payments`' },
  { usage: 'link', does: 'connect your account here with the one of Holdfast' },
  { usage: 'help', does: 'this list' },
];

const synonyms: Record<string, ChatCommand['name']> = {
  '': 'help',
  help: 'help',
  '?': 'help',
  link: 'link',
  login: 'link',
  incidents: 'incidents',
  list: 'incidents',
  alerts: 'incidents',
  alert: 'alert',
  incident: 'alert',
  show: 'alert',
  ack: 'ack',
  acknowledge: 'ack',
  resolve: 'resolve',
  run: 'run',
  approve: 'approve',
  reject: 'reject',
  oncall: 'oncall',
  'on-call': 'oncall',
};

/** Of the message; the note, reason or value of an input is at most so long. */
const longestNote = 1000;

/** What the text after the slash command asks for. */
export function readCommand(text: string): ReadCommand {
  const words = wordsOf(unescapeSlack(text));
  const [first = '', ...rest] = words;
  const name = synonyms[first.toLowerCase()];
  if (name === undefined) return { problem: unknownCommand(first) };
  switch (name) {
    case 'help':
    case 'link':
      return { command: { name } };
    case 'incidents':
      return readIncidents(rest);
    case 'alert': {
      const number = numberIn(rest[0]);
      return number === undefined ? numberNeeded('alert', rest[0]) : { command: { name, number } };
    }
    case 'ack':
    case 'resolve': {
      const number = numberIn(rest[0]);
      if (number === undefined) return numberNeeded(name, rest[0]);
      return { command: { name, number, note: noteOf(rest.slice(1)) } };
    }
    case 'run':
      return readRun(rest);
    case 'approve':
    case 'reject': {
      const subject = subjectIn(rest[0]);
      if (!subject) return numberNeeded(name, rest[0]);
      return { command: { name, subject, reason: noteOf(rest.slice(1)) } };
    }
    case 'oncall':
      return { command: { name, schedule: rest.length > 0 ? rest.join(' ') : null } };
  }
}

function readIncidents(words: string[]): ReadCommand {
  const command = {
    name: 'incidents' as const,
    severity: [] as Severity[],
    mine: false,
    team: null as string | null,
  };
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    const severity = severities.find((known) => known === word.toLowerCase());
    if (severity) command.severity.push(severity);
    else if (word.toLowerCase() === 'mine') command.mine = true;
    else if (word.toLowerCase() === 'team' && words[index + 1] !== undefined) {
      command.team = words[index + 1] ?? null;
      index++;
    } else {
      return {
        problem: `“${word}” says nothing about incidents. Write a severity (${severities.join(', ')}), \`mine\` or \`team payments\`, as in \`incidents critical mine\`.`,
      };
    }
  }
  return { command };
}

function readRun(words: string[]): ReadCommand {
  const [runbook, ...rest] = words;
  const example = 'Write it as `run restart-service on 42 service=checkout`.';
  if (runbook === undefined) return { problem: `Say which runbook. ${example}` };
  let number: number | null = null;
  const inputs: Record<string, string> = {};
  for (let index = 0; index < rest.length; index++) {
    const word = rest[index] ?? '';
    const equals = word.indexOf('=');
    if (word.toLowerCase() === 'on') {
      const given = numberIn(rest[index + 1]);
      if (given === undefined) {
        return { problem: `After \`on\` comes the number of an incident, as in \`on 42\`. ${example}` };
      }
      number = given;
      index++;
    } else if (equals > 0) {
      inputs[word.slice(0, equals)] = word.slice(equals + 1).slice(0, longestNote);
    } else {
      return {
        problem: `“${word}” is neither \`on <number>\` nor \`input=value\`; put a value with spaces in quotes, as in \`reason="too slow"\`. ${example}`,
      };
    }
  }
  return { command: { name: 'run', runbook, number, inputs } };
}

function unknownCommand(word: string): string {
  const known = chatUsages.map(({ usage }) => usage.split(' ')[0] ?? '');
  const near = known.find((each) => isNear(each, word.toLowerCase()));
  const guess = near === undefined ? '' : ` Did you mean \`${near}\`?`;
  return `There is no command “${word}”.${guess} There are ${known.map((each) => `\`${each}\``).join(', ')}.`;
}

/** The same letters in another order, one missing or one too many: how commands are mistyped. */
function isNear(known: string, typed: string): boolean {
  const sorted = (text: string) => [...text].sort().join('');
  if (sorted(known) === sorted(typed)) return true;
  const [short, long] = known.length < typed.length ? [known, typed] : [typed, known];
  if (short.length < 2 || long.length - short.length !== 1) return false;
  return [...long].some((_, at) => long.slice(0, at) + long.slice(at + 1) === short);
}

function numberNeeded(name: string, given: string | undefined): { problem: string } {
  const found = given === undefined ? 'Say which incident' : `“${given}” is no number of an incident`;
  return { problem: `${found}. Write it as \`${name} 42\`.` };
}

function numberIn(word: string | undefined): number | undefined {
  const digits = /^#?(\d{1,9})$/.exec(word ?? '')?.[1];
  return digits === undefined || Number(digits) === 0 ? undefined : Number(digits);
}

function subjectIn(word: string | undefined): ApprovalSubject | undefined {
  const number = numberIn(word);
  if (number !== undefined) return { number };
  const executionId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.exec(word ?? '')?.[0];
  return executionId === undefined ? undefined : { executionId: executionId.toLowerCase() };
}

function noteOf(words: string[]): string | null {
  return words.length === 0 ? null : words.join(' ').slice(0, longestNote);
}

/** Words, and what stands in quotes as one; phones make curly quotes of straight ones. */
function wordsOf(text: string): string[] {
  const words = text.match(/(?:[^\s"“”]|["“”][^"“”]*["“”])+|["“”]/gu) ?? [];
  return words.map((word) => word.replace(/["“”]([^"“”]*)["“”]/gu, '$1'));
}
