import { describe, expect, test } from 'vitest';
import { evaluateRules } from './evaluate.ts';
import { notificationRule, type RuleEvent } from './rule.ts';
import { fillTemplate } from './template.ts';

const event: RuleEvent = {
  trigger: 'incident.opened',
  at: Date.parse('2026-03-28T23:30:00Z'),
  severity: 'critical',
  service: 'payment-api',
  team: 'shop',
  alerts: ['HighLatency', 'DiskFull'],
  labels: { region: 'eu-1' },
};

const rule = (written: object) => ({
  name: 'tell',
  definition: notificationRule.parse({
    triggers: ['incident.opened'],
    targets: [{ type: 'email', address: 'ana@example.com' }],
    ...written,
  }),
});
const verdict = (written: object, told: Partial<RuleEvent> = {}) =>
  evaluateRules([rule(written)], { ...event, ...told })[0];

describe('a rule', () => {
  test('that names every condition says of each what held', () => {
    const when = {
      severities: ['critical', 'high'],
      service: 'payment-*',
      alert: 'Disk*',
      team: 'shop',
      labels: { region: 'eu-?' },
      hours: { timeZone: 'Europe/Berlin', days: ['sun'], from: '00:00', to: '06:00' },
    };
    expect(verdict({ when })).toMatchObject({
      matched: true,
      reasons: [
        'it waits for incident.opened',
        'the severity is critical',
        "the service 'payment-api' matches 'payment-*'",
        "the alert 'DiskFull' matches 'Disk*'",
        'the team is shop',
        "the label region 'eu-1' matches 'eu-?'",
        'the time is within Sun 00:00–06:00 Europe/Berlin',
      ],
    });
  });

  test.each([
    [{ enabled: false }, {}, 'the rule is switched off'],
    [{}, { trigger: 'sla.breached' }, 'it does not wait for sla.breached'],
    [{ when: { severities: ['low', 'info'] } }, {}, 'the severity is critical, not low or info'],
    [{ when: { severities: ['low'] } }, { severity: null }, 'the severity is not known, not low'],
    [{ when: { service: 'db-*' } }, {}, "the service 'payment-api' does not match 'db-*'"],
    [{ when: { service: '*' } }, { service: null }, "the service is not known, and '*' is asked for"],
    [{ when: { alert: 'Cpu*' } }, {}, "none of its alerts matches 'Cpu*'"],
    [{ when: { team: 'ops' } }, {}, 'the team is shop, not ops'],
    [{ when: { labels: { toString: '*' } } }, {}, "the label toString is not known, and '*' is asked for"],
  ] as const)('that does not match says why: %j %j', (written, told, reason) => {
    expect(verdict(written, told as Partial<RuleEvent>)).toMatchObject({ matched: false, reasons: [reason] });
  });

  test('by the hour follows the clock on the wall through the night that loses an hour', () => {
    const when = { hours: { timeZone: 'Europe/Berlin', days: ['sat'], from: '22:00', to: '06:00' } };
    // 29 March 2026: 05:59 in Berlin is 03:59 UTC, an hour earlier than in winter
    expect(verdict({ when }, { at: Date.parse('2026-03-29T03:59:00Z') })?.matched).toBe(true);
    expect(verdict({ when }, { at: Date.parse('2026-03-29T04:00:00Z') })?.matched).toBe(false);
  });
});

describe("a rule's own text", () => {
  test('is filled with facts as they are, and never with what a fact itself says', () => {
    const facts = { 'incident.title': '{{incident.number}} <b>$& down</b>', 'incident.number': '7' };
    expect(fillTemplate('#{{ incident.number }} {{incident.title}} at {{incident.service}}', facts)).toBe(
      '#7 {{incident.number}} <b>$& down</b> at –',
    );
  });

  test('that names a field that there is not is refused, with those that there are', () => {
    const refused = notificationRule.safeParse({
      triggers: ['incident.opened'],
      targets: [{ type: 'email', address: 'ana@example.com' }],
      template: '{{incident.number}} {{incident.secret}} {{constructor}}',
    });
    expect(refused.error?.issues[0]).toMatchObject({
      path: ['template'],
      message: expect.stringContaining("no field 'incident.secret', 'constructor': write one of trigger,"),
    });
  });
});
