/**
 * A person's own address: where a message to them goes that does not go to the address by which everybody knows them, the
 * one that they sign in with. Others are shown who was told and by what, and not where.
 */

/** Of a message in the log. */
export interface Addressed {
  /** The kind of channel. */
  channel: string;
  destination: string;
  /** Whom it is for, by the address that they sign in with; null or absent: a channel. */
  person?: string | null;
}

/** `db/notification-log.ts` asks the same of rows. */
export function isPrivate({ destination, person }: Addressed): boolean {
  return person != null && destination.toLowerCase() !== person.toLowerCase();
}

const words: Record<string, string> = {
  email: 'mail',
  slack: 'Slack',
  teams: 'Microsoft Teams',
  pagerduty: 'PagerDuty',
  webhook: 'webhook',
};

/** 'ana@example.com, by Slack'; the destination itself where it is no secret. */
export function publicDestination(addressed: Addressed): string {
  const { channel, destination, person } = addressed;
  return isPrivate(addressed) ? `${person}, by ${words[channel] ?? channel}` : destination;
}

const hidden = '(address)';

/** What was said of a message, such as why it failed, without the addresses in it; servers repeat them as they like. */
export function withoutPrivateAddress(text: string, addressed: Addressed): string {
  return isPrivate(addressed)
    ? withoutAddressesBut(addressed.person ?? null, hostless(text, addressed))
    : text;
}

/** 'own (hooks.example.com)' is how the destination of a channel with a URL reads; failures name its host. */
function hostless(text: string, { destination }: Addressed): string {
  const [, host] = /\(([^()\s]*[.:][^()\s]*)\)$/.exec(destination) ?? [];
  return host === undefined ? text : text.replaceAll(host, hidden);
}

/** Mail addresses and URLs, but for the one address that everybody knows. */
export function withoutAddressesBut(person: string | null, text: string): string {
  return text.replace(wholeWords, (word) => {
    if (word.toLowerCase().includes('://')) return hidden;
    if (!word.includes('@')) return word;
    let end = word.length;
    while (end > 0 && punctuation.includes(word.charAt(end - 1))) end -= 1;
    const known = person !== null && word.slice(0, end).toLowerCase() === person.toLowerCase();
    return known ? word : `${hidden}${word.slice(end)}`;
  });
}

const punctuation = '.:;!?\'"';

// looked at one by one: an expression for addresses takes the square of a long word's length
const wholeWords = /[^\s,()<>[\]"]+/g;
