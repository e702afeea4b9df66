import { createHash } from 'node:crypto';
import type { DocumentDescription, InstanceInformation, SSMClient } from '@aws-sdk/client-ssm';
import { z } from 'zod';
import type { RenderedAwsSsm } from '../../domain/runbook/rendered.ts';
import { deliverySeconds, type Invocation, isTakenOver } from './aws-ssm-status.ts';

/** AWS refuses, and would again. */
export class AwsRefusedError extends Error {
  override name = 'AwsRefusedError';
  /** Of AWS, such as 'AccessDeniedException'. */
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** AWS cannot answer now, or holds us back. */
export class AwsAwayError extends Error {
  override name = 'AwsAwayError';
  /** Whether the request may have been carried out all the same. */
  readonly mayHaveActed: boolean;

  constructor(message: string, mayHaveActed: boolean) {
    super(message);
    this.mayHaveActed = mayHaveActed;
  }
}

export interface AwsSsmDeps {
  /** HOLDFAST_AWS_ENDPOINT; absent: the region's own. */
  endpoint?: string | undefined;
}

export interface FoundCommand {
  id: string;
  /** It is being cancelled. */
  isEnding: boolean;
}

/** Limits of the API reference. */
const mostInstances = 50;
const longestComment = 100;
const instancePattern = /^(?:i-(?:[0-9a-f]{8}|[0-9a-f]{17})|mi-[0-9a-f]{17})$/;
const documentPattern = /^[a-zA-Z0-9_\-.:/]{3,128}$/;
/** It becomes part of a host name. */
const regionPattern = /^[a-z]{2,}(?:-[a-z0-9]+)+$/;

/** How far back a command of an earlier attempt is looked for. */
const lookBackMs = 24 * 3_600_000;
const requestLimitMs = 10_000;
const neverSent = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'];

/** What is wrong with the step before AWS is asked. */
export function obstacleOf({ region, instanceIds, document }: RenderedAwsSsm): string | undefined {
  if (!regionPattern.test(region))
    return `${JSON.stringify(region)} is no AWS region; write one like eu-central-1`;
  if (instanceIds.length === 0) return 'no instance is named';
  if (instanceIds.length > mostInstances) {
    return `${instanceIds.length} instances are named; SSM takes ${mostInstances} in one command: divide the step`;
  }
  const wrong = instanceIds.find((id) => !instancePattern.test(id));
  if (wrong !== undefined)
    return `${JSON.stringify(wrong)} is no instance id; write one like i-0123456789abcdef0`;
  if (!documentPattern.test(document)) return `${JSON.stringify(document)} can be no name of an SSM document`;
  return undefined;
}

/** The only place of SendCommand that is ours and that ListCommands gives back. */
export function markOf(idempotencyKey: string): string {
  const plain = `Holdfast ${idempotencyKey}`;
  if (plain.length <= longestComment) return plain;
  return `Holdfast sha256:${createHash('sha256').update(idempotencyKey).digest('hex')}`;
}

/** What a step asks of Systems Manager. Every method throws AwsRefusedError and AwsAwayError. */
export class SsmApi {
  private readonly library: typeof import('@aws-sdk/client-ssm');
  private readonly action: RenderedAwsSsm;
  /** Tries again by itself, throttled or not. */
  private readonly asking: SSMClient;
  /** Tries once: SendCommand has no token by which SSM would know a second one as the same. */
  private readonly sending: SSMClient;

  private constructor(
    library: typeof import('@aws-sdk/client-ssm'),
    action: RenderedAwsSsm,
    { endpoint }: AwsSsmDeps,
  ) {
    this.library = library;
    this.action = action;
    const settings = {
      region: action.region,
      ...(endpoint === undefined ? {} : { endpoint }),
      requestHandler: {
        requestTimeout: requestLimitMs,
        throwOnRequestTimeout: true,
        connectionTimeout: 5000,
      },
    };
    this.asking = new library.SSMClient({ ...settings, maxAttempts: 4 });
    this.sending = new library.SSMClient({ ...settings, maxAttempts: 1 });
  }

  static async open(action: RenderedAwsSsm, deps: AwsSsmDeps): Promise<SsmApi> {
    return new SsmApi(await import('@aws-sdk/client-ssm'), action, deps);
  }

  close(): void {
    this.asking.destroy();
    this.sending.destroy();
  }

  /** A command with this mark that runs, waits to, succeeded, or is just being cancelled. */
  async findCommand(mark: string, signal: AbortSignal): Promise<FoundCommand | undefined> {
    const { document } = this.action;
    const invokedAfter = new Date(Date.now() - lookBackMs).toISOString().replace(/\.\d+Z$/, 'Z');
    const pages = this.library.paginateListCommands(
      { client: this.asking, pageSize: 50 },
      {
        Filters: [
          { key: 'InvokedAfter', value: invokedAfter },
          // a shared document is named by its ARN here and not always there
          ...(/[:/]/.test(document) ? [] : [{ key: 'DocumentName' as const, value: document }]),
        ],
      },
      { abortSignal: signal },
    );
    return await this.ask('ssm:ListCommands', async () => {
      for await (const { Commands = [] } of pages) {
        for (const { CommandId: id, Comment, Status = '' } of Commands) {
          if (id === undefined || Comment !== mark) continue;
          if (isTakenOver(Status) || Status === 'Cancelling')
            return { id, isEnding: Status === 'Cancelling' };
        }
      }
      return undefined;
    });
  }

