import { type Connection, isGrpcServiceError } from '@temporalio/client';
import { searchAttributeTypes } from '../workflows/messages.ts';

/** IndexedValueType of temporal/api/enums/v1/common.proto. */
const indexedTypes = { Keyword: 2, Int: 3 } as const;
/** Of gRPC. */
const alreadyExists = 6;

/**
 * Registers the search attributes on a Temporal server that is not embedded. Safe to run at every start, and by
 * several processes at once.
 * @throws Error with the commands to run, where the server does not let Holdfast register them
 */
export async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const { operatorService } = connection;
  try {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    const missing = Object.entries(searchAttributeTypes).filter(
      ([name]) => !(name in (customAttributes ?? {})),
    );
    if (missing.length === 0) return;
    const searchAttributes = Object.fromEntries(missing.map(([name, type]) => [name, indexedTypes[type]]));
    await operatorService.addSearchAttributes({ namespace, searchAttributes });
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === alreadyExists) return; // another process was faster
    const commands = Object.entries(searchAttributeTypes).map(
      ([name, type]) =>
        `  temporal operator search-attribute create --namespace ${namespace} --name ${name} --type ${type}`,
    );
    throw new Error(
      `The search attributes of Holdfast cannot be registered on the Temporal server (${(error as Error).message}). ` +
        `Have its operator run:\n${commands.join('\n')}`,
      { cause: error },
    );
  }
}
