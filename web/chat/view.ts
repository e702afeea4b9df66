import type { ChatMessage } from '../../db/chat-history.ts';
import type { Page } from '../../db/cursor.ts';
import type { ExternalPerson, IdentityProvider, UserIdentity } from '../../db/user-identities.ts';

export const providerNames: Record<IdentityProvider, string> = {
  slack: 'Slack',
  teams: 'Microsoft Teams',
  pagerduty: 'PagerDuty',
};

export interface HistoryView {
  q: string;
  everybody: boolean;
  whose: 'mine' | 'all';
  rows: {
    id: number;
    person: string;
    where: string;
    command: string;
    answer: string;
    at: string;
  }[];
  line: string;
  filtered: boolean;
  nextHref: string | null;
  firstHref: string | null;
  identities: {
    provider: string;
    providerName: string;
    externalId: string;
    name: string;
    linkedAt: string;
  }[];
}

export function historyView(given: {
  page: Page<ChatMessage>;
  identities: UserIdentity[];
  everybody: boolean;
  q: string;
  /** Not the first page. */
  paged: boolean;
}): HistoryView {
  const { page, everybody, q } = given;
  const whose = everybody ? 'all' : 'mine';
  const query = new URLSearchParams({ ...(q === '' ? {} : { q }), ...(everybody ? { whose } : {}) });
  const next =
    page.nextCursor === undefined ? null : new URLSearchParams([...query, ['cursor', page.nextCursor]]);
  return {
    q,
    everybody,
    whose,
    rows: page.items.map((message) => ({
      id: message.id,
      person: message.person,
      where: whereOf(message),
      command: message.command,
      answer: message.answer === '' ? 'No answer yet' : message.answer,
      at: message.at.toISOString(),
    })),
    line: `${everybody ? 'Everybody’s' : 'Your'} messages, newest first; kept for 90 days`,
    filtered: q !== '',
    nextHref: next && `/chat?${next}`,
    firstHref: given.paged ? `/chat?${query}` : null,
    identities: given.identities.map((identity) => ({
      provider: identity.provider,
      providerName: providerNames[identity.provider],
      externalId: identity.externalId,
      name: identity.name || identity.externalId,
      linkedAt: identity.linkedAt.toISOString(),
    })),
  };
}

function whereOf({ provider, conversation }: ChatMessage): string {
  const name = Object.entries(providerNames).find(([known]) => known === provider)?.[1] ?? provider;
  return conversation === '' ? name : `${name}, ${conversation}`;
}

export interface LinkView {
  code: string;
  /** Null: the address works no more. */
  person: { name: string; externalId: string; where: string } | null;
  email: string;
  name: string;
}

export function linkView(given: {
  code: string;
  person: ExternalPerson | undefined;
  email: string;
  name: string;
}): LinkView {
  const { code, person, email, name } = given;
  return {
    code,
    email,
    name: name || email,
    person: person
      ? {
          name: person.name || person.externalId,
          externalId: person.externalId,
          where: providerNames[person.provider],
        }
      : null,
  };
}
