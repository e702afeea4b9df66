import { expect, test } from 'vitest';
import { runKillDrill } from '../harness/kill-drill/drill.ts';
import { judge } from '../harness/kill-drill/target-log.ts';
import { partOrSkip } from '../parts/part.ts';

test('workers killed in the midst of executions: every one succeeds or is rolled back, and nothing is done twice', {
  timeout: 240_000,
}, async (context) => {
  const seed = Date.now() % 1_000_000;
  const report = await partOrSkip(context, () => runKillDrill({ executions: 5, lanes: 5, workers: 2, seed }));
  const about = `seed ${seed}: ${JSON.stringify(report)}`;
  expect(report.violations, about).toEqual([]);
  expect(report.succeeded + report.rolledBack, about).toBe(5);
  expect(report.kills, about).toBe(5);
});

test('the judge of the drill finds what must not happen', () => {
  const good = 'begin 1 7\nend 1\nbegin 2 8\nundo 2\nundone 2\nundo 1\nundone 1\n';
  const found = (log: string, status = 'rolled_back') => judge(log, status).violations.join('; ');
  expect(found(good)).toBe('');
  expect(judge('begin 1 7\nbegin 1 8\nundo 1\nundone 1\n', 'rolled_back')).toEqual({
    repeated: 1,
    violations: [],
  });
  expect(found(good, 'running')).toMatch(/ended as running/);
  expect(found('begin 2 7\nbegin 2 8\nundo 2\nundone 2\n')).toMatch(/step 2 ran 2 times/);
  expect(found('begin 1 7\nend 1\n')).toMatch(/step 1 was started and never undone/);
  expect(found('begin 1 7\nundo 1\nend 1\nundone 1\n')).toMatch(/step 1 went on after its undo/);
  expect(found('begin 1 7\noverturn\novertaken 1 9\nundo 1\nundone 1\n')).toMatch(
    /processes of its step lived/,
  );
  expect(found('begin 1 7\nend 1\nbegin 2 8\nundo 1\nundone 1\nundo 2\nundone 2\n')).toMatch(/reverse order/);
  expect(found(good, 'succeeded')).toMatch(/undone although all succeeded/);
});
