import { z } from 'zod';
import { type ChangeStatus, type ChangeType, changeStatuses, changeTypes } from './change.ts';
import { type ChangeReport, longest } from './report.ts';
import { changeTypeNames } from './words.ts';

const text = (most: number) =>
  z.string().trim().min(1, 'write something').max(most, `at most ${most} characters`);

/** What a person or a pipeline says of a change in Holdfast's own words. */
export const newChangeFields = {
  type: z.enum(changeTypes).default('deployment'),
  status: z.enum(changeStatuses).default('succeeded'),
  service: text(longest.name).nullish(),
  environment: text(longest.name).nullish(),
  title: text(longest.title).nullish().meta({ description: 'Without one it is made of type and service' }),
  version: text(longest.version).nullish(),
  previousVersion: text(longest.version)
    .nullish()
    .meta({ description: 'Without one it is that of the last change of the same service and environment' }),
  url: z
    .url({ protocol: /^https?$/, error: 'write a link that begins with https:// or http://' })
    .max(longest.url)
    .nullish(),
  at: z.iso
    .datetime({ offset: true, error: "write an ISO 8601 time such as '2026-11-21T02:14:00Z'" })
    .nullish()
    .meta({ description: 'When it took effect; without one: now' }),
};

type Given<T> = T | null | undefined;
export interface NewChange {
  type: ChangeType;
  status: ChangeStatus;
  service?: Given<string>;
  environment?: Given<string>;
  title?: Given<string>;
  version?: Given<string>;
  previousVersion?: Given<string>;
  url?: Given<string>;
  at?: Given<string>;
}

export const saysWhat = ({ service, title }: Pick<NewChange, 'service' | 'title'>): boolean =>
  Boolean(service ?? title);
export const saysWhatRemedy = { path: ['title'], message: 'say what changed: a title or a service' };

/** As a report under the sender's name of it, told by `author`. */
export function newChangeReport(
  change: NewChange,
  by: { externalId: string; author: string | null },
): ChangeReport {
  const { service, title, type } = change;
  return {
    externalId: by.externalId,
    type,
    status: change.status,
    service: service ?? null,
    environment: change.environment ?? null,
    title: title ?? `${changeTypeNames[type]} of ${service}`,
    version: change.version ?? null,
    previousVersion: change.previousVersion ?? null,
    author: by.author,
    url: change.url ?? null,
    at: change.at ? Date.parse(change.at) : null,
    begins: false,
    data: {},
  };
}
