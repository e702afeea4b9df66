import type { MethodState } from '../../db/contact-rules.ts';
import type { UserIdentity } from '../../db/user-identities.ts';
import { methodKey, methodsOf } from '../../domain/contact-method.ts';
import type { ContactMethod, ContactRules } from '../../domain/contact-rules.ts';
import { durationMs, formatDuration } from '../../domain/duration.ts';
import type { Mark } from '../layout/words.ts';
import { severityMarks } from '../layout/words.ts';
import { methodText } from './contact-form.ts';

export interface ContactView {
  /** 'Critical and high: Slack, by ops-bot at once; e-mail to ana@example.com after 5 min'. */
  rules: { when: string; steps: string[] }[];
  ways: { way: string; mark: Mark; at: string | null; problem: string | null }[];
  timeZone: string | null;
  identities: { provider: string; name: string; linkedAt: string }[];
}

const providers: Record<UserIdentity['provider'], string> = {
  slack: 'Slack',
  teams: 'Microsoft Teams',
  pagerduty: 'PagerDuty',
};

const untested: Mark = { word: 'Not tested', icon: 'pending', tone: 'quiet' };
const testMarks: Record<MethodState['status'], Mark> = {
  started: { word: 'On its way', icon: 'waiting', tone: 'busy' },
  sent: { word: 'Sent', icon: 'done', tone: 'good' },
  failed: { word: 'Failed', icon: 'failed', tone: 'bad' },
  skipped: { word: 'Not sent', icon: 'skipped', tone: 'warning' },
};

/** How somebody is reached, in words, and how the last test by each way went. */
export function contactView(given: {
  email: string;
  rules: ContactRules;
  timeZone: string | null;
  tests: Map<string, MethodState>;
  identities: UserIdentity[];
}): ContactView {
  const { email, rules, tests, identities } = given;
  return {
    rules: rules.map((rule) => ({
      when: rule.severities
        ? rule.severities.map((severity) => severityMarks[severity].word).join(', ')
        : 'Every severity',
      steps: rule.steps.map(({ after, method }) => `${methodText(method, email)} ${afterText(after)}`),
    })),
    ways: methodsOf(rules).map((method) => {
      const test = tests.get(methodKey(method));
      return {
        way: methodText(method, email),
        mark: test ? testMarks[test.status] : untested,
        at: test?.at.toISOString() ?? null,
        problem: problemOf(method, identities) ?? test?.error ?? null,
      };
    }),
    timeZone: given.timeZone,
    identities: identities.map(({ provider, name, externalId, linkedAt }) => ({
      provider: providers[provider],
      name: name || externalId,
      linkedAt: linkedAt.toISOString(),
    })),
  };
}

function problemOf(method: ContactMethod, identities: UserIdentity[]): string | undefined {
  if (method.type !== 'slack' || identities.some(({ provider }) => provider === 'slack')) return undefined;
  return 'Holdfast does not know who you are in Slack: link yourself first.';
}

function afterText(after: string): string {
  const ms = durationMs(after);
  return ms === 0 ? 'at once' : `after ${formatDuration(ms)}`;
}
