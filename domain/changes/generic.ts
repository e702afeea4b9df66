import { z } from 'zod';
import { type ChangeStatus, type ChangeType, changeStatuses, changeTypes } from './change.ts';
import {
  type ChangeMapping,
  instantOf,
  linkOf,
  longest,
  type MappedField,
  type ReadChange,
  serviceOf,
  textOf,
} from './report.ts';
import { changeTypeNames } from './words.ts';

/**
 * A change as anybody's own pipeline tells it: under the names of `mappedFields`, or where the source's mapping says
 * that they stand. `bodyId` names a change that has no id of its own.
 */
export function readGeneric(payload: unknown, mapping: ChangeMapping, bodyId: string): ReadChange {
  if (!z.record(z.string(), z.unknown()).safeParse(payload).success) {
    return { invalid: [{ field: 'body', message: 'send a JSON object' }] };
  }
  const at = (field: MappedField) => valueAt(payload, mapping.fields[field] ?? field);
  const text = (field: MappedField, most?: number) => textOf(at(field), most);
  const problems: { field: string; message: string }[] = [];
  const refuse = (field: MappedField, message: string) => {
    problems.push({ field: mapping.fields[field] ?? field, message });
  };

  const service = serviceOf(mapping, [text('service')]);
  const version = text('version', longest.version);
  const title = text('title', longest.title);
  if (service === null && title === null) refuse('title', 'say what changed: a title or a service');
  const type = typeOf(text('type'));
  if (type === undefined) refuse('type', `write one of ${changeTypes.join(', ')}`);
  const status = statusOf(text('status'));
  if (status === undefined) refuse('status', `write one of ${changeStatuses.join(', ')}`);
  const given = at('at');
  const instant = given === undefined || given === null ? null : instantOf(given);
  if (given !== undefined && given !== null && instant === null) {
    refuse('at', 'write an ISO 8601 time, or seconds or milliseconds since 1970');
  }
  if (problems.length > 0 || type === undefined || status === undefined) return { invalid: problems };
  return {
    change: {
      externalId: text('externalId') ?? bodyId,
      type,
      status,
      service,
      environment: text('environment') ?? mapping.environment,
      title: title ?? `${changeTypeNames[type]} of ${service}`,
      version,
      previousVersion: text('previousVersion', longest.version),
      author: text('author'),
      url: linkOf(at('url')),
      at: instant,
      begins: false,
      data: {},
    },
  };
}

/** What stands at 'app.name' or 'items.0.id'; undefined where nothing does. A key with dots is found as a whole, too. */
function valueAt(body: unknown, path: string): unknown {
  if (typeof body !== 'object' || body === null) return undefined;
  if (Object.hasOwn(body, path)) return (body as Record<string, unknown>)[path];
  let value: unknown = body;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** What pipelines call it, besides Holdfast's own words. */
const typeWords: Record<string, ChangeType> = {
  deploy: 'deployment',
  release: 'deployment',
  rollout: 'deployment',
  configuration: 'config',
  settings: 'config',
  commit: 'code',
  push: 'code',
  merge: 'code',
  flag: 'feature_flag',
  toggle: 'feature_flag',
  infra: 'infrastructure',
};
const statusWords: Record<string, ChangeStatus> = {
  success: 'succeeded',
  successful: 'succeeded',
  ok: 'succeeded',
  passed: 'succeeded',
  complete: 'succeeded',
  completed: 'succeeded',
  finished: 'succeeded',
  deployed: 'succeeded',
  failure: 'failed',
  error: 'failed',
  cancelled: 'failed',
  aborted: 'failed',
  pending: 'started',
  running: 'started',
  in_progress: 'started',
  reverted: 'rolled_back',
  rollback: 'rolled_back',
};

/** Without a word it is a deployment that succeeded: most who send one by hand tell of that. */
function typeOf(word: string | null): ChangeType | undefined {
  return word === null ? 'deployment' : oneOf(changeTypes, typeWords, word);
}

function statusOf(word: string | null): ChangeStatus | undefined {
  return word === null ? 'succeeded' : oneOf(changeStatuses, statusWords, word);
}

function oneOf<T extends string>(own: readonly T[], others: Record<string, T>, word: string): T | undefined {
  const written = word.toLowerCase().replaceAll(/[\s-]+/g, '_');
  const known = own.find((each) => each === written);
  return known ?? (Object.hasOwn(others, written) ? others[written] : undefined);
}
