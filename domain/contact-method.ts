import type { ContactMethod, ContactRules } from './contact-rules.ts';

/** The ways to reach a person, once each, in the order of the rules; without rules a mail. */
export function methodsOf(rules: ContactRules): ContactMethod[] {
  const methods = rules.flatMap(({ steps }) => steps.map(({ method }) => method));
  if (methods.length === 0) return [{ type: 'email' }];
  return [...new Map(methods.map((method) => [methodKey(method), method])).values()];
}

/** The same for the same way, such as 'slack:ops'; a mail to the address that they sign in with is 'email:'. */
export function methodKey(method: ContactMethod): string {
  switch (method.type) {
    case 'email':
      return `email:${method.address ?? ''}`;
    case 'slack':
      return `slack:${method.channel}`;
    case 'channel':
      return `channel:${method.name}`;
  }
}
