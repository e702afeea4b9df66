import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runCli } from '../../cli/program.ts';
import { saveRunbook } from '../../db/runbooks.ts';
import { parseRunbook } from '../../domain/runbook/parse.ts';
import { createTestApi, type TestApi } from './api.ts';

export interface Ran {
  code: number;
  out: string;
  err: string;
}

export interface TestCli {
  api: TestApi;
  /** In which commands are typed; holds restart.yaml, which is in force, changed.yaml and broken.yaml. */
  folder: string;
  source: string;
  /** Runs `holdfast …` as an Operator, against the API. */
  holdfast(args: string[], over?: Over): Promise<Ran>;
  /** Asks for an execution; its id. */
  run(): Promise<string>;
  end(executionId: string, status: string): Promise<void>;
  close(): Promise<void>;
}

interface Over {
  url?: string;
  /** Null: none. */
  token?: string | null;
  input?: string;
  colour?: boolean;
  /** What happens while a command waits. */
  pause?: () => Promise<void>;
}

const source = `name: restart
description: Restart a service
inputs:
  service: {}
  token: { secret: true, required: false }
execution:
  mode: semi_auto
steps:
  - name: Restart
    command: [systemctl, restart, "{{service}}"]
    rollback: [systemctl, start, "{{service}}"]
`;

/** The command line in this process, before a real API. */
export async function createTestCli(): Promise<TestCli> {
  const api = await createTestApi();
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-cli-'));
  const parsed = parseRunbook(source, 'restart.yaml');
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const { definition } = parsed;
  await api.write((tx) => saveRunbook(tx, { orgId: api.orgId, file: 'restart.yaml', source, definition }));
  await writeFile(join(folder, 'restart.yaml'), source);
  await writeFile(join(folder, 'changed.yaml'), source.replace('[systemctl, start,', '[systemctl, reload,'));
  await writeFile(join(folder, 'broken.yaml'), source.replace('command:', 'comand:'));

  async function holdfast(args: string[], over: Over = {}): Promise<Ran> {
    let out = '';
    let err = '';
    const token = over.token === undefined ? api.tokens.operator : over.token;
    const code = await runCli(args, {
      config: { url: over.url ?? api.url, ...(token === null ? {} : { token }) },
      terminal: {
        out: (text) => {
          out += text;
        },
        err: (text) => {
          err += text;
        },
        colour: over.colour ?? false,
      },
      fetch,
      pathOf: (file) => resolve(folder, file),
      readInput: async () => over.input ?? '',
      pause: over.pause ?? (async () => {}),
      now: Date.now,
    });
    return { code, out, err };
  }

  return {
    api,
    folder,
    source,
    holdfast,
    async run() {
      const { out } = await holdfast(['runbook', 'run', 'restart', '--input', 'service=checkout', '--json']);
      api.messages.sent.length = 0;
      return JSON.parse(out).id;
    },
    async end(executionId, status) {
      await api.fixture.owner.query(
        `update executions set status = $2, finished_at = now(), status_reason = 'so it is' where id = $1`,
        [executionId, status],
      );
    },
    async close() {
      await api.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
