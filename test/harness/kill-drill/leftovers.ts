import { readdir, readFile } from 'node:fs/promises';

/** Ends what steps of the execution have left running: each process carries the execution in its environment. */
export async function endLeftovers(executionId: string): Promise<void> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (!environment.split('\0').includes(`HOLDFAST_EXECUTION_ID=${executionId}`)) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // it has ended meanwhile
    }
  }
}
