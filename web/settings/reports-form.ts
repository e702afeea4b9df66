import { type ReportSettings, reportSettings } from '../../domain/reports/settings.ts';
import { type Field, field, type Problems, posted } from '../layout/fields.ts';

export interface ReportValues extends Record<string, string> {
  /** One address per line. */
  recipients: string;
  timeZone: string;
  /** 'payments: ana@example.com, ben@example.com', a team a line. */
  teams: string;
}

export function reportValues(settings: ReportSettings): ReportValues {
  return {
    recipients: settings.recipients?.join('\n') ?? '',
    timeZone: settings.timeZone ?? '',
    teams: Object.entries(settings.teams ?? {})
      .map(([slug, addresses]) => `${slug}: ${addresses.join(', ')}`)
      .join('\n'),
  };
}

export function postedReports(body: unknown): ReportValues {
  return {
    recipients: posted(body, 'recipients'),
    timeZone: posted(body, 'timeZone'),
    teams: posted(body, 'teams'),
  };
}

/** What is left empty is not set, so that its default holds. */
export function readReports(
  values: ReportValues,
  knownTeams: readonly string[] = [],
): { settings: ReportSettings } | { problems: Problems } {
  const teams = readTeams(values.teams, knownTeams);
  if ('problem' in teams) return { problems: { teams: teams.problem } };
  const recipients = values.recipients.split(/[\s,;]+/).filter(Boolean);
  const parsed = reportSettings.safeParse({
    ...(recipients.length > 0 ? { recipients } : {}),
    ...(values.timeZone ? { timeZone: values.timeZone } : {}),
    ...(Object.keys(teams.teams).length > 0 ? { teams: teams.teams } : {}),
  });
  if (parsed.success) return { settings: parsed.data };
  const problems: Problems = {};
  for (const { path } of parsed.error.issues) {
    const [name, index, place] = path;
    if (name === 'teams') {
      const address = typeof place === 'number' ? teams.teams[String(index)]?.[place] : undefined;
      problems.teams ??= address
        ? `“${address}” is no mail address.`
        : 'Write one to 100 addresses for each team.';
    } else if (name === 'timeZone') {
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

function readTeams(
  text: string,
  known: readonly string[],
): { teams: Record<string, string[]> } | { problem: string } {
  const teams: Record<string, string[]> = {};
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line === '') continue;
    const at = line.indexOf(':');
    const slug = line.slice(0, at).trim();
    if (at < 1) return { problem: `“${line}” names no team: write lines such as payments: ana@example.com.` };
    if (!known.includes(slug)) {
      const there = known.length > 0 ? `there are ${known.join(', ')}` : 'there are no teams yet';
      return { problem: `There is no team ${slug}: ${there}.` };
    }
    teams[slug] = line
      .slice(at + 1)
      .split(/[\s,;]+/)
      .filter(Boolean);
  }
  return { teams };
}

export function reportsFormView(
  values: ReportValues,
  problems: Problems,
): { recipients: Field; timeZone: Field; teams: Field } {
  const given = { values, problems, optional: true };
  return {
    recipients: field('recipients', 'Recipients', {
      ...given,
      rows: 4,
      hint: 'One mail address per line. Without any, the reports go to HOLDFAST_SEND_REPORTS_TO, or to the owners.',
    }),
    teams: field('teams', 'Reports of teams', {
      ...given,
      rows: 3,
      hint: 'A line each, such as payments: ana@example.com, ben@example.com. They get a report of that team’s incidents alone.',
    }),
    timeZone: field('timeZone', 'Time zone', {
      ...given,
      hint: 'In which days and hours are counted for those who have set none of their own, such as Europe/Berlin. Without one it is HOLDFAST_TIME_ZONE, or UTC. The hour of sending, Monday 08:00, follows when Holdfast starts again.',
    }),
  };
}