  /** Sends the command, once. Not to be aborted: whether it was received would not be known. */
  async send(mark: string, timeoutMs: number): Promise<string> {
    const { instanceIds, document, parameters } = this.action;
    const request = new this.library.SendCommandCommand({
      DocumentName: document,
      InstanceIds: [...new Set(instanceIds)],
      Parameters: parameters,
      Comment: mark,
      TimeoutSeconds: deliverySeconds(timeoutMs),
    });
    const { Command } = await this.ask('ssm:SendCommand', () => this.sending.send(request));
    if (Command?.CommandId === undefined) throw new AwsAwayError('SSM answered without a command id', true);
    return Command.CommandId;
  }

  /** Undefined: SSM does not know of it yet, which is so for a moment after sending. */
  async invocation(
    commandId: string,
    instanceId: string,
    signal: AbortSignal,
  ): Promise<Invocation | undefined> {
    const request = new this.library.GetCommandInvocationCommand({
      CommandId: commandId,
      InstanceId: instanceId,
    });
    try {
      const found = await this.ask('ssm:GetCommandInvocation', () =>
        this.asking.send(request, { abortSignal: signal }),
      );
      return {
        status: found.Status ?? '',
        details: found.StatusDetails ?? '',
        responseCode: found.ResponseCode ?? -1,
        output: found.StandardOutputContent ?? '',
        errors: found.StandardErrorContent ?? '',
      };
    } catch (error) {
      if (!(error instanceof AwsRefusedError)) throw error;
      if (error.code === 'InvocationDoesNotExist') return undefined;
      // of a document with several steps it wants to know which one
      if (error.code === 'InvalidPluginName') return await this.steps(commandId, instanceId, signal);
      throw error;
    }
  }

  async cancel(commandId: string, signal: AbortSignal): Promise<void> {
    const request = new this.library.CancelCommandCommand({ CommandId: commandId });
    await this.ask('ssm:CancelCommand', () => this.asking.send(request, { abortSignal: signal }));
  }

  async instances(signal: AbortSignal): Promise<InstanceInformation[]> {
    const request = new this.library.DescribeInstanceInformationCommand({
      Filters: [{ Key: 'InstanceIds', Values: [...new Set(this.action.instanceIds)] }],
      MaxResults: mostInstances,
    });
    const found = await this.ask('ssm:DescribeInstanceInformation', () =>
      this.asking.send(request, { abortSignal: signal }),
    );
    return found.InstanceInformationList ?? [];
  }

  async document(signal: AbortSignal): Promise<DocumentDescription> {
    const request = new this.library.DescribeDocumentCommand({ Name: this.action.document });
    const found = await this.ask('ssm:DescribeDocument', () =>
      this.asking.send(request, { abortSignal: signal }),
    );
    return found.Document ?? {};
  }

  private async steps(
    commandId: string,
    instanceId: string,
    signal: AbortSignal,
  ): Promise<Invocation | undefined> {
    const request = new this.library.ListCommandInvocationsCommand({
      CommandId: commandId,
      InstanceId: instanceId,
      Details: true,
    });
    const found = await this.ask('ssm:ListCommandInvocations', () =>
      this.asking.send(request, { abortSignal: signal }),
    );
    const [invocation] = found.CommandInvocations ?? [];
    if (!invocation) return undefined;
    const plugins = invocation.CommandPlugins ?? [];
    const failed = plugins.find(({ Status }) => Status === 'Failed');
    return {
      status: invocation.Status ?? '',
      details: invocation.StatusDetails ?? '',
      responseCode: (failed ?? plugins.at(-1))?.ResponseCode ?? -1,
      output: plugins.map(({ Name, Output }) => `${Name}:\n${Output ?? ''}`).join('\n'),
      errors: '',
    };
  }

  private async ask<T>(permission: string, request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      throw this.failure(permission, error);
    }
  }

  private failure(permission: string, error: unknown): unknown {
    if (!(error instanceof Error)) return error;
    const { name, message } = error;
    const { code, $fault, $metadata } = failureSchema.parse(error);
    const status = $metadata?.httpStatusCode ?? 0;
    if (status === 429 || /Throttl|TooManyRequests|RequestLimitExceeded/.test(name)) {
      return new AwsAwayError(`AWS holds requests back (${name})`, false);
    }
    if (code !== undefined && neverSent.includes(code))
      return new AwsAwayError(`AWS is away: ${message}`, false);
    if (status >= 500 || $fault === 'server' || code !== undefined || name === 'TimeoutError') {
      return new AwsAwayError(`AWS failed: ${message}`, true);
    }
    return new AwsRefusedError(this.refusalWords(permission, name, message), name);
  }

  private refusalWords(permission: string, name: string, message: string): string {
    const { region, document } = this.action;
    switch (name) {
      case 'CredentialsProviderError':
        return 'no AWS credentials are found here: give the worker a role, AWS_ACCESS_KEY_ID or AWS_PROFILE';
      case 'AccessDeniedException':
        return `not allowed: ${permission} in ${region} (${message})`;
      case 'ExpiredTokenException':
      case 'UnrecognizedClientException':
      case 'InvalidSignatureException':
        return `AWS does not accept the credentials of the worker (${name}): ${message}`;
      case 'InvalidDocument':
        return `there is no SSM document '${document}' in ${region}${message ? `: ${message}` : ''}`;
      case 'InvalidInstanceId':
        return `an instance is not managed by SSM in ${region}, does not run, or its agent is away: ${message}`;
      case 'InvalidParameters':
        return `the document '${document}' does not take these parameters: ${message}`;
      default:
        return `AWS refused ${permission} (${name}): ${message}`;
    }
  }
}

/** What the SDK's errors carry beside their name and message. */
const failureSchema = z.object({
  code: z.string().optional().catch(undefined),
  $fault: z.string().optional().catch(undefined),
  $metadata: z.object({ httpStatusCode: z.number().optional() }).optional().catch(undefined),
});
