import { targetName } from '../escalation/pages.ts';
import { evaluateRules } from './evaluate.ts';
import type { NotificationRule, NotificationTrigger, RuleEvent } from './rule.ts';
import { fillTemplate, type TemplateFacts } from './template.ts';

/** What really happened, as rules see it, and what people know it by. */
export interface PastEvent extends RuleEvent {
  /** 'Payments are slow', or the name of a runbook. */
  title: string;
  incidentNumber: number | null;
  /** A silence kept it from being told. */
  heldBack: boolean;
  facts: TemplateFacts;
}

/** What a rule would have made of what happened. */
export interface RulePreview {
  /** Looked at. */
  events: number;
  /** And told. */
  matched: number;
  /** Matched, and told to nobody because of silences. */
  heldBack: number;
  /** One for each target of each event that matched. */
  messages: number;
  targets: { target: string; messages: number }[];
  triggers: { trigger: NotificationTrigger; events: number; matched: number }[];
  /** Events that matched and were told, the latest first. */
  newest: {
    trigger: NotificationTrigger;
    at: number;
    title: string;
    incidentNumber: number | null;
    reasons: string[];
    /** The rule's own text, filled in. */
    note: string | null;
  }[];
  /** Why others did not match, the most frequent first. */
  misses: { reason: string; events: number }[];
}

const newestShown = 50;
const missesShown = 10;

/** @param events newest first */
export function previewRule(
  name: string,
  definition: NotificationRule,
  events: readonly PastEvent[],
): RulePreview {
  const triggers = new Map(
    definition.triggers.map((trigger) => [trigger, { trigger, events: 0, matched: 0 }]),
  );
  const misses = new Map<string, number>();
  const newest: RulePreview['newest'] = [];
  let matched = 0;
  let heldBack = 0;
  for (const event of events) {
    const [verdict] = evaluateRules([{ name, definition }], event);
    if (!verdict) continue;
    const counted = triggers.get(event.trigger);
    if (counted) counted.events++;
    if (!verdict.matched) {
      for (const reason of verdict.reasons) misses.set(reason, (misses.get(reason) ?? 0) + 1);
      continue;
    }
    if (event.heldBack) {
      heldBack++;
      continue;
    }
    matched++;
    if (counted) counted.matched++;
    if (newest.length < newestShown) {
      const { trigger, at, title, incidentNumber } = event;
      const facts = { ...event.facts, trigger, time: new Date(at).toISOString() };
      const note = verdict.template === null ? null : fillTemplate(verdict.template, facts);
      newest.push({ trigger, at, title, incidentNumber, reasons: verdict.reasons, note });
    }
  }
  const names = [...new Set(definition.targets.map(targetName))];
  return {
    events: events.length,
    matched,
    heldBack,
    messages: matched * names.length,
    targets: names.map((target) => ({ target, messages: matched })),
    triggers: [...triggers.values()],
    newest,
    misses: [...misses]
      .map(([reason, count]) => ({ reason, events: count }))
      .sort((a, b) => b.events - a.events)
      .slice(0, missesShown),
  };
}
