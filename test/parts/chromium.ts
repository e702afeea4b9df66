import { rm } from 'node:fs/promises';
import { type BrowserContext, chromium } from 'playwright-core';
import { installedCommand, temporaryFolder } from './server-part.ts';

export interface Chromium {
  context: BrowserContext;
  close(): Promise<void>;
}

export interface ChromiumOptions {
  /** CSS pixels. */
  width?: number;
  height?: number;
  colorScheme?: 'light' | 'dark';
  javaScript?: boolean;
}

/**
 * A real Chromium with a profile of its own.
 * @throws PartUnavailableError where none is installed
 */
export async function startChromium(options: ChromiumOptions = {}): Promise<Chromium> {
  const executablePath = await installedCommand('Chromium', [
    'chromium',
    'chromium-browser',
    'google-chrome',
  ]);
  const profile = await temporaryFolder('chromium');
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
    viewport: { width: options.width ?? 1280, height: options.height ?? 900 },
    colorScheme: options.colorScheme ?? 'light',
    javaScriptEnabled: options.javaScript ?? true,
  });
  return {
    context,
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
