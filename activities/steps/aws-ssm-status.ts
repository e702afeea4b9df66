import { formatDuration } from '../../domain/duration.ts';

/** How one instance is with the command, in SSM's own words. */
export interface Invocation {
  status: string;
  /** More exact: it tells apart the time-outs, and what was never delivered. */
  details: string;
  /** Exit status of the command; -1: it did not begin. */
  responseCode: number;
  output: string;
  errors: string;
}

/** Statuses of an invocation after which nothing of it runs any more. */
const ended = ['Success', 'Failed', 'TimedOut', 'Cancelled'];
/** Statuses of a whole command that another attempt of the same step takes over. */
const takenOver = ['Pending', 'InProgress', 'Success'];

/** 'Understanding command statuses' of the Systems Manager user guide, for people. */
const words: Readonly<Record<string, string>> = {
  Pending: 'not yet sent to the instance',
  InProgress: 'sent to the instance',
  Delayed: 'the instance could not be reached; SSM tries again',
  Cancelling: 'being cancelled',
  Success: 'succeeded',
  Cancelled: 'cancelled',
  DeliveryTimedOut: 'not delivered in time: the SSM agent of the instance did not answer',
  ExecutionTimedOut: "did not end within the document's own executionTimeout",
  Undeliverable: 'not deliverable: the instance is gone, or its SSM agent does not answer',
  Terminated: 'not run: the command was stopped after errors on other instances',
  InvalidPlatform: 'the document is not for the platform of the instance',
  AccessDenied: 'the role of the instance does not allow it',
};

export function isOver({ status }: Invocation): boolean {
  return ended.includes(status);
}

export function isTakenOver(commandStatus: string): boolean {
  return takenOver.includes(commandStatus);
}

export function describeInvocation({ status, details, responseCode }: Invocation): string {
  // the API says both 'DeliveryTimedOut' and 'Delivery Timed Out'
  const exact = words[details.replaceAll(' ', '')];
  if (status === 'Failed' && exact === undefined) {
    return responseCode > 0 ? `exit status ${responseCode}` : 'failed';
  }
  if (status === 'TimedOut' && exact === undefined) return 'timed out';
  if (status === 'Success') return 'succeeded';
  return exact ?? words[status] ?? (details || status);
}

const mostNamed = 5;

/** What failed where; undefined when the command succeeded everywhere. */
export function failureOf(invocations: ReadonlyMap<string, Invocation>): string | undefined {
  const failed = [...invocations].filter(([, { status }]) => status !== 'Success');
  if (failed.length === 0) return undefined;
  const named = failed
    .slice(0, mostNamed)
    .map(([id, invocation]) => `${id}: ${describeInvocation(invocation)}`);
  const others = failed.length - named.length;
  return `${named.join('; ')}${others > 0 ? `; and ${others} more` : ''}`;
}

/** SSM takes 30 s to 30 days, and begins no command on an instance that answers later than this. Seconds. */
export function deliverySeconds(timeoutMs: number): number {
  return Math.min(2_592_000, Math.max(30, Math.ceil(timeoutMs / 1000)));
}

export function lateWords(timeoutMs: number): string {
  return `timed out after ${formatDuration(timeoutMs)}`;
}
