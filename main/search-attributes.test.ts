import { rm } from 'node:fs/promises';
import { Client, Connection } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { expect, test } from 'vitest';
import { findPort } from '../stack/port.ts';
import { startTemporal } from '../stack/temporal.ts';
import { temporaryFolder } from '../test/parts/server-part.ts';
import { ensureSearchAttributes } from './search-attributes.ts';

test('search attributes are registered once, by however many processes at a time', async () => {
  const dataDir = await temporaryFolder('search-attributes');
  const ports = { grpc: await findPort(), ui: await findPort() };
  const server = await startTemporal({ dataDir, searchAttributes: {}, ports });
  const connection = await Connection.connect({ address: server.address });
  try {
    await Promise.all([1, 2, 3].map(() => ensureSearchAttributes(connection, 'default')));
    await ensureSearchAttributes(connection, 'default');
    const started = new Client({ connection }).workflow.start('incident', {
      workflowId: 'incident:1',
      taskQueue: 'nobody-listens',
      typedSearchAttributes: [
        { key: defineSearchAttributeKey('HoldfastOrg', 'KEYWORD'), value: 'acme' },
        { key: defineSearchAttributeKey('HoldfastIncident', 'INT'), value: 42 },
      ],
    });
    await expect(started).resolves.toMatchObject({ workflowId: 'incident:1' });
    await expect(ensureSearchAttributes(connection, 'nowhere')).rejects.toThrow(
      /temporal operator search-attribute create --namespace nowhere --name HoldfastIncident --type Int/,
    );
  } finally {
    await connection.close();
    await server.close();
    await rm(dataDir, { recursive: true, force: true });
  }
});
