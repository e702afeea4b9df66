// The keyboard: / search, j and k along a list, Enter opens, a acknowledges, r resolves, ? shows this.
const rows = () => [...document.querySelectorAll('[data-rows] a.row-link')];
let at = -1;

const acts = {
  '/': () => {
    const search = document.querySelector('[data-key="/"]');
    const menu = search?.closest('[popover]');
    if (menu && search.offsetParent === null) menu.showPopover();
    search?.focus();
    search?.select();
  },
  j: () => move(1),
  k: () => move(-1),
  a: () => press('a'),
  r: () => press('r'),
  '?': () => help(),
};

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest?.('input, textarea, select, [contenteditable]')) {
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

function move(by) {
  const list = rows();
  if (list.length === 0) return;
  const focused = list.indexOf(document.activeElement);
  at = Math.min(list.length - 1, Math.max(0, (focused >= 0 ? focused : at) + by));
  list[at].focus();
  list[at].scrollIntoView({ block: 'nearest' });
}

/** Presses the button of that key, or opens the fold that asks first. */
function press(key) {
  const element = document.querySelector(`[data-key="${key}"]`);
  if (!element) return;
  if (element.tagName === 'SUMMARY') {
    element.parentElement.open = true;
    element.parentElement.querySelector('textarea, input:not([type="hidden"]), button')?.focus();
  } else element.click();
}

function help() {
  let dialog = document.querySelector('dialog.keys');
  if (!dialog) {
    dialog = document.createElement('dialog');
    dialog.className = 'keys';
    dialog.setAttribute('aria-labelledby', 'keys-title');
    dialog.innerHTML = `<h2 id="keys-title">Keyboard</h2><dl>
      <dt><kbd>/</kbd></dt><dd>Search</dd>
      <dt><kbd>j</kbd> <kbd>k</kbd></dt><dd>Next, previous in a list</dd>
      <dt><kbd>Enter</kbd></dt><dd>Open</dd>
      <dt><kbd>a</kbd></dt><dd>Acknowledge</dd>
      <dt><kbd>r</kbd></dt><dd>Resolve (asks first)</dd>
      <dt><kbd>?</kbd></dt><dd>This list</dd>
      </dl><form method="dialog"><button class="button">Close</button></form>`;
    document.body.append(dialog);
  }
  if (!dialog.open) dialog.showModal();
}
