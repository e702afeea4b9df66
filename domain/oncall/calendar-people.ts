/** What an event of a calendar says about who is on call. */
export interface EventPeople {
  /** Mail addresses of who takes part; rooms and those who declined are left out. */
  attendees: readonly string[];
  summary: string;
  /** Mail address; null: it names none. */
  organizer: string | null;
}

export interface KnownPerson {
  email: string;
  name: string;
}

const address = /[^\s<>()[\],;:"']+@[^\s<>()[\],;:"']+/g;

/**
 * Finds who is on call by an event. Who takes part counts first, then a summary that holds addresses or is exactly
 * somebody's name, and last the organizer, who is often but the owner of the calendar.
 */
export function peopleFinder(people: readonly KnownPerson[]) {
  const byAddress = new Map(people.map(({ email }) => [email.toLowerCase(), email.toLowerCase()]));
  const byName = new Map<string, string | null>();
  for (const { name, email } of people) {
    const key = nameKey(name);
    // of two with one name it cannot be told who is meant
    byName.set(key, byName.has(key) ? null : email.toLowerCase());
  }
  const known = (addresses: readonly string[]) => [
    ...new Set(addresses.flatMap((one) => byAddress.get(one.toLowerCase()) ?? [])),
  ];

  /** Mail addresses, lower case; empty: the event names nobody here. */
  return function peopleOf({ attendees, summary, organizer }: EventPeople): string[] {
    const taking = known(attendees);
    if (taking.length > 0) return taking;
    const written = known(summary.match(address) ?? []);
    if (written.length > 0) return written;
    const named = byName.get(nameKey(summary));
    if (named) return [named];
    return organizer === null ? [] : known([organizer]);
  };
}

/** What an event is called where it names nobody here, for the health of the schedule. */
export function eventLabel({ attendees, summary, organizer }: EventPeople): string {
  return (summary.trim() || attendees[0] || organizer || 'an event without a title').slice(0, 200);
}

function nameKey(name: string): string {
  return name.trim().replace(/\s+/g, ' ').toLowerCase();
}
