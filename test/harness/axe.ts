import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/**
 * What axe calls serious or critical on the page as it stands. Every rule says how bad its breach is, so those that
 * could only find lesser faults are not run: they take a third of the time.
 */
export async function seriousFaults(page: Page): Promise<string[]> {
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(axeSource);
  // as text, since tests are not typed for a browser; axe's public list of rules leaves the impact out
  return await page.evaluate(`(() => {
    const bad = ({ impact }) => impact === 'serious' || impact === 'critical';
    const rules = axe._audit.rules.filter((rule) =>
      bad(rule) && rule.enabled && !rule.tags.some((tag) => tag === 'experimental' || tag === 'deprecated'));
    if (rules.length < 40) throw new Error('axe has only ' + rules.length + ' rules of serious faults');
    const runOnly = { type: 'rule', values: rules.map(({ id }) => id) };
    return axe.run({ resultTypes: ['violations'], runOnly }).then(({ violations }) =>
      violations.filter(bad).map(({ id, nodes }) =>
        id + ': ' + nodes.map((node) => node.target.join(' ')).slice(0, 4).join(', ')));
  })()`);
}
