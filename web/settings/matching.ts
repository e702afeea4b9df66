import { severities } from '../../domain/severity.ts';
import { type Field, field, type Problems } from '../layout/fields.ts';
import { severityMarks } from '../layout/words.ts';

/** What policies are chosen by: severity, service and alert name, the last two as globs. */
interface MatchValues {
  severity: string;
  service: string;
  alert: string;
}

export function matchOf(values: MatchValues) {
  const severity = severities.find((known) => known === values.severity);
  if (!severity && !values.service && !values.alert) return undefined;
  return {
    ...(severity ? { severity } : {}),
    ...(values.service ? { service: values.service } : {}),
    ...(values.alert ? { alert: values.alert } : {}),
  };
}

export function matchFields(given: { values: Record<string, string>; problems: Problems }): Field[] {
  return [
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
}

/** 'critical incidents of checkout whose alert is Payment*' */
export function matchText(
  match:
    | { severity?: string | undefined; service?: string | undefined; alert?: string | undefined }
    | undefined,
): string {
  const severity = match?.severity ? `${match.severity} ` : '';
  const service = match?.service ? ` of ${match.service}` : '';
  const alert = match?.alert ? ` with alert ${match.alert}` : '';
  return `${severity || service || alert ? '' : 'all '}${severity}incidents${service}${alert}`;
}

/** Undefined for a name that can stand in an address. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'Give it a name.';
  if (name === 'new') return 'The name new is taken by this form.';
  return /^[\w][\w.-]{0,62}$/.test(name) ? undefined : 'Use letters, digits, -, _ and . only (at most 63).';
}
