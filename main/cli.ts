import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { exitCodes } from '../cli/exit-codes.ts';
import { runCli } from '../cli/program.ts';
import { ConfigError, readCliConfig } from './config.ts';

/** `holdfast …`: the exit code says how it went (docs/cli.md). */
try {
  const config = readCliConfig();
  // whoever reads has seen enough: `holdfast execution list | head`
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(exitCodes.done);
  });
  process.exitCode = await runCli(process.argv.slice(2), {
    config,
    terminal: {
      out: (said) => process.stdout.write(said),
      err: (said) => process.stderr.write(said),
      colour: process.stdout.isTTY === true && process.stdout.hasColors(),
    },
    fetch,
    pathOf: (file) => resolve(config.folder, file),
    readInput: () => text(process.stdin),
    pause: (ms) => pause(ms),
    now: Date.now,
  });
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(`holdfast: ${error.message}`);
  process.exitCode = exitCodes.usage;
}
