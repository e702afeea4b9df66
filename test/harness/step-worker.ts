import { MockActivityEnvironment } from '@temporalio/testing';
import { createStepAdapters } from '../../activities/steps/adapters.ts';
import { commandEnvironment } from '../../activities/steps/command.ts';
import { createDatabaseLedger } from '../../activities/steps/ledger-database.ts';
import { createStepActivities, type RunStepInput } from '../../activities/steps.ts';
import { Database } from '../../db/database.ts';

/** A process of its own that runs one step, for tests to kill: `node step-worker.ts <database url> <input as JSON>`. */
const [url = '', input = '{}'] = process.argv.slice(2);
const db = new Database({ url, poolSize: 2 });
const { runStep } = createStepActivities({
  ledger: createDatabaseLedger(db),
  adapters: createStepAdapters(),
  secretSource: { read: () => Promise.reject(new Error('no secrets here')) },
  egressAllow: [],
  environment: commandEnvironment(process.env),
});
const result = await new MockActivityEnvironment().run(runStep, JSON.parse(input) as RunStepInput);
process.stdout.write(JSON.stringify(result));
await db.close();
