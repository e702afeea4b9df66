/** Those who may stand in an incident's story, by the mail address that they act under. */
export type People = readonly { email: string; name: string }[];

export const nameOf = (people: People, address: string): string =>
  people.find(({ email }) => email === address)?.name || address;

/** 'pages ben@example.com (level 2)' reads 'pages Ben (level 2)'. */
export const withNames = (people: People, text: string): string =>
  text.replace(/[^\s,()]+@[^\s,()]+/g, (address) => nameOf(people, address));
