import type { Page } from 'playwright-core';
import { type Chromium, startChromium } from '../parts/chromium.ts';
import { seriousFaults } from './axe.ts';

export interface MailReader {
  /** Opens the HTML part as a mail client does, which fetches nothing from the network. */
  open(html: string): Promise<OpenMail>;
  close(): Promise<void>;
}

export interface OpenMail {
  /** What a reader would stumble over: what sticks out to the right, pictures without a word or that are not there. */
  faults(width: number): Promise<string[]>;
  buttons(width: number): Promise<Button[]>;
  seriousFaults(scheme: 'light' | 'dark'): Promise<string[]>;
  /** Addresses of all links, as they are written. */
  links: string[];
  /** Names of all elements with those of their attributes, in their order. */
  structure: string[];
  /** Text that can be seen, piece by piece, but for the heads of columns. */
  words: string[];
  /** What it asked the network for. */
  asked: string[];
}

export interface Button {
  label: string;
  filled: boolean;
  /** Pixels from the top of the mail. */
  bottom: number;
  height: number;
}

/** @throws PartUnavailableError where no Chromium is installed */
export async function startMailReader(): Promise<MailReader> {
  const chromium: Chromium = await startChromium();
  const page = await chromium.context.newPage();
  let asked: string[] = [];
  await page.route('**/*', (route) => {
    asked.push(route.request().url());
    return route.abort();
  });
  return {
    async open(html) {
      asked = [];
      await wide(page, 600);
      await page.setContent(html);
      return {
        async faults(width) {
          await wide(page, width);
          return await faultsOf(page);
        },
        async buttons(width) {
          await wide(page, width);
          return await buttonsOf(page);
        },
        async seriousFaults(colorScheme) {
          await wide(page, 600);
          await page.emulateMedia({ colorScheme });
          return await seriousFaults(page);
        },
        ...(await contentOf(page)),
        asked,
      };
    },
    close: () => chromium.close(),
  };
}

async function wide(page: Page, width: number): Promise<void> {
  await page.setViewportSize({ width, height: 844 });
}

// as text, since tests are not typed for a browser
async function faultsOf(page: Page): Promise<string[]> {
  return await page.evaluate(`(() => {
    const faults = [];
    const width = document.documentElement.scrollWidth;
    if (width > innerWidth) faults.push('the mail is ' + width + ' wide');
    for (const element of document.body.querySelectorAll('*')) {
      const { clientWidth, scrollWidth, tagName } = element;
      if (clientWidth === 0 || getComputedStyle(element).display === 'inline') continue;
      if (scrollWidth > clientWidth + 1) faults.push(tagName + ': ' + scrollWidth + ' in ' + clientWidth + ', ' + element.textContent.slice(0, 40));
    }
    for (const image of document.images) {
      if (!image.complete || image.naturalWidth === 0) faults.push('a picture is not there: ' + image.src.slice(0, 80));
      if (!image.hasAttribute('alt')) faults.push('a picture without a word: ' + image.src.slice(0, 80));
    }
    return faults.slice(0, 5);
  })()`);
}

async function buttonsOf(page: Page): Promise<Button[]> {
  return await page.evaluate(`[...document.querySelectorAll('.hf-buttons a')].map((link) => {
    const { bottom, height } = link.getBoundingClientRect();
    const filled = getComputedStyle(link.parentElement).backgroundColor === 'rgb(15, 106, 91)';
    return { label: link.textContent.trim(), filled, bottom, height };
  })`);
}

async function contentOf(page: Page): Promise<Pick<OpenMail, 'links' | 'structure' | 'words'>> {
  return await page.evaluate(`(() => {
    const all = [...document.querySelectorAll('*')];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const words = [];
    while (texts.nextNode()) {
      const text = texts.currentNode.textContent.replace(/\\s+/g, ' ').trim();
      const { width } = texts.currentNode.parentElement.getBoundingClientRect();
      if (text !== '' && width > 0 && !texts.currentNode.parentElement.closest('thead')) words.push(text);
    }
    return {
      links: [...document.querySelectorAll('[href]')].map((link) => link.getAttribute('href')),
      structure: all.map((element) => [element.tagName, ...element.getAttributeNames().filter((name) => name !== 'style')].join(' ')),
      words,
    };
  })()`);
}
