import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { MetricEvidence, Symptom } from '../domain/root-cause/evidence.ts';
import type { Dependency } from '../domain/topology/service.ts';

/** Where the public micro-service measurements are, beside the repository. */
export const petshopDirectory = fileURLToPath(new URL('../../shared/data/petshop/', import.meta.url));

export interface PetshopIssue {
  /** 'high_traffic'. */
  traffic: string;
  name: string;
  dependencies: Dependency[];
  metrics: MetricEvidence[];
  symptom: Required<Symptom>;
  /** The true one. */
  cause: string;
}

/**
 * The train issues, each behind the normal period of its traffic. That period was measured months later, so it is
 * moved to end where the issue's own rows begin. `at` is the time that the issue names, some minutes into its rows,
 * or with 'first row' the beginning of the rows.
 */
export function readPetshop(at: 'target' | 'first row' = 'target'): PetshopIssue[] {
  return readdirSync(petshopDirectory)
    .filter((folder) => !folder.includes('.'))
    .flatMap((traffic) => {
      const dependencies = readGraph(`${petshopDirectory}${traffic}/graph.csv`);
      const normal = readMetrics(`${petshopDirectory}${traffic}/noissue/metrics.csv`);
      return readdirSync(`${petshopDirectory}${traffic}/train`)
        .toSorted()
        .map((name) => {
          const folder = `${petshopDirectory}${traffic}/train/${name}/`;
          const issue = readMetrics(`${folder}metrics.csv`);
          const { target, root_cause } = JSON.parse(readFileSync(`${folder}target.json`, 'utf8'));
          return {
            traffic,
            name,
            dependencies,
            metrics: joined(normal, issue),
            symptom: {
              service: target.node,
              metric: target.metric,
              at: at === 'target' ? target.timestamp : (issue.times[0] ?? 0),
            },
            cause: root_cause.node,
          };
        });
    });
}

interface Table {
  times: number[];
  columns: { service: string; metric: string; values: (number | null)[] }[];
}

function joined(normal: Table, issue: Table): MetricEvidence[] {
  const step = (normal.times[1] ?? 0) - (normal.times[0] ?? 0);
  const shift = (issue.times[0] ?? 0) - (normal.times.at(-1) ?? 0) - step;
  const series = new Map<string, MetricEvidence & { points: [number, number][] }>();
  for (const [table, offset] of [
    [normal, shift],
    [issue, 0],
  ] as const) {
    for (const { service, metric, values } of table.columns) {
      const key = `${service}\n${metric}`;
      const entry = series.get(key) ?? { service, metric, points: [] };
      series.set(key, entry);
      for (const [i, value] of values.entries()) {
        if (value !== null) entry.points.push([(table.times[i] ?? 0) + offset, value]);
      }
    }
  }
  return [...series.values()];
}

/** Three rows of header: service, metric, statistic; then a row that names the column of times. */
function readMetrics(file: string): Table {
  const rows = readRows(file);
  const [services = [], metrics = [], statistics = []] = rows;
  const body = rows.slice(4);
  return {
    times: body.map((row) => Number(row[0])),
    columns: services.slice(1).map((service, i) => ({
      service,
      metric: `${metrics[i + 1]} ${statistics[i + 1]}`,
      values: body.map((row) => (row[i + 1] ? Number(row[i + 1]) : null)),
    })),
  };
}

/** A matrix: the row calls the column. */
function readGraph(file: string): Dependency[] {
  const [[, ...services] = [], ...rows] = readRows(file);
  return rows.flatMap(([from = '', ...cells]) =>
    services.flatMap((to, i) => (Number(cells[i]) === 1 ? [{ from, to }] : [])),
  );
}

function readRows(file: string): string[][] {
  return readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map((line) => line.split(','));
}
