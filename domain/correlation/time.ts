import type { CorrelationRules } from './rules.ts';

/** What evidence that is a window old still counts. */
const atWindow = 0.6;

/** How much evidence counts that is `gapMs` away, 0 to 1: nearly all of it in the window, nothing after the look-back. */
export function timeFactor(gapMs: number, rules: CorrelationRules): number {
  const { windowMs, lookBackMs } = rules;
  if (gapMs <= windowMs) return windowMs === 0 ? 1 : 1 - (1 - atWindow) * (gapMs / windowMs);
  if (gapMs >= lookBackMs) return 0;
  return atWindow * (1 - (gapMs - windowMs) / (lookBackMs - windowMs));
}

/** Milliseconds between a moment and a span of time; 0 within it. */
export function gapTo(at: number, span: { firstAt: number; lastAt: number }): number {
  return Math.max(0, span.firstAt - at, at - span.lastAt);
}
