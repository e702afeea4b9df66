import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { waitFor } from '../stack.ts';
import { endLeftovers } from './leftovers.ts';
import { drillRunbook, runbookYaml } from './runbook.ts';
import { type DrillWorker, type Surroundings, startSurroundings } from './surroundings.ts';
import { judge } from './target-log.ts';

export interface DrillOptions {
  executions: number;
  /** Executions side by side, each on a target of its own. */
  lanes: number;
  /** Worker processes, of which one at a time is killed and started again. */
  workers: number;
  seed: number;
  say?: (line: string) => void;
}

export interface DrillReport {
  succeeded: number;
  rolledBack: number;
  kills: number;
  /** What was under way in the execution whose turn it was when a worker was killed. */
  killsDuring: Record<string, number>;
  repeatedIdempotentSteps: number;
  /** Executions of which Holdfast says that the outcome of a step is unknown. */
  outcomeUnknown: number;
  violations: string[];
  seconds: number;
}

/** An execution takes about this long when nothing happens to it. */
const usualMs = 7_000;
const patienceMs = 240_000;

/**
 * Runs executions of a runbook and for each kills, at a random moment of it, the worker that is at work on it; then
 * asks each target's own log whether Holdfast kept what it promises.
 */
export async function runKillDrill(options: DrillOptions): Promise<DrillReport> {
  const surroundings = await startSurroundings({ name: drillRunbook, yaml: runbookYaml() });
  const pool = new pg.Pool({ connectionString: surroundings.databaseUrl, max: 2 });
  // PostgreSQL ends before the pool is told
  pool.on('error', () => {});
  const drill = new Drill(options, surroundings, pool);
  try {
    return await drill.run();
  } finally {
    await pool.end();
    await surroundings.close();
  }
}

class Drill {
  private readonly options: DrillOptions;
  private readonly surroundings: Surroundings;
  private readonly pool: pg.Pool;
  private readonly random: () => number;
  /** Undefined while the one that was killed in this place comes back. */
  private readonly workers: (DrillWorker | undefined)[] = [];
  private readonly restarts: Promise<void>[] = [];
  private killing: Promise<unknown> = Promise.resolve();
  private readonly report: DrillReport = {
    succeeded: 0,
    rolledBack: 0,
    kills: 0,
    killsDuring: {},
    repeatedIdempotentSteps: 0,
    outcomeUnknown: 0,
    violations: [],
    seconds: 0,
  };

  constructor(options: DrillOptions, surroundings: Surroundings, pool: pg.Pool) {
    this.options = options;
    this.surroundings = surroundings;
    this.pool = pool;
    this.random = randomOf(options.seed);
  }

