import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { checkCatalog } from './catalog.ts';
import { describeLayout } from './describe.ts';
import { layOut } from './lay-out.ts';
import { matchRunbooks } from './match.ts';
import { parseRunbook } from './parse.ts';

const folder = new URL('../../runbooks/', import.meta.url);
const runbooks = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => {
    const parsed = parseRunbook(readFileSync(new URL(file, folder), 'utf8'), file);
    if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
    return { file, ...parsed };
  });
const definitions = runbooks.map(({ definition }) => definition);

/** As an alert and a person would fill them in. */
const examples: Record<string, string> = {
  service: 'checkout',
  service_name: 'checkout',
  health_check_url: 'http://checkout.internal/health',
  admin_url: 'http://checkout.internal:9000',
  namespace: 'shop',
  deployment: 'checkout',
  replicas: '6',
  replicas_before: '3',
  container: 'app',
  image: 'registry.example.com/shop/checkout',
  version: 'v2.3.0',
  current_version: 'v2.3.1',
  process: 'java',
  primary_host: 'db1.db.internal',
  replica_host: 'db2.db.internal',
};
const laidOut = (name: string, more: Record<string, string> = {}) => {
  const definition = definitions.find((one) => one.name === name)!;
  const needed = Object.entries(definition.inputs).filter(([, input]) => input.required && !input.fromSecret);
  const given = { ...Object.fromEntries(needed.map(([input]) => [input, examples[input]!])), ...more };
  const laid = layOut({ runbook: { definition, version: 1 }, catalog: new Map(), sources: { given } });
  if ('problems' in laid) throw new Error(`${name}: ${laid.problems.join('; ')}`);
  return laid.layout;
};

describe('the runbooks that ship', () => {
  it('are valid, by themselves and together', () => {
    expect(definitions.map(({ name }) => name).sort()).toEqual([
      'clear-disk',
      'demo-recycle-connections',
      'fail-over-database',
      'flush-cache',
      'kill-runaway-process',
      'restart-deployment',
      'restart-service',
      'roll-back-deployment',
      'rotate-logs',
      'scale-deployment',
    ]);
    expect(checkCatalog(runbooks)).toEqual([]);
  });

  it.each(definitions)(
    '$name describes every step, is called by some alert and proves what it did',
    (one) => {
      const layout = laidOut(one.name);
      for (const { description } of describeLayout(layout)) expect(description).not.toMatch(/\{\{|undefined/);
      expect(one.triggers.length).toBeGreaterThan(0);
      expect(one.description.length).toBeGreaterThan(60);
      // the one of the tutorial ends in a rollback by a step that is meant to fail
      if (one.name !== 'demo-recycle-connections') expect(one.verify.length).toBeGreaterThan(0);
    },
  );

  it('answer the alerts that they are for', () => {
    const called = (alertName: string, labels = {}) =>
      matchRunbooks(definitions, { alertName, severity: 'critical', labels }).map(({ name }) => name);
    expect(called('ServiceDownCheckout')).toEqual(['restart-service']);
    expect(called('DiskWillFillIn4Hours')).toEqual(['clear-disk']);
    expect(called('NodeFilesystemSpaceFillingUp', { mountpoint: '/' })).toEqual(['clear-disk']);
    expect(called('NodeFilesystemSpaceFillingUp', { mountpoint: '/var/log' })).toEqual([
      'clear-disk',
      'rotate-logs',
    ]);
    expect(called('CacheStale')).toEqual(['flush-cache']);
    expect(called('DatabaseConnectionsExhausted')).toEqual(['demo-recycle-connections']);
    expect(called('KubePodCrashLooping')).toEqual(['restart-deployment']);
    expect(called('KubeDeploymentRolloutStuck')).toEqual(['roll-back-deployment']);
    expect(called('KubeHpaMaxedOut')).toEqual(['scale-deployment']);
    expect(called('NodeCPUHighUsage')).toEqual(['kill-runaway-process']);
    expect(called('PostgresqlDown')).toEqual(['fail-over-database']);
  });
});

describe('the failover', () => {
  it('asks in its midst, fences before it promotes, and is undone so that there is never a second primary', () => {
    const steps = describeLayout(laidOut('fail-over-database'));
    const at = (name: string) => steps.findIndex((step) => step.name === name);
    expect(at('Agree to the failover')).toBeLessThan(at('Fence the old primary'));
    expect(at('Fence the old primary')).toBeLessThan(at('Promote the replica'));
    expect(steps[at('Agree to the failover')]!.description).toContain('2 approvals');
    // undone in reverse: the replica is stopped before the old primary comes back
    expect(steps[at('Promote the replica')]!.rollback).toContain('systemctl stop postgresql');
    expect(steps[at('Fence the old primary')]!.rollback).toContain('systemctl start postgresql');
  });
});

describe('the end of a runaway process', () => {
  const scriptOf = (name: string, args: string[]): string => {
    const step = laidOut('kill-runaway-process').steps.find((one) => one.name === name)!;
    const { action } = step.definition;
    if (action.kind !== 'command' || !('argv' in action.form)) throw new Error('a script was expected');
    const [shell = '', ...words] = action.form.argv.slice(0, 4);
    return execFileSync(shell, [...words, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  };

  it('finds the one that burns CPU under its name, and ends it and no other', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-burn-'));
    const program = join(directory, `burn${process.pid}`);
    const name = program.slice(program.lastIndexOf('/') + 1);
    copyFileSync('/bin/sh', program);
    // it does not listen to TERM unless it is asked between two commands, as a busy program
    const burning = spawn(program, ['-c', 'while :; do :; done'], { stdio: 'ignore' });
    const idle = spawn(program, ['-c', 'read forever'], { stdio: ['pipe', 'ignore', 'ignore'] });
    const ended = new Promise((resolve) => burning.on('exit', (_code, signal) => resolve(signal)));
    try {
      const found = await until(() => scriptOf('Find it', [name, '10', '1']));
      expect(found.trim().split(/\s+/)[0]).toBe(String(burning.pid));
      expect(scriptOf('End it', [name, '10', '1'])).toMatch(/ended by itself/);
      expect(await ended).toBe('SIGTERM');
      expect(idle.exitCode).toBeNull();
      expect(scriptOf('End it', [name, '10', '1'])).toMatch(/it is gone/);
      expect(() => scriptOf('Find it', [name, '10', '1'])).toThrow();
    } finally {
      burning.kill('SIGKILL');
      idle.kill('SIGKILL');
      rmSync(directory, { recursive: true });
    }
  });
});

async function until(attempt: () => string): Promise<string> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(200);
    }
  }
}
