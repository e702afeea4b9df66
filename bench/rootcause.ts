import { existsSync } from 'node:fs';
import { rankCauses } from '../domain/root-cause/rank-causes.ts';
import { printFigure } from './figure.ts';
import { petshopDirectory, readPetshop } from './petshop.ts';

/** Prints JSON lines: how often the true cause comes first, and among the first three, per traffic and in all. */
if (existsSync(petshopDirectory)) {
  for (const at of ['target', 'first row'] as const) {
    const ranked = readPetshop(at).map((issue) => {
      const { dependencies, metrics, symptom } = issue;
      const causes = rankCauses({ alerts: [], dependencies, metrics, symptom });
      if (process.env.VERBOSE)
        console.error(
          issue.traffic,
          issue.name,
          symptom.metric,
          causes
            .slice(0, 4)
            .map((c) => `${c.service.slice(0, 30)} ${c.score.toFixed(2)} ${c.confidence.toFixed(2)}`),
        );
      return { traffic: issue.traffic, rank: causes.findIndex(({ service }) => service === issue.cause) };
    });
    for (const traffic of [...new Set(ranked.map((one) => one.traffic)), 'all']) {
      const own = ranked.filter((one) => traffic === 'all' || one.traffic === traffic);
      for (const top of [1, 3]) {
        const right = own.filter(({ rank }) => rank >= 0 && rank < top).length;
        printFigure({
          name: `petshop_${at.replace(' ', '_')}_${traffic}_top${top}`,
          value: right / own.length,
          unit: 'share',
        });
      }
    }
  }
}
