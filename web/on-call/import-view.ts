import type { ImportPlan, ImportSource } from '../../domain/oncall-import/plan.ts';
import { type Field, field, type Problems } from '../layout/fields.ts';

/** What the form holds as it was typed. */
export interface ImportValues {
  source: string;
  /** The other tool's export, as JSON. */
  text: string;
}

export interface ImportView {
  source: Field;
  text: Field;
  problems: string[];
  plan: PlanView | null;
}

interface PlanView {
  hash: string;
  sentence: string;
  lines: { sign: string; text: string; what: string }[];
  more: number;
  left: { where: string; message: string }[];
  moreLeft: number;
  /** Who is no user here yet. */
  strangers: string[];
  /** Whether the visitor may add them. */
  mayAdd: boolean;
  applies: boolean;
}

const listed = 200;

export const sourceNames: Record<ImportSource, string> = {
  'grafana-oncall': 'Grafana OnCall',
  pagerduty: 'PagerDuty',
  opsgenie: 'Opsgenie',
};

export function importView(
  values: ImportValues,
  given: {
    problems: string[];
    fields: Problems;
    plan: { plan: ImportPlan; hash: string } | null;
    owner: boolean;
  },
): ImportView {
  const typed = { values: { ...values }, problems: given.fields };
  return {
    source: field('source', 'Where it comes from', {
      ...typed,
      choices: Object.entries(sourceNames).map(([value, label]) => ({ value, label })),
    }),
    text: field('text', 'The export, as JSON', {
      ...typed,
      rows: given.plan ? 6 : 16,
      hint: 'The answers of its API in one object; docs/on-call.md says which. At most 10 MB.',
    }),
    problems: given.problems,
    plan: given.plan && planView(given.plan.plan, given.plan.hash, given.owner),
  };
}

function planView(plan: ImportPlan, hash: string, owner: boolean): PlanView {
  const changes = [
    ...plan.people.map(({ email, name, change }) => ({ what: 'person', text: `${name}, ${email}`, change })),
    ...plan.schedules.map((one) => ({ what: 'schedule', text: titled(one), change: one.change })),
    ...plan.policies.map((one) => ({ what: 'escalation policy', text: titled(one), change: one.change })),
  ].filter(({ change }) => change !== 'same');
  const replaced = changes.filter(({ change }) => change === 'replace').length;
  const added = changes.length - replaced;
  const strangers = plan.people.flatMap(({ email, change }) => (change === 'create' ? [email] : []));
  return {
    hash,
    sentence:
      changes.length === 0
        ? 'Nothing would change: all of it stands here already.'
        : `${added} would be added, ${replaced} replaced. Nothing is deleted.`,
    lines: changes.slice(0, listed).map(({ change, text, what }) => ({
      sign: change === 'create' ? '+' : '~',
      text,
      what: `${what}, ${change === 'create' ? 'new' : 'replaced'}`,
    })),
    more: Math.max(0, changes.length - listed),
    left: plan.problems.slice(0, listed),
    moreLeft: Math.max(0, plan.problems.length - listed),
    strangers,
    mayAdd: owner,
    applies: changes.length > 0 && (strangers.length === 0 || owner),
  };
}

function titled({ name, title }: { name: string; title: string }): string {
  return name === title ? name : `${name} (there: ${title})`;
}
