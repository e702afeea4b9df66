import type { OutageSettings } from './outages.ts';
import type { Random } from './random.ts';
import { graphShapes } from './service-graphs.ts';

/** All that the promise names varies; a regime holds one thing fast. */
export function anySettings(random: Random): OutageSettings {
  return {
    services: random.whole(10, 200),
    shape: random.pick(graphShapes),
    calls: random.between(1.1, 3),
    cycles: random.pick([0, 0, 0.05]),
    unknownCalls: 0,
    outages: random.whole(1, 3),
    overlap: random.pick(['apart', 'touching']),
    alertsForEach: random.chance(0.3),
    spread: random.between(0, 600),
    spreads: random.between(0.7, 1),
    depth: random.whole(1, 6),
    delay: random.between(0, 120),
    loss: random.between(0, 0.3),
    noise: random.between(0, 0.3),
    repeats: random.between(0, 0.3),
    unnamed: 0,
    starved: 0,
    hosts: random.pick([0, 5, 40]),
  };
}

export const regimes: Record<string, Partial<OutageSettings>> = {
  everything: {},
  'one outage': { outages: 1 },
  'two outages': { outages: 2 },
  'three outages': { outages: 3 },
  'three apart': { outages: 3, overlap: 'apart' },
  'three with common callers': { outages: 3, overlap: 'touching' },
  'three at the same moment': { outages: 3, spread: 0 },
  '10 services': { services: 10 },
  '30 services': { services: 30 },
  '200 services': { services: 200 },
  'in layers': { shape: 'layers' },
  'at random': { shape: 'random' },
  'with hubs': { shape: 'hubs' },
  'as a tree': { shape: 'tree' },
  'with cycles': { cycles: 0.1 },
  'many calls': { calls: 4 },
  'long chains': { depth: 8, spreads: 1 },
  'direct callers only': { depth: 1 },
  'half of the callers': { spreads: 0.5 },
  'no delay': { delay: 0 },
  'delays to 120 s': { delay: 120 },
  'nothing lost': { loss: 0 },
  '30 % lost': { loss: 0.3 },
  'no noise': { noise: 0 },
  '15 % noise': { noise: 0.15 },
  '30 % noise': { noise: 0.3 },
  'five shared hosts': { hosts: 5 },
};

/** Beyond what is promised, one thing each. */
export const beyond: Record<string, Partial<OutageSettings>> = {
  'one inside another': { outages: 3, overlap: 'any' },
  '20 % of calls unknown': { unknownCalls: 0.2 },
  '20 % without a service': { unnamed: 0.2, hosts: 40 },
  'starved callees': { starved: 1 },
};
