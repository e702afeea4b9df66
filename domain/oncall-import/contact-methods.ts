import type { ImportedPerson, ImportProblem } from './imported.ts';

/** One way in which somebody is reached there, as that tool names it: 'sms_contact_method', 'notify_by_slack', 'voice'. */
export interface ContactThere {
  /** Lower case. */
  email: string;
  method: string;
}

/** For people, by what the tool's word holds; mail needs no word, for it is what Holdfast does by itself. */
const words: readonly (readonly [RegExp, string])[] = [
  [/sms/, 'SMS'],
  [/phone|voice/, 'telephone'],
  [/push|mobile/, 'a mobile app'],
  [/slack/, 'Slack'],
  [/telegram/, 'Telegram'],
];

const mostNamed = 5;

/** One problem for each way that is not carried over, with those of `people` whom it reaches. */
export function contactProblems(
  people: readonly ImportedPerson[],
  contacts: readonly ContactThere[],
): ImportProblem[] {
  const named = new Set(people.map(({ email }) => email));
  return words.flatMap(([pattern, word]) => {
    const reached = [
      ...new Set(
        contacts
          .filter(({ email, method }) => named.has(email) && pattern.test(method))
          .map(({ email }) => email),
      ),
    ].sort();
    if (reached.length === 0) return [];
    const more = reached.length - mostNamed;
    const who = `${reached.slice(0, mostNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
    return [
      {
        where: `people reached by ${word}`,
        message: `${who}: told by mail here until they choose mail, Slack or a channel on their account page`,
      },
    ];
  });
}
