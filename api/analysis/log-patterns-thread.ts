import { minePatternsOfText } from '../../domain/logs/text-patterns.ts';

/** By line the number of its group, and by group its template: little to hand from thread to thread. */
export interface MinedText {
  groups: Uint32Array;
  templates: string[];
}

/** What a thread of log-patterns.ts runs. */
export default function mineLines({ lines }: { lines: string[] }): MinedText {
  const mined = minePatternsOfText(lines);
  const templates: string[] = [];
  for (const { group, template } of mined) templates[group] = template;
  return { groups: Uint32Array.from(mined, (one) => one.group), templates };
}
