/** Those who may stand in an incident's story, by the mail address that they act under. */
export type People = readonly { email: string; name: string }[];

export const nameOf = (people: People, address: string): string =>
  people.find(({ email }) => email === address)?.name || address;

/** 'pages ben@example.com (level 2)' reads 'pages Ben (level 2)'. */
export function withNames(people: People, text: string): string {
  if (!text.includes('@')) return text;
  const names = new Map(people.map(({ email, name }) => [email, name]));
  return text.replace(words, (word) => names.get(word) || word);
}

/** 'ana@example.com' reads 'ana@…'. */
export const withoutAddresses = (text: string): string =>
  text.replace(words, (word) => {
    const at = word.indexOf('@', 1);
    return at === -1 || at === word.length - 1 ? word : `${word.slice(0, at)}@…`;
  });

// whole words, looked at one by one: an expression for addresses takes the square of a long word's length
const words = /[^\s,()<>]+/g;
