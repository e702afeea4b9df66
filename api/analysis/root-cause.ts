import { z } from 'zod';
import type { Cause } from '../../domain/root-cause/cause.ts';
import type { Evidence } from '../../domain/root-cause/evidence.ts';
import { rankCauses } from '../../domain/root-cause/rank-causes.ts';
import { type Endpoint, personEndpoint, withoutUndefined } from '../endpoint.ts';
import { charactersOf, labels } from './labels.ts';
import { milliseconds, moment } from './moment.ts';
import { ownThread, ownThreadErrors } from './own-thread.ts';
import { type PackedEvidence, pack } from './root-cause-thread.ts';

/** What is more than this is ranked in a thread of its own: about 30 ms of work. */
const small = { series: 500, points: 30_000, alertsAndCalls: 1000, characters: 100_000 };

const name = z.string().min(1).max(500);

/** One check over all points: a schema for each of 100,000 pairs would take longer than the ranking. */
const points = z
  .custom<[number, number | null][]>(
    (given) => Array.isArray(given) && given.length <= 200_000 && given.every(isPoint),
    'write a list of at most 200,000 pairs [unixSeconds, value]; the value may be null',
  )
  .meta({
    description: '[unixSeconds, value], in any order; null or absent where nothing was measured',
    override: {
      type: 'array',
      items: { type: 'array', minItems: 2, maxItems: 2, items: { type: ['number', 'null'] } },
    },
  });

function isPoint(given: unknown): boolean {
  if (!Array.isArray(given) || given.length !== 2) return false;
  const [time, value] = given;
  return typeof time === 'number' && (typeof value === 'number' || value === null);
}

const body = z
  .object({
    alerts: z
      .array(
        z.object({
          service: name.nullish(),
          name: z.string().max(500).default(''),
          startsAt: moment,
          severity: z.string().max(100).optional(),
          labels: labels.optional(),
        }),
      )
      .max(10_000)
      .default([]),
    dependencies: z
      .array(z.object({ from: name, to: name }))
      .max(50_000)
      .default([])
      .meta({ description: 'From calls to' }),
    metrics: z
      .array(z.object({ service: name, metric: name, unit: z.string().max(100).nullish(), points }))
      .max(20_000)
      .optional(),
    symptom: z
      .object({ service: name, metric: name.nullish(), at: moment.nullish() })
      .nullish()
      .meta({ description: 'What was noticed first; `at` splits the series into before and during' }),
  })
  .meta({ id: 'RootCauseEvidence' });

const response = z
  .object({
    items: z.array(
      z.object({
        service: z.string(),
        score: z.number().meta({ description: '0 to 1, for the order among these' }),
        confidence: z.number().meta({ description: '0 to 1: that it is this one and none of the others' }),
        reasons: z.array(z.string()),
      }),
    ),
  })
  .meta({ id: 'RootCauses', description: 'Best first' });

export function rootCauseEndpoint(): Endpoint {
  const rankApart = ownThread<PackedEvidence, Cause[]>(new URL('./root-cause-thread.ts', import.meta.url), {
    busy: 'other causes are being ranked',
    tooMuch: 'send fewer series or services at once',
  });
  return personEndpoint({
    method: 'post',
    path: '/api/v1/analysis/root-cause',
    tag: 'Analysis',
    summary: 'Rank the services that an incident may come from',
    access: 'viewer',
    body,
    bodyLimit: '32mb',
    status: 200,
    response,
    errors: ownThreadErrors,
    handle: async ({ body, principal }) => {
      if (isSmall(body)) return { items: rankCauses(evidenceOf(body)) };
      const items = await rankApart(principal.orgId, () => {
        const input = pack(evidenceOf(body));
        return { input, transferList: input.metrics.map(({ points }) => points.buffer as ArrayBuffer) };
      });
      return { items };
    },
  });
}

function isSmall({ metrics = [], dependencies, alerts }: z.output<typeof body>): boolean {
  return (
    metrics.length <= small.series &&
    metrics.reduce((sum, series) => sum + series.points.length, 0) <= small.points &&
    dependencies.length + alerts.length <= small.alertsAndCalls &&
    charactersOf(alerts) <= small.characters
  );
}

function evidenceOf({ alerts, dependencies, metrics, symptom }: z.output<typeof body>): Evidence {
  return {
    alerts: alerts.map(({ service, name, startsAt, severity, labels }) => ({
      service: service ?? null,
      name,
      startsAt,
      ...withoutUndefined({ severity, labels }),
    })),
    dependencies,
    ...(metrics
      ? {
          metrics: metrics.map(({ service, metric, unit, points }) => ({
            service,
            metric,
            ...(unit ? { unit } : {}),
            points: measured(points),
          })),
        }
      : {}),
    ...(symptom
      ? {
          symptom: {
            service: symptom.service,
            ...(symptom.metric ? { metric: symptom.metric } : {}),
            ...(typeof symptom.at === 'number' ? { at: symptom.at / 1000 } : {}),
          },
        }
      : {}),
  };
}

/** Without what was not measured; times in seconds. */
function measured(points: [number, number | null][]): [number, number][] {
  return points.flatMap(([time, value]): [number, number][] =>
    value === null ? [] : [[time < milliseconds ? time : time / 1000, value]],
  );
}
