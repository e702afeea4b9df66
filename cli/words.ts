import type { Colour, Word } from './terminal.ts';

const colours: Record<string, Colour> = {
  succeeded: 'green',
  approved: 'green',
  running: 'cyan',
  waiting: 'yellow',
  pending: 'dim',
  skipped: 'dim',
  registered: 'dim',
  failed: 'red',
  rolled_back: 'yellow',
  rollback_failed: 'red',
  cancelled: 'yellow',
  rejected: 'red',
  expired: 'red',
};

/** As people say it. */
export function statusText(status: string): string {
  return status.replaceAll('_', ' ');
}

export function statusWord(status: string): Word {
  const colour = colours[status];
  return colour ? { text: statusText(status), colour } : statusText(status);
}

/** 2026-01-31 03:12:07Z: to be compared and sorted, in no zone but one. */
export function instantText(iso: string): string {
  return iso.replace('T', ' ').replace(/\.\d+Z$/, 'Z');
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
