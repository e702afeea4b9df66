import type { IncidentLogs } from '../../db/incident-evidence.ts';
import { comparedWithUsual } from '../../domain/logs/usual.ts';

/** The logs panel: patterns with counts, folded stack traces, the lines that say most. */
export interface EvidenceView {
  source: string;
  total: number;
  /** What was asked, for 'why these lines'. */
  query: { name: string; value: string }[];
  link: string | null;
  fetchedAt: string;
  error: string | null;
  /** When a source that failed is asked again by itself. */
  retryAt: string | null;
  patterns: {
    template: string;
    count: number;
    /** 0 to 62: the width of its bar in pixels, the most frequent being the longest. */
    bar: number;
    level: string;
    tone: string;
    firstAt: string;
    lastAt: string;
    /** Against the hour before: 'new', '7× usual'; null where it is as usual or not known. */
    compared: string | null;
    sample: string;
  }[];
  stackTraces: {
    title: string;
    message: string;
    where: string;
    count: number;
    isNew: boolean;
    text: string;
  }[];
  lines: {
    at: string;
    level: string;
    tone: string;
    /** Its first line; the others are folded. */
    message: string;
    more: { lines: number; text: string } | null;
    isNew: boolean;
  }[];
  nothing: boolean;
}

const barWidth = 62;

export function evidenceView(logs: IncidentLogs): EvidenceView {
  const most = Math.max(1, ...logs.patterns.map((pattern) => pattern.count));
  return {
    source: sourceNames[logs.source] ?? logs.source,
    total: logs.total,
    query: Object.entries(logs.query).map(([name, value]) => ({ name, value: readable(value) })),
    link: webUrl(logs.link),
    fetchedAt: logs.fetchedAt.toISOString(),
    error: logs.error,
    retryAt: logs.retryAt?.toISOString() ?? null,
    patterns: logs.patterns.map((pattern) => ({
      ...pattern,
      compared: comparedWithUsual(pattern),
      tone: levelTone(pattern.level),
      bar: Math.max(2, Math.round((barWidth * pattern.count) / most)),
    })),
    stackTraces: logs.stackTraces.map(traceView),
    lines: logs.lines.map(lineView),
    nothing: logs.patterns.length === 0 && logs.stackTraces.length === 0 && logs.lines.length === 0,
  };
}

const sourceNames: Record<string, string> = {
  elasticsearch: 'Elasticsearch',
  loki: 'Loki',
  cloudwatch: 'CloudWatch Logs',
  splunk: 'Splunk',
  builtin: 'the built-in log store',
  postgres: 'the built-in log store',
};

type Trace = IncidentLogs['stackTraces'][number];

function traceView(trace: Trace): EvidenceView['stackTraces'][number] {
  const place = trace.file ? `${trace.file}${trace.line ? `:${trace.line}` : ''}` : '';
  return {
    title: trace.exception,
    message: trace.message,
    where: [trace.function, place].filter(Boolean).join(' · '),
    count: trace.count,
    isNew: trace.isNew,
    text: trace.sample,
  };
}

function lineView(line: IncidentLogs['lines'][number]): EvidenceView['lines'][number] {
  const [first = '', ...others] = line.message.trim().split('\n');
  return {
    at: line.at,
    level: line.level,
    tone: levelTone(line.level),
    message: first,
    more: others.length > 0 ? { lines: others.length, text: others.join('\n') } : null,
    isNew: line.isNew,
  };
}

export function levelTone(level: string): string {
  const word = level.toLowerCase();
  if (/^(fatal|crit|emerg|alert|panic)/.test(word)) return 'critical';
  if (/^err/.test(word)) return 'high';
  if (/^warn/.test(word)) return 'warning';
  return 'quiet';
}

function readable(value: unknown): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value) ?? '';
}

/** An address that may stand in a link: a label could hold 'javascript:…'. */
export function webUrl(text: string | null | undefined): string | null {
  if (!text) return null;
  return /^https?:\/\//i.test(text) && URL.canParse(text) ? text : null;
}
