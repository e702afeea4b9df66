import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { type ChromiumOptions, startChromium } from '../parts/chromium.ts';
import { type Skipping, tryPart } from '../parts/part.ts';
import { seriousFaults } from './axe.ts';

/** A real browser for the tests of one file, which are skipped by name where there is none. */
export interface Browser {
  /** A tab of whoever has this session; what goes wrong in its scripts is added to the problems. */
  openTab(test: Skipping, visitor: { session: string; base: string }): Promise<Page>;
  signOut(): Promise<void>;
  close(): Promise<void>;
}

export async function startBrowser(problems: unknown[], options: ChromiumOptions = {}): Promise<Browser> {
  const chromium = await tryPart(() => startChromium(options));
  return {
    async openTab(test, { session, base }) {
      const { context } = chromium.orSkip(test);
      await context.addCookies([{ name: 'holdfast', value: session, url: base }]);
      const page = await context.newPage();
      page.on('pageerror', (error) => problems.push(error));
      page.on('console', (message) => {
        if (/Content.Security.Policy/i.test(message.text())) problems.push(message.text());
      });
      return page;
    },
    signOut: async () => await chromium.part?.context.clearCookies(),
    close: async () => await chromium.part?.close(),
  };
}

const sizes = [
  { width: 1280, height: 900, colorScheme: 'light' },
  { width: 390, height: 844, colorScheme: 'dark' },
] as const;

/**
 * At a desk by day and on a phone by night: nothing sticks out, and axe finds no serious fault. The page as it stands,
 * or at this address.
 */
export async function looksWell(page: Page, url?: string): Promise<void> {
  for (const [index, { width, height, colorScheme }] of sizes.entries()) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme });
    if (url !== undefined && index === 0) await page.goto(url);
    expect(await cutText(page), page.url()).toEqual([]);
    expect(await seriousFaults(page), page.url()).toEqual([]);
  }
}

/** What sticks out to the right of the page or out of its own box without a way to scroll to it. */
async function cutText(page: Page): Promise<string[]> {
  // as text, since tests are not typed for a browser
  return await page.evaluate(`(() => {
    const faults = [];
    const root = document.documentElement;
    if (root.scrollWidth > innerWidth) faults.push('the page is ' + root.scrollWidth + ' wide');
    for (const element of document.querySelectorAll('main *')) {
      if (element.closest('.hidden, .hidden-label label, svg, iframe, select, thead') || element.clientWidth === 0) continue;
      // laid out in the width of its summary, until it is opened
      if (element.closest('details:not([open]) > :not(summary)')) continue;
      const style = getComputedStyle(element);
      if (style.display === 'inline' || ['auto', 'scroll'].includes(style.overflowX)) continue;
      if (['INPUT', 'TEXTAREA'].includes(element.tagName) || element.closest('.drop')) continue;
      if (element.scrollWidth > element.clientWidth + 1) {
        faults.push(element.tagName + '.' + element.className + ': ' + element.scrollWidth + ' in ' + element.clientWidth);
      }
    }
    return faults.slice(0, 5);
  })()`);
}
