// Keeps marked regions ([data-live="name"]) fresh: fetches the page's own address every few seconds while it is
// looked at, and puts in only what differs. What the reader holds stays: focus, typed text, scroll, open folds.
import { freshen } from './time.js';

/** Milliseconds between two looks; a region that moves faster says so itself ([data-every]). */
const usualMs = 4000;
const everyMs = () =>
  Math.min(usualMs, ...regions().map((region) => Number(region.dataset.every ?? usualMs)));
const slowestMs = 60_000;
const regions = () => [...document.querySelectorAll('[data-live]')];
let wait = everyMs();
let etag = null;

async function refresh() {
  // asks whether the browser's own copy still holds: a page that has not changed costs a 304
  const answer = await fetch(location.href, {
    headers: { 'x-live': '1' },
    redirect: 'manual',
    cache: 'no-cache',
  });
  if (!answer.ok) throw new Error(`the page answered ${answer.status}`);
  if (etag !== null && answer.headers.get('etag') === etag) return;
  etag = answer.headers.get('etag');
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  for (const region of regions()) {
    const next = fresh.querySelector(`[data-live="${CSS.escape(region.dataset.live)}"]`);
    if (!next) continue;
    freshen(next);
    const atEnd = tails(region).filter(isAtEnd);
    morph(region, next);
    for (const tail of atEnd) tail.scrollTop = tail.scrollHeight;
  }
  if (document.title !== fresh.title) document.title = fresh.title;
}

/** Makes `from` look like `to`, touching only what differs. */
function morph(from, to) {
  if (from.isEqualNode(to)) return;
  copyAttributes(from, to);
  if (from.contains(document.activeElement) && document.activeElement.matches('input, textarea, select')) {
    // somebody is typing here: this form waits until they are done
    if (from.tagName === 'FORM') return;
  }
  const kept = [...from.childNodes];
  const wanted = [...to.childNodes];
  const byKey = new Map(kept.filter(keyOf).map((node) => [keyOf(node), node]));
  let at = 0;
  for (const next of wanted) {
    const key = keyOf(next);
    const here = from.childNodes[at];
    const match = key ? byKey.get(key) : here && !keyOf(here) && sameKind(here, next) ? here : null;
    if (match) {
      if (match !== here) from.insertBefore(match, here ?? null);
      if (match.nodeType === Node.ELEMENT_NODE) morph(match, next);
      else if (match.data !== next.data) {
        match.data = next.data;
        mark(from);
      }
    } else {
      const added = document.importNode(next, true);
      from.insertBefore(added, here ?? null);
      if (added.nodeType === Node.ELEMENT_NODE) mark(added);
    }
    at += 1;
  }
  while (from.childNodes.length > wanted.length) from.lastChild.remove();
}

// output that grows ([data-tail]) shows its end, unless the reader has scrolled up in it
const tails = (root) => [...root.querySelectorAll('[data-tail]')];
const isAtEnd = (element) => element.scrollHeight - element.scrollTop - element.clientHeight < 24;
for (const tail of tails(document)) tail.scrollTop = tail.scrollHeight;

const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.id || node.dataset.id || '' : '');
const sameKind = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName;

function copyAttributes(from, to) {
  for (const { name } of [...from.attributes]) {
    // a fold that the reader opened stays open
    if (!to.hasAttribute(name) && !(name === 'open' && from.tagName === 'DETAILS'))
      from.removeAttribute(name);
  }
  for (const { name, value } of [...to.attributes]) {
    if (name === 'open' && from.tagName === 'DETAILS') continue;
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
}

function mark(element) {
  // output that grows is read, not watched: a flash at every line would only tire the eye
  if (element.closest('[data-still]')) return;
  const shown = element.closest('[data-mark], tr, li, .step, .sentence, .card') ?? element;
  if (shown.closest('time') || element.tagName === 'TIME') return;
  shown.classList.remove('changed');
  void shown.offsetWidth;
  shown.classList.add('changed');
  shown.addEventListener('animationend', () => shown.classList.remove('changed'), { once: true });
}

/** What a press did is told for a while: later the page itself tells how things stand. */
const flashMs = 10_000;
function dropOldFlash() {
  // one that says what did not work stays until the reader goes on
  if (performance.now() > flashMs) document.querySelector('main .flash.tone-good')?.remove();
}

async function loop() {
  if (!document.hidden) {
    const anchor = anchorInView();
    try {
      await refresh();
      dropOldFlash();
      wait = everyMs();
    } catch {
      // away or restarting: ask again, more and more slowly; the page as it stands is still true of its time
      wait = Math.min(wait * 2, slowestMs);
    }
    anchor?.();
  }
  setTimeout(loop, wait);
}

/** Remembers what the reader looks at, so that rows that arrive above it do not move it. */
function anchorInView() {
  if (scrollY < 8) return null;
  const element = document.elementFromPoint(innerWidth / 2, 120)?.closest('tr, li, section, .step');
  if (!element) return null;
  const top = element.getBoundingClientRect().top;
  return () => {
    const moved = element.isConnected ? element.getBoundingClientRect().top - top : 0;
    if (moved !== 0) scrollBy(0, moved);
  };
}

if (regions().some((region) => region.dataset.live !== 'rail')) setTimeout(loop, everyMs());

// an address that names a drop-down, as those of cards in chat do, opens it
const named = document.getElementById(location.hash.slice(1));
if (named?.matches('details.drop')) named.open = true;

// one drop-down at a time, and a click beside it or Escape closes it
document.addEventListener('click', (event) => {
  for (const drop of document.querySelectorAll('details.drop[open]'))
    if (!drop.contains(event.target)) drop.open = false;
});
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  for (const drop of document.querySelectorAll('details.drop[open]')) {
    drop.open = false;
    drop.querySelector('summary')?.focus();
  }
});
