import { z } from 'zod';
import type { EscalationPolicy, EscalationTarget } from '../policies.ts';
import type { Draft, ImportedPerson } from './imported.ts';
import { durationText } from './turn.ts';

/** Of GET /api/v1/escalation_policies: one step of a chain. */
export const grafanaStep = z.object({
  escalation_chain_id: z.string(),
  position: z.int(),
  type: z.string().nullish(),
  /** Seconds. */
  duration: z.number().min(0).nullish(),
  persons_to_notify: z.array(z.string()).nullish(),
  persons_to_notify_next_each_time: z.array(z.string()).nullish(),
  notify_on_call_from_schedule: z.string().nullish(),
});
export type GrafanaStep = z.output<typeof grafanaStep>;

interface Known {
  /** By id there: the names here. */
  scheduleNames: ReadonlyMap<string, string>;
  people: ReadonlyMap<string, ImportedPerson>;
}

/** How often a chain begins anew there at most. */
const repeatsThere = 5;

/** A wait moves the time of what follows; what is told at one time is one level. */
export function addGrafanaPolicies(
  draft: Draft,
  source: {
    escalation_chains: readonly { id: string; name: string }[];
    escalation_policies: readonly GrafanaStep[];
  },
  known: Known,
): void {
  const byChain = Map.groupBy(source.escalation_policies, (step) => step.escalation_chain_id);
  for (const { id, name } of source.escalation_chains) {
    const where = `escalation chain '${name}'`;
    const steps = (byChain.get(id) ?? []).toSorted((a, b) => a.position - b.position);
    const { levels, repeats, after } = levelsOf(draft, steps, where, known);
    if (levels.length === 0) {
      draft.problem(where, 'it would tell nobody: it is left out');
      continue;
    }
    const last = seconds(levels.at(-1)?.after);
    draft.policies.push({
      name: draft.nameFor('policy', name),
      title: name,
      definition: {
        levels,
        repeats,
        ...(repeats > 0 ? { repeatAfter: durationText(Math.max(60, after - last)) } : {}),
      },
    });
  }
}

function levelsOf(
  draft: Draft,
  steps: readonly GrafanaStep[],
  where: string,
  known: Known,
): Pick<EscalationPolicy, 'levels' | 'repeats'> & { after: number } {
  const levels: EscalationPolicy['levels'] = [];
  let after = 0;
  let repeats = 0;
  for (const [index, step] of steps.entries()) {
    if (step.type === 'wait') {
      after += step.duration ?? 0;
      continue;
    }
    if (step.type === 'repeat_escalation') {
      repeats = repeatsThere;
      continue;
    }
    const targets = targetsOf(draft, step, `${where}, step ${index + 1}`, known);
    if (targets.length === 0) continue;
    const text = durationText(after);
    const level = levels.at(-1);
    if (level?.after === text) level.targets.push(...targets);
    else levels.push({ after: text, targets });
  }
  return { levels, repeats, after };
}

function targetsOf(draft: Draft, step: GrafanaStep, where: string, known: Known): EscalationTarget[] {
  if (step.type === 'notify_on_call_from_schedule') {
    const name = known.scheduleNames.get(step.notify_on_call_from_schedule ?? '');
    if (name) return [{ type: 'schedule', name }];
    draft.problem(where, 'its schedule is not among the schedules of the export: it is left out');
    return [];
  }
  if (step.type === 'notify_person_next_each_time') {
    draft.problem(where, 'it tells one of these people after the other there; here it tells all of them');
  } else if (step.type !== 'notify_persons') {
    draft.problem(where, `'${step.type ?? 'a step without a type'}' is not carried over: it is left out`);
    return [];
  }
  const ids = step.persons_to_notify ?? step.persons_to_notify_next_each_time ?? [];
  return ids.flatMap((id): EscalationTarget[] => {
    const email = known.people.get(id)?.email;
    if (email) return [{ type: 'user', email }];
    draft.problem(where, `${id} is not among the users with a mail address: they are left out`);
    return [];
  });
}

/** Of a text that `durationText` made. */
function seconds(text = '0s'): number {
  return Number.parseInt(text, 10) * (text.endsWith('m') ? 60 : 1);
}
