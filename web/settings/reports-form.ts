import { type ReportSettings, reportSettings } from '../../domain/reports/settings.ts';
import { type Field, field, type Problems, posted } from '../layout/fields.ts';

export interface ReportValues extends Record<string, string> {
  /** One address per line. */
  recipients: string;
  timeZone: string;
}

export function reportValues(settings: ReportSettings): ReportValues {
  return { recipients: settings.recipients?.join('\n') ?? '', timeZone: settings.timeZone ?? '' };
}

export function postedReports(body: unknown): ReportValues {
  return { recipients: posted(body, 'recipients'), timeZone: posted(body, 'timeZone') };
}

/** What is left empty is not set, so that its default holds. */
export function readReports(values: ReportValues): { settings: ReportSettings } | { problems: Problems } {
  const recipients = values.recipients.split(/[\s,;]+/).filter(Boolean);
  const parsed = reportSettings.safeParse({
    ...(recipients.length > 0 ? { recipients } : {}),
    ...(values.timeZone ? { timeZone: values.timeZone } : {}),
  });
  if (parsed.success) return { settings: parsed.data };
  const problems: Problems = {};
  for (const { path } of parsed.error.issues) {
    const [name, index] = path;
    if (name === 'timeZone') {
      problems.timeZone = 'Write an IANA time zone such as Europe/Berlin or UTC.';
    } else {
      problems.recipients ??=
        typeof index === 'number'
          ? `“${recipients[index] ?? ''}” is no mail address.`
          : 'These are too many addresses: write at most 100, or one of a mailing list.';
    }
  }
  return { problems };
}

export function reportsFormView(
  values: ReportValues,
  problems: Problems,
): { recipients: Field; timeZone: Field } {
  const given = { values, problems, optional: true };
  return {
    recipients: field('recipients', 'Recipients', {
      ...given,
      rows: 4,
      hint: 'One mail address per line. Without any, the reports go to HOLDFAST_SEND_REPORTS_TO, or to the owners.',
    }),
    timeZone: field('timeZone', 'Time zone', {
      ...given,
      hint: 'In which days and hours are counted, such as Europe/Berlin. Without one it is HOLDFAST_TIME_ZONE, or UTC. The hour of sending, Monday 08:00, follows when Holdfast starts again.',
    }),
  };
}
