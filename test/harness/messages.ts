import { nothingMeasured } from '../../domain/slo/evaluate.ts';
import type { Accepted, Regrouped } from '../../workflows/messages.ts';
import type { MessageClient } from '../../workflows/messages-client.ts';

/** What was sent, in order: the method and its arguments. */
export interface SentMessage {
  method: keyof MessageClient;
  args: unknown[];
}

export interface FakeMessages extends MessageClient {
  sent: SentMessage[];
  /** What the next message comes to; without it, it is accepted. */
  next(outcome: Error | Accepted | Regrouped): void;
}

const shapes: Record<string, { required: string[]; optional: string[] }> = {
  acknowledge: { required: ['actor', 'asOf'], optional: ['note', 'opening'] },
  resolve: { required: ['actor', 'asOf'], optional: ['note', 'falsePositive', 'opening'] },
  assign: { required: ['actor', 'asOf', 'to'], optional: [] },
  addNote: { required: ['actor', 'asOf', 'text'], optional: ['key'] },
  snooze: { required: ['actor', 'asOf', 'until'], optional: ['opening'] },
  reapplyPolicy: { required: ['actor', 'asOf'], optional: [] },
  setStatus: { required: ['actor', 'asOf', 'status'], optional: [] },
  regroup: { required: ['actor', 'asOf', 'alertIds', 'into'], optional: [] },
  explainBreach: { required: ['actor', 'asOf', 'clock', 'reason', 'note'], optional: [] },
  judgeCause: { required: ['actor', 'asOf', 'service'], optional: [] },
  judgeChange: { required: ['actor', 'asOf', 'changeId', 'verdict'], optional: [] },
  approve: { required: ['actor'], optional: ['approvalId', 'reason'] },
  reject: { required: ['actor'], optional: ['approvalId', 'reason'] },
  cancel: { required: ['actor'], optional: ['reason'] },
  decideUndo: { required: ['actor', 'index', 'decision', 'asOf'], optional: ['reason'] },
};

/** Of the incident that a split makes. */
const newIncidentNumber = 9001;

/** In the place of Temporal: takes only what the real client takes, and remembers it. */
export function createFakeMessages(): FakeMessages {
  const sent: SentMessage[] = [];
  const outcomes: (Error | Accepted)[] = [];

  async function answer(method: keyof MessageClient, args: unknown[]): Promise<Accepted> {
    const [orgId, subject, command] = args;
    if (typeof orgId !== 'string' || !/^[0-9a-f-]{36}$/.test(orgId)) throw new Error(`${method}: no org id`);
    if (subject === undefined) throw new Error(`${method}: no subject`);
    const shape = shapes[method];
    if (shape) {
      const keys = Object.keys(command as object);
      const missing = shape.required.filter((key) => !keys.includes(key));
      const foreign = keys.filter((key) => !shape.required.includes(key) && !shape.optional.includes(key));
      const empty = keys.filter((key) => (command as Record<string, unknown>)[key] === undefined);
      if (missing.length + foreign.length + empty.length > 0) {
        throw new Error(`${method}: missing ${missing}, foreign ${foreign}, undefined ${empty}`);
      }
    }
    sent.push({ method, args });
    const outcome = outcomes.shift() ?? { seq: sent.length, status: 'investigating' };
    if (outcome instanceof Error) throw outcome;
    return outcome;
  }

  return {
    sent,
    next: (outcome) => outcomes.push(outcome),
    acknowledge: (...args) => answer('acknowledge', args),
    resolve: (...args) => answer('resolve', args),
    assign: (...args) => answer('assign', args),
    addNote: (...args) => answer('addNote', args),
    snooze: (...args) => answer('snooze', args),
    reapplyPolicy: (...args) => answer('reapplyPolicy', args),
    setStatus: (...args) => answer('setStatus', args),
    async regroup(...args) {
      const [, number, { alertIds, into }] = args;
      if (alertIds === null && into === null) throw new Error('regroup: all alerts into a new incident');
      if (alertIds?.length === 0) throw new Error('regroup: no alerts');
      if (into === number) throw new Error('regroup: into itself');
      return { into: into ?? newIncidentNumber, ...(await answer('regroup', args)) };
    },
    async previewSlo(orgId, definition) {
      await answer('previewSlo', [orgId, definition]);
      return nothingMeasured;
    },
    explainBreach: (...args) => answer('explainBreach', args),
    judgeCause: (...args) => answer('judgeCause', args),
    judgeChange: (...args) => answer('judgeChange', args),
    approve: (...args) => answer('approve', args),
    reject: (...args) => answer('reject', args),
    cancel: (...args) => answer('cancel', args),
    decideUndo: (...args) => answer('decideUndo', args),
    startExecution: async (...args) => {
      await answer('startExecution', args);
    },
    startReport: async (...args) => {
      await answer('startReport', args);
      return { workflowId: `report:${args[1]}` };
    },
    testContact: async (orgId, { email, ...args }) => {
      await answer('testContact', [orgId, email, args]);
      return { keys: args.methods.map((_, index) => `contact-test:${index}`) };
    },
    testChannel: async (orgId, { channel, ...args }) => {
      await answer('testChannel', [orgId, channel, args]);
      return { ok: true, destination: channel };
    },
    probeChannel: async (orgId, channel) => {
      await answer('probeChannel', [orgId, channel]);
      return { ok: true, response: 'it answers' };
    },
    previewChannel: async (orgId, { channel, type }) => {
      await answer('previewChannel', [orgId, channel, type]);
      return { ok: true, type, text: `what ${channel} would get` };
    },
    dryRun: async (orgId, checks) => {
      await answer('dryRun', [orgId, checks]);
      return checks.map(() => [{ ok: true, what: 'connection', detail: 'takes connections' }]);
    },
    probe: async () => {},
  };
}
