import type { LogLine } from '../../domain/logs/log-line.ts';
import type { LogSourceKind } from '../../domain/logs/log-source.ts';
import type { LogQuery } from '../../domain/logs/query.ts';

/** Where logs are kept. Every adapter in this folder has this shape; each call ends within its time-out. */
export interface LogSource {
  readonly kind: LogSourceKind;
  /** As people called it, or its kind. */
  readonly name: string;
  /** `value` as one literal of the source's language, in which nothing of it is syntax; null where it cannot be one. */
  quote(value: string): string | null;
  /**
   * What is there, in words for the system health page. Throws LogSourceUnavailableError or
   * LogSourceRefusedError, as `query` does.
   */
  probe(): Promise<string>;
  /** At most `query.limit` of the lines that `query` asks for: errors before others, the latest first. */
  query(orgId: string, query: LogQuery): Promise<FoundLogs>;
  /** To the same lines in the source's own pages; null where it has none or none is configured. */
  link(query: LogQuery): string | null;
  /** Ends its connections, where it keeps any. */
  close?(): Promise<void>;
}

export interface FoundLogs {
  /** By time, those of one instant as they came: a stack trace may be spread over several. */
  lines: LogLine[];
  /** Lines that the source holds, of which `lines` may be the first. */
  total: number;
  /** The query in the source's own language, for people to paste. */
  asked: string;
  /** What made the answer less than it could be, in words. */
  note: string | null;
}

/** The source is down, slow or overloaded: what was asked can be asked again. */
export class LogSourceUnavailableError extends Error {
  override name = 'LogSourceUnavailableError';
}

/** The source will not answer this however often it is asked: wrong credentials, a bad address, a bad index. */
export class LogSourceRefusedError extends Error {
  override name = 'LogSourceRefusedError';
}

/** Characters of a message that are kept while it is looked at. */
export const messageRead = 8000;
