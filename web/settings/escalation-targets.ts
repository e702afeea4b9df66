import type { Tx } from '../../db/database.ts';
import { readDirectory } from '../../db/directory.ts';
import { listTeams } from '../../db/teams.ts';
import type { Directory } from '../../domain/escalation/resolve.ts';

export interface TargetChoice {
  value: string;
  label: string;
}

/** What a level's targets are chosen from, and the teams that policies are for. */
export interface TargetChoices {
  teams: { slug: string; name: string }[];
  /** For a select in which `chosen` is selected; one that is gone is still named, so that saving does not lose it. */
  groupsFor(chosen: string): { label: string; options: (TargetChoice & { selected: boolean })[] }[];
}

/** @param now epoch milliseconds */
export async function readTargetChoices(
  tx: Tx,
  now: number,
): Promise<{ choices: TargetChoices; directory: Directory }> {
  const directory = await readDirectory(tx, 'all', { at: now });
  return { choices: targetChoices(directory, await listTeams(tx)), directory };
}

export function targetChoices(
  { schedules, people, channels }: Directory,
  teams: TargetChoices['teams'],
): TargetChoices {
  const byLabel = (a: TargetChoice, b: TargetChoice) => a.label.localeCompare(b.label, 'en');
  const groups = [
    {
      label: 'Schedules',
      // a closed select shows nothing of its groups: what is chosen says itself what it is
      options: [...schedules.keys()]
        .map((name) => ({ value: `schedule:${name}`, label: `On call by ${name}` }))
        .sort(byLabel),
    },
    {
      label: 'People',
      options: [...people]
        .map(([email, { name }]) => ({ value: `user:${email}`, label: name ? `${name} (${email})` : email }))
        .sort(byLabel),
    },
    {
      label: 'Channels',
      options: [...channels]
        .map((name) => ({ value: `channel:${name}`, label: `Channel ${name}` }))
        .sort(byLabel),
    },
    { label: 'Mail address', options: [{ value: 'email', label: 'The address beside' }] },
  ].filter(({ options }) => options.length > 0);
  return {
    teams,
    groupsFor(chosen) {
      const known =
        chosen === '' || groups.some(({ options }) => options.some(({ value }) => value === chosen));
      const gone = {
        label: 'Not there any more',
        options: [{ value: chosen, label: chosen.replace(':', ' ') }],
      };
      return [...groups, ...(known ? [] : [gone])].map(({ label, options }) => ({
        label,
        options: options.map((option) => ({ ...option, selected: option.value === chosen })),
      }));
    },
  };
}
