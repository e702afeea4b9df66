import { type Database, DatabaseUnavailableError } from '../../db/database.ts';
import { type IntakeResult, recordBatches } from '../../db/intake.ts';
import type { IncomingAlert } from '../../domain/alert.ts';
import type { Integration } from '../auth/ingest-key.ts';

/** Transactions of one integration at once: while one waits for the disk, the next does its work. */
const transactions = 2;
/** Alerts in one transaction, unless a single request brings more. */
const groupLimit = 500;

interface Request {
  alerts: IncomingAlert[];
  settle: PromiseWithResolvers<IntakeResult>;
}

interface Line {
  waiting: Request[];
  underWay: number;
  /** Fingerprints that a transaction under way has. */
  taken: Set<string>;
}

/**
 * Stores alerts so that requests which come while others are being stored share the next transaction: a storm of
 * small requests pays for one statement and one write to disk for many of them, and a lone request waits for
 * nothing. Each is answered when the transaction that it was in is durable.
 */
export function createGroupCommit(db: Pick<Database, 'write'>) {
  const lines = new Map<string, Line>();

  function record(integration: Integration, alerts: IncomingAlert[]): Promise<IntakeResult> {
    const { integrationId } = integration;
    const line = lines.get(integrationId) ?? { waiting: [], underWay: 0, taken: new Set() };
    lines.set(integrationId, line);
    const settle = Promise.withResolvers<IntakeResult>();
    line.waiting.push({ alerts, settle });
    if (line.underWay < transactions) void work(integration, line);
    return settle.promise;
  }

  async function work(integration: Integration, line: Line): Promise<void> {
    line.underWay++;
    for (let group = takeGroup(line); group.length > 0; group = takeGroup(line)) {
      await store(integration, group);
      for (const { alerts } of group) for (const { fingerprint } of alerts) line.taken.delete(fingerprint);
    }
    line.underWay--;
    if (line.underWay === 0) lines.delete(integration.integrationId);
  }

  /** Never rejects: what goes wrong is told to those whose alerts they were. */
  async function store(integration: Integration, group: Request[]): Promise<void> {
    const { orgId, integrationId } = integration;
    const batches = group.map((request) => request.alerts);
    try {
      const results = await db.write({ orgId }, (tx) => recordBatches(tx, { orgId, integrationId, batches }));
      for (const [index, request] of group.entries()) {
        const result = results[index];
        if (result) request.settle.resolve(result);
        else request.settle.reject(new Error('a batch has no result'));
      }
    } catch (error) {
      // what PostgreSQL does not take of one request must not lose the others
      if (group.length > 1 && !(error instanceof DatabaseUnavailableError)) {
        for (const request of group) await store(integration, [request]);
      } else {
        for (const request of group) request.settle.reject(error);
      }
    }
  }

  return { record };
}

/**
 * As many as fit, in the order in which they came. The changes of one alert go one by one: a request that brings
 * an alert which is in this group or in a transaction under way waits for that, and all behind it wait with it.
 */
function takeGroup({ waiting, taken }: Line): Request[] {
  const group: Request[] = [];
  let count = 0;
  for (const request of waiting) {
    const { alerts } = request;
    count += alerts.length;
    if (group.length > 0 && count > groupLimit) break;
    if (alerts.some(({ fingerprint }) => taken.has(fingerprint))) break;
    for (const { fingerprint } of alerts) taken.add(fingerprint);
    group.push(request);
  }
  waiting.splice(0, group.length);
  return group;
}
