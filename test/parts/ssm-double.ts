import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { loopback } from '../../stack/port.ts';

/** How an instance carries a command out: its statuses, one for each time that it is looked at. */
export interface SsmInstance {
  statuses: string[];
  /** Of the last status; the last status itself where absent. */
  details?: string;
  responseCode?: number;
  output?: string;
  errors?: string;
  /** Of a document with several steps: GetCommandInvocation wants to know which one. */
  steps?: { name: string; responseCode: number; output: string }[];
  /** Does not end a command that is cancelled. */
  stubborn?: boolean;
}

export interface SsmFailure {
  status: number;
  type: string;
  message?: string;
  /** The request is carried out, and only the answer is lost. */
  afterwards?: boolean;
}

export interface SsmCommand {
  CommandId: string;
  Comment: string;
  DocumentName: string;
  InstanceIds: string[];
  Parameters: Record<string, string[]>;
  TimeoutSeconds: number;
}

export interface SsmDouble {
  url: string;
  commands: SsmCommand[];
  /** Operations in the order of the requests. */
  asked: string[];
  /** Managed instances; what is not here SendCommand refuses. */
  instances: Map<string, SsmInstance>;
  /** The next requests of an operation fail so, one each. */
  failures: Map<string, SsmFailure[]>;
  /** Refuses what the API reference refuses; the reasons stand here too, for no test may cause one unseen. */
  violations: string[];
  /** The command has this status everywhere from now on. */
  settle(command: SsmCommand, status: string): void;
  close(): Promise<void>;
}

const instanceId = z.string().regex(/^(i-(\w{8}|\w{17})|mi-\w{17})$/);
const commandId = z.string().length(36);

/** Shapes and limits of the Systems Manager API reference (2014-11-06). */
const requests = {
  SendCommand: z.strictObject({
    DocumentName: z.string().regex(/^[a-zA-Z0-9_\-.:/]{3,128}$/),
    InstanceIds: z.array(instanceId).min(1).max(50),
    Parameters: z.record(z.string(), z.array(z.string())).optional(),
    Comment: z.string().max(100),
    TimeoutSeconds: z.int().min(30).max(2_592_000),
  }),
  ListCommands: z.strictObject({
    MaxResults: z.int().min(1).max(50).optional(),
    NextToken: z.string().optional(),
    Filters: z
      .array(
        z.strictObject({
          key: z.enum(['InvokedAfter', 'InvokedBefore', 'Status', 'ExecutionStage', 'DocumentName']),
          value: z.string().min(1).max(128),
        }),
      )
      .min(1)
      .max(5)
      .optional(),
  }),
  GetCommandInvocation: z.strictObject({
    CommandId: commandId,
    InstanceId: instanceId,
    PluginName: z.string().min(4).optional(),
  }),
  ListCommandInvocations: z.strictObject({
    CommandId: commandId,
    InstanceId: instanceId.optional(),
    Details: z.boolean().optional(),
  }),
  CancelCommand: z.strictObject({
    CommandId: commandId,
    InstanceIds: z.array(instanceId).max(50).optional(),
  }),
  DescribeInstanceInformation: z.strictObject({
    Filters: z
      .array(z.strictObject({ Key: z.literal('InstanceIds'), Values: z.array(instanceId).min(1).max(100) }))
      .optional(),
    MaxResults: z.int().min(5).max(50).optional(),
  }),
  DescribeDocument: z.strictObject({ Name: z.string().regex(/^[a-zA-Z0-9_\-.:/]{3,128}$/) }),
};
type Operation = keyof typeof requests;

class RefusedRequest extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

