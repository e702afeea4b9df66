import type { IncidentMatch } from '../../domain/policies.ts';
import { severities } from '../../domain/severity.ts';
import { type Field, field, type Problems } from '../layout/fields.ts';
import { severityMarks } from '../layout/words.ts';

/** What policies are chosen by: severity, service and alert name, the last two as globs; where a form has them, team and labels. */
interface MatchValues {
  severity: string;
  service: string;
  alert: string;
  /** Slug. */
  team?: string;
  /** Lines such as 'cluster = eu-*'. */
  labels?: string;
}

export function matchOf(values: MatchValues): IncidentMatch | undefined {
  const severity = severities.find((known) => known === values.severity);
  const labels = readLabels(values.labels ?? '');
  const match = {
    ...(severity ? { severity } : {}),
    ...(values.service ? { service: values.service } : {}),
    ...(values.alert ? { alert: values.alert } : {}),
    ...(values.team ? { team: values.team } : {}),
    ...('labels' in labels && Object.keys(labels.labels).length > 0 ? { labels: labels.labels } : {}),
  };
  return Object.keys(match).length > 0 ? match : undefined;
}

/** Lines such as 'cluster = eu-*'; a value is a glob and may hold further '='. */
export function readLabels(text: string): { labels: Record<string, string> } | { problem: string } {
  const labels: Record<string, string> = {};
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line === '') continue;
    const at = line.indexOf('=');
    const name = line.slice(0, at).trim();
    const value = line.slice(at + 1).trim();
    if (at < 1 || name === '' || value === '') {
      return { problem: `“${line}” is no label: write lines such as cluster = eu-*.` };
    }
    labels[name] = value;
  }
  return { labels };
}

export function labelsText(labels: Record<string, string> | undefined): string {
  return Object.entries(labels ?? {})
    .map(([name, value]) => `${name} = ${value}`)
    .join('\n');
}

/** @param teams where the form has team and labels too */
export function matchFields(
  given: { values: Record<string, string>; problems: Problems },
  teams?: { slug: string; name: string }[],
): Field[] {
  const fields = [
    field('severity', 'Severity', {
      ...given,
      choices: [
        { value: '', label: 'Any' },
        ...severities.map((value) => ({ value, label: severityMarks[value].word })),
      ],
    }),
    field('service', 'Service', { ...given, optional: true, hint: 'Such as checkout or pay-*' }),
    field('alert', 'Alert name', { ...given, optional: true, hint: 'Such as Payment*' }),
  ];
  if (!teams) return fields;
  return [
    ...fields,
    field('team', 'Team', {
      ...given,
      choices: [
        { value: '', label: 'Any' },
        ...teams.map(({ slug, name }) => ({ value: slug, label: name })),
        ...teamThatIsGone(given.values.team, teams),
      ],
    }),
    field('labels', 'Labels', {
      ...given,
      optional: true,
      rows: 2,
      hint: 'One per line, such as cluster = eu-*; all must hold',
    }),
  ];
}

/** What is saved stays chosen, and saving again does not widen what a policy is for. */
function teamThatIsGone(team: string | undefined, teams: { slug: string }[]) {
  if (!team || teams.some(({ slug }) => slug === team)) return [];
  return [{ value: team, label: `${team} (no such team)` }];
}

/** 'critical incidents of checkout whose alert is Payment*' */
export function matchText(match: IncidentMatch | undefined): string {
  const severity = match?.severity ? `${match.severity} ` : '';
  const service = match?.service ? ` of ${match.service}` : '';
  const alert = match?.alert ? ` with alert ${match.alert}` : '';
  const team = match?.team ? ` of the team ${match.team}` : '';
  const labels = Object.entries(match?.labels ?? {}).map(([name, value]) => `${name} = ${value}`);
  const labelled = labels.length > 0 ? ` labelled ${labels.join(', ')}` : '';
  const chosen = severity || service || alert || team || labelled;
  return `${chosen ? '' : 'all '}${severity}incidents${service}${alert}${team}${labelled}`;
}

/** Undefined for a name that can stand in an address. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'Give it a name.';
  if (name === 'new') return 'The name new is taken by this form.';
  return /^[\w][\w.-]{0,62}$/.test(name) ? undefined : 'Use letters, digits, -, _ and . only (at most 63).';
}
