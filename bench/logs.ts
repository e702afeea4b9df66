import { existsSync } from 'node:fs';
import { minePatternsOfText } from '../domain/logs/text-patterns.ts';
import { printFigure } from './figure.ts';
import { groupingAccuracy, loghubDirectory, readLoghub } from './loghub.ts';

/** Prints JSON lines: grouping accuracy per set and in the mean, and lines mined per second. */
const print = (name: string, value: number, unit: string): void => printFigure({ name, value, unit });

if (existsSync(loghubDirectory)) {
  const sets = readLoghub();
  const accuracies = sets.map(({ name, lines, events }) => {
    const accuracy = groupingAccuracy(
      minePatternsOfText(lines).map((mined) => mined.group),
      events,
    );
    print(`log_grouping_accuracy_${name}`, accuracy, 'share');
    return accuracy;
  });
  print('log_grouping_accuracy_mean', accuracies.reduce((sum, one) => sum + one, 0) / sets.length, 'share');
  printSpeed(sets.flatMap((set) => set.lines));
} else {
  console.error(`no log samples in ${loghubDirectory}: grouping accuracy is not measured`);
  printSpeed(Array.from({ length: 2000 }, (_, i) => `request ${i} of user u${i % 50} took ${i * 7} ms`));
}

/** Median of nine runs over 10,000 lines. */
function printSpeed(source: string[]): void {
  const lines = Array.from({ length: 10_000 }, (_, i) => source[i % source.length] ?? '');
  const seconds = Array.from({ length: 9 }, () => {
    const start = performance.now();
    minePatternsOfText(lines);
    return (performance.now() - start) / 1000;
  }).sort((a, b) => a - b);
  print('log_lines_mined', lines.length / (seconds[4] ?? 1), 'lines/s');
}
