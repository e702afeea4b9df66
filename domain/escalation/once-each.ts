import type { NotifyTarget } from '../notification.ts';

/** Each person once, by the way that reached them first; each channel and address once. */
export function onceEach(targets: readonly NotifyTarget[]): NotifyTarget[] {
  const first = new Map<string, NotifyTarget>();
  for (const target of targets) {
    const key = target.type === 'contact' ? `contact ${target.email}` : JSON.stringify(target);
    if (!first.has(key)) first.set(key, target);
  }
  return [...first.values()];
}
