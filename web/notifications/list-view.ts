import type { Page } from '../../db/cursor.ts';
import type { LogFilter, LoggedMessage, readDeliveryFigures } from '../../db/notification-log.ts';
import type { NotificationStatus, NotificationType } from '../../domain/notification.ts';
import { latencyText, messageMarks, messageTypeWords, typeText, wayText } from './words.ts';

export const notificationsPath = '/notifications';
export const pageSize = 50;

/** What the address of the log asks for; empty: everything. */
export interface LogQuery {
  status: NotificationStatus | '';
  type: NotificationType | '';
  person: string;
  destination: string;
  /** Number, as text. */
  incident: string;
  cursor: string;
}

/** Reads the address; a value that is none counts as not given, so that an old link still shows something. */
export function parseLogQuery(query: Record<string, unknown>): LogQuery {
  const given = (name: string): string => {
    const value = query[name];
    return typeof value === 'string' ? value.trim().slice(0, 500) : '';
  };
  const known = <T extends string>(words: Record<T, unknown>, value: string): T | '' =>
    Object.hasOwn(words, value) ? (value as T) : '';
  const incident = given('incident').replace(/^#/, '');
  return {
    status: known(messageMarks, given('status')),
    type: known(messageTypeWords, given('type')),
    person: given('person'),
    destination: given('destination'),
    incident: /^\d{1,9}$/.test(incident) ? incident : '',
    cursor: given('cursor'),
  };
}

export function filterOf({ status, type, person, destination, incident }: LogQuery): LogFilter {
  return {
    ...(status ? { status: [status] } : {}),
    ...(type ? { type: [type] } : {}),
    ...(person ? { person } : {}),
    ...(destination ? { destination } : {}),
    ...(incident ? { incident: Number(incident) } : {}),
  };
}

export function logView(
  query: LogQuery,
  { page, figures }: { page: Page<LoggedMessage>; figures: Awaited<ReturnType<typeof readDeliveryFigures>> },
) {
  const { cursor, ...filter } = query;
  const filtered = Object.values(filter).some((value) => value !== '');
  return {
    ...filter,
    filtered,
    statuses: choices('Any outcome', messageMarks, query.status, ({ word }) => word),
    types: choices('Any kind', messageTypeWords, query.type, (word) => word),
    sentence: figuresText(figures),
    rows: page.items.map(messageRow),
    empty: filtered ? 'No message is like this' : 'Nothing was sent yet',
    nextHref: page.nextCursor ? hrefOf({ ...query, cursor: page.nextCursor }) : null,
    firstHref: cursor ? hrefOf({ ...query, cursor: '' }) : null,
  };
}

function choices<T>(any: string, words: Record<string, T>, chosen: string, labelOf: (word: T) => string) {
  return [
    { value: '', label: any, selected: chosen === '' },
    ...Object.entries(words).map(([value, word]) => ({
      value,
      label: labelOf(word),
      selected: value === chosen,
    })),
  ];
}

function figuresText({
  sent,
  failed,
  skipped,
  halfMs,
  mostMs,
}: Awaited<ReturnType<typeof readDeliveryFigures>>): string {
  if (sent + failed + skipped === 0) return 'Nothing was sent in the last 24 hours.';
  const others = [
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped > 0 ? [`${skipped} not sent`] : []),
  ];
  const late =
    halfMs === null || mostMs === null
      ? ''
      : ` Half were handed over within ${latencyText(halfMs)} of being due, 95 % within ${latencyText(mostMs)}.`;
  return `In the last 24 hours ${[`${sent} sent`, ...others].join(', ')}.${late}`;
}

function hrefOf(query: LogQuery): string {
  const given = Object.entries(query).filter(([, value]) => value !== '');
  return given.length === 0 ? notificationsPath : `${notificationsPath}?${new URLSearchParams(given)}`;
}

export function messageRow(message: LoggedMessage) {
  const { id, type, subject, destination, person, status, error, incident, latencyMs } = message;
  return {
    id,
    href: `${notificationsPath}/${id}`,
    mark: messageMarks[status],
    type: typeText(type),
    subject: subject.trim() === '' ? typeText(type) : subject,
    error: error ?? '',
    to: person ?? destination,
    by: wayText(message),
    incident: incident?.number ?? null,
    latency: latencyText(latencyMs),
    at: message.createdAt.toISOString(),
  };
}