  async run(): Promise<DrillReport> {
    const { executions, lanes, workers } = this.options;
    const { holdfast } = this.surroundings;
    this.workers.push(
      ...(await Promise.all(Array.from({ length: workers }, () => this.surroundings.startWorker()))),
    );
    await holdfast.put('/api/v1/safety-rules/organization', { maxPerHour: 1000 });
    await waitFor('the runbook to be read', async () => {
      return (await holdfast.ask('GET', `/api/v1/runbooks/${drillRunbook}`)).status === 200;
    });
    const began = performance.now();
    // drawn beforehand, so that the seed alone decides
    const plans = Array.from({ length: executions }, (_, number) => ({
      number,
      outcome: this.random() < 0.5 ? 'fails' : 'ends',
      killAfterMs: this.random() * usualMs,
      choice: this.random(),
    }));
    const turn = plans.values();
    const lane = async () => {
      for (const plan of turn) await this.oneExecution(plan);
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    await Promise.all(this.restarts);
    this.report.seconds = Math.round((performance.now() - began) / 1000);
    return this.report;
  }

  private async oneExecution(plan: Plan): Promise<void> {
    const { holdfast, folder } = this.surroundings;
    const log = join(folder, `target-${plan.number}.log`);
    const { id } = await holdfast.post(`/api/v1/runbooks/${drillRunbook}/run`, {
      inputs: { log, outcome: plan.outcome },
    });
    try {
      await sleep(plan.killAfterMs);
      await this.kill(id, plan);
      const execution = await waitFor(
        `execution ${plan.number} to end`,
        async () => {
          const found = await holdfast.get(`/api/v1/executions/${id}`);
          return found.finishedAt !== null && found;
        },
        patienceMs,
      );
      this.note(plan, execution, await readFile(log, 'utf8').catch(() => ''));
    } finally {
      // a step that succeeded has left a child in the background
      await endLeftovers(id);
    }
  }

  private note(
    plan: Plan,
    execution: { id: string; status: string; steps: { outcomeUnknown?: boolean }[] },
    log: string,
  ): void {
    const { report } = this;
    const story = judge(log, execution.status);
    if (execution.status === 'succeeded') report.succeeded += 1;
    if (execution.status === 'rolled_back') report.rolledBack += 1;
    if (execution.steps.some((step) => step.outcomeUnknown)) report.outcomeUnknown += 1;
    report.repeatedIdempotentSteps += story.repeated;
    for (const violation of story.violations) {
      report.violations.push(`execution ${plan.number} (${execution.id}): ${violation}\n${log}`);
    }
    this.options.say?.(
      `${plan.number + 1} of ${this.options.executions}: ${execution.status}${story.violations.length > 0 ? `, ${story.violations.join('; ')}` : ''}`,
    );
  }

  /** Half of the workers stay: the dead come back while executions go on elsewhere. */
  private async kill(executionId: string, plan: Plan): Promise<void> {
    const turn = this.killing.then(async () => {
      await waitFor('enough workers to be up', () => this.living().length * 2 > this.workers.length, 120_000);
      const { phase, pid } = await this.whatRuns(executionId);
      const living = this.living();
      const worker =
        living.find((each) => each.pid === pid) ?? living[Math.floor(plan.choice * living.length)];
      if (!worker) throw new Error('there is no worker to kill');
      const place = this.workers.indexOf(worker);
      this.workers[place] = undefined;
      await worker.kill();
      this.report.kills += 1;
      this.report.killsDuring[phase] = (this.report.killsDuring[phase] ?? 0) + 1;
      this.restarts.push(
        this.surroundings.startWorker().then((started) => {
          this.workers[place] = started;
        }),
      );
    });
    this.killing = turn;
    await turn;
  }

  private living(): DrillWorker[] {
    return this.workers.filter((worker) => worker !== undefined);
  }

  /** Which attempt of the execution is under way, and in which process. */
  private async whatRuns(executionId: string): Promise<{ phase: string; pid: number | undefined }> {
    const { rows } = await this.pool.query<{ phase: string; index: number; pid: number | null }>(
      `select detail->>'phase' as phase, (detail->>'index')::int as index, (detail->'carrier'->>'pid')::int as pid
       from side_effects where kind = 'step' and status = 'started' and detail->>'executionId' = $1
       order by started_at desc limit 1`,
      [executionId],
    );
    const [row] = rows;
    if (row) return { phase: `${row.phase} ${row.index + 1}`, pid: row.pid ?? undefined };
    const { rows: standing } = await this.pool.query<{ begun: boolean; ended: boolean }>(
      `select finished_at is not null as ended, exists (
         select from side_effects where kind = 'step' and detail->>'executionId' = executions.id::text) as begun
       from executions where id = $1`,
      [executionId],
    );
    if (standing[0]?.ended) return { phase: 'after its end', pid: undefined };
    return { phase: standing[0]?.begun ? 'between steps' : 'before its first step', pid: undefined };
  }
}

interface Plan {
  number: number;
  outcome: string;
  killAfterMs: number;
  choice: number;
}

/** mulberry32: the same numbers for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
