import { writeFile } from 'node:fs/promises';
import { runbookJsonSchema } from '../domain/runbook/schema.ts';

/** Writes the JSON Schema that editors complete runbooks by; `npm run schema:runbook` after a change to the schema. */
await writeFile(
  new URL('../runbooks/runbook.schema.json', import.meta.url),
  `${JSON.stringify(runbookJsonSchema(), null, 2)}\n`,
);