/** Commands that run, fail, stay away and are cancelled, which moto's never do. One page has two commands. */
export async function startSsmDouble(): Promise<SsmDouble> {
  const state = {
    commands: [] as SsmCommand[],
    asked: [] as string[],
    instances: new Map<string, SsmInstance>(),
    failures: new Map<string, SsmFailure[]>(),
    violations: [] as string[],
  };
  const server = createServer(async (request, answer) => {
    const send = (status: number, body: object): void => {
      answer.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    };
    const operation = String(request.headers['x-amz-target']).replace(/^AmazonSSM\./, '');
    state.asked.push(operation);
    const failure = state.failures.get(operation)?.shift();
    try {
      const body = await readBody(request);
      if (!failure || failure.afterwards) {
        const result = handle(state, operation, request, body);
        if (!failure) return send(200, result);
      }
      send(failure.status, { __type: failure.type, message: failure.message ?? '' });
    } catch (error) {
      if (!(error instanceof RefusedRequest)) throw error;
      if (error.type === 'ValidationException') state.violations.push(error.message);
      send(400, { __type: error.type, message: error.message });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, loopback, resolve));
  return {
    ...state,
    url: `http://${loopback}:${(server.address() as AddressInfo).port}`,
    settle(command, status) {
      for (const statuses of progress.get(command)?.values() ?? [])
        statuses.splice(0, statuses.length, status);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type State = Pick<SsmDouble, 'commands' | 'instances'>;
/** What is left of each instance's statuses, by command and instance. */
const progress = new WeakMap<SsmCommand, Map<string, string[]>>();

function handle(state: State, operation: string, request: IncomingMessage, body: string): object {
  if (!(operation in requests))
    throw new RefusedRequest('ValidationException', `no such operation ${operation}`);
  const scope = /Credential=[^/]+\/\d{8}\/([a-z0-9-]+)\/ssm\/aws4_request/.exec(
    request.headers.authorization ?? '',
  );
  if (!scope || request.headers['content-type'] !== 'application/x-amz-json-1.1') {
    throw new RefusedRequest('ValidationException', 'not signed for ssm, or not JSON 1.1');
  }
  const checked = requests[operation as Operation].safeParse(JSON.parse(body));
  if (!checked.success) {
    throw new RefusedRequest('ValidationException', `${operation}: ${checked.error.issues[0]?.message}`);
  }
  return handlers[operation as Operation](state, checked.data as never);
}

type Asked<O extends Operation> = z.infer<(typeof requests)[O]>;
const handlers: { [O in Operation]: (state: State, asked: Asked<O>) => object } = {
  SendCommand(state, asked) {
    const strange = asked.InstanceIds.filter((id) => !state.instances.has(id));
    if (strange.length > 0) {
      throw new RefusedRequest(
        'InvalidInstanceId',
        `Instances [[${strange.join(', ')}]] not in a valid state for account 1`,
      );
    }
    if (new Set(asked.InstanceIds).size !== asked.InstanceIds.length)
      throw new RefusedRequest('DuplicateInstanceId', '');
    const command = { CommandId: randomUUID(), ...asked, Parameters: asked.Parameters ?? {} };
    state.commands.push(command);
    const plans = new Map<string, string[]>();
    for (const id of asked.InstanceIds) plans.set(id, [...(state.instances.get(id)?.statuses ?? [])]);
    progress.set(command, plans);
    return { Command: { ...command, Status: 'Pending', StatusDetails: 'Pending' } };
  },
  ListCommands(state, { Filters = [], NextToken = '0' }) {
    const document = Filters.find(({ key }) => key === 'DocumentName')?.value;
    const fitting = state.commands.filter(({ DocumentName }) => [undefined, DocumentName].includes(document));
    const start = Number(NextToken);
    const next = start + 2;
    return {
      Commands: fitting
        .slice(start, next)
        .map((command) => ({ ...command, Status: statusOfCommand(command) })),
      ...(next < fitting.length ? { NextToken: String(next) } : {}),
    };
  },
  GetCommandInvocation(state, { CommandId, InstanceId, PluginName }) {
    const instance = state.instances.get(InstanceId) ?? { statuses: [] };
    const status = nextStatus(state, CommandId, InstanceId);
    if (instance.steps && PluginName === undefined) throw new RefusedRequest('InvalidPluginName', '');
    const isLast = ['Success', 'Failed', 'TimedOut'].includes(status);
    return {
      CommandId,
      InstanceId,
      Status: status,
      StatusDetails: isLast ? (instance.details ?? status) : status,
      ResponseCode: isLast ? (instance.responseCode ?? 0) : -1,
      StandardOutputContent: isLast ? (instance.output ?? '') : '',
      StandardErrorContent: isLast ? (instance.errors ?? '') : '',
    };
  },
  ListCommandInvocations(state, { CommandId, InstanceId = '', Details }) {
    const instance = state.instances.get(InstanceId) ?? { statuses: [] };
    const status = nextStatus(state, CommandId, InstanceId);
    const plugins = (instance.steps ?? []).map(({ name, responseCode, output }) => ({
      Name: name,
      Status: responseCode === 0 ? 'Success' : 'Failed',
      ResponseCode: responseCode,
      Output: output.slice(0, 2500),
    }));
    return {
      CommandInvocations: [
        {
          CommandId,
          InstanceId,
          Status: status,
          StatusDetails: status,
          ...(Details ? { CommandPlugins: plugins } : {}),
        },
      ],
    };
  },
  CancelCommand(state, { CommandId }) {
    const command = commandOf(state, CommandId);
    for (const [id, statuses] of progress.get(command) ?? []) {
      const isOver = statuses.length === 1 && ['Success', 'Failed', 'TimedOut'].includes(statuses[0] ?? '');
      if (isOver) continue;
      const stubborn = state.instances.get(id)?.stubborn;
      statuses.splice(0, statuses.length, 'Cancelling', ...(stubborn ? [] : ['Cancelled']));
    }
    return {};
  },
  DescribeInstanceInformation(state, { Filters = [] }) {
    const wanted = Filters[0]?.Values ?? [...state.instances.keys()];
    return {
      InstanceInformationList: wanted
        .filter((id) => state.instances.has(id))
        .map((id) => ({
          InstanceId: id,
          PingStatus: state.instances.get(id)?.statuses[0] === 'Delayed' ? 'ConnectionLost' : 'Online',
          PlatformName: 'Debian GNU/Linux',
          ComputerName: `host-of-${id}`,
        })),
    };
  },
  DescribeDocument(_, { Name }) {
    if (Name !== 'AWS-RunShellScript')
      throw new RefusedRequest('InvalidDocument', `Document with name ${Name} does not exist.`);
    return {
      Document: {
        Name,
        Status: 'Active',
        DocumentType: 'Command',
        PlatformTypes: ['Linux', 'MacOS'],
        Parameters: [
          { Name: 'commands', Type: 'StringList' },
          { Name: 'workingDirectory', Type: 'String', DefaultValue: '' },
        ],
      },
    };
  },
};

function commandOf({ commands }: State, id: string): SsmCommand {
  const command = commands.find(({ CommandId }) => CommandId === id);
  if (!command) throw new RefusedRequest('InvalidCommandId', '');
  return command;
}

/** The last status stays; 'unknown' stands for an invocation that SSM does not know of yet. */
function nextStatus(state: State, id: string, instance: string): string {
  const statuses = progress.get(commandOf(state, id))?.get(instance) ?? [];
  const status = statuses.length > 1 ? statuses.shift() : statuses[0];
  if (status === undefined || status === 'unknown') throw new RefusedRequest('InvocationDoesNotExist', '');
  return status;
}

function statusOfCommand(command: SsmCommand): string {
  const left = [...(progress.get(command)?.values() ?? [])].map((statuses) => statuses[0] ?? 'Pending');
  for (const status of ['Cancelling', 'Cancelled', 'Failed', 'TimedOut'])
    if (left.includes(status)) return status;
  return left.every((status) => status === 'Success') ? 'Success' : 'InProgress';
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
