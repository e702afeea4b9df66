// A form that can be tried ([data-preview="address"]): what would come of it is shown while it is edited. Without
// this the form's own button asks the same.
const pauseMs = 600;

for (const form of document.querySelectorAll('form[data-preview]')) {
  let timer;
  let latest = 0;
  let asked;
  form.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => preview(form), pauseMs);
  });

  async function preview() {
    latest += 1;
    const mine = latest;
    const region = document.querySelector('[data-preview-into]');
    region?.setAttribute('aria-busy', 'true');
    try {
      // what nobody waits for any more is not worked on
      asked?.abort();
      asked = new AbortController();
      const answer = await fetch(form.dataset.preview, {
        method: 'POST',
        signal: asked.signal,
        body: new URLSearchParams(new FormData(form)),
      });
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const next = page.querySelector('[data-preview-into]');
      // an answer that was overtaken by another edit says nothing any more
      if (mine === latest && region && next) region.replaceChildren(...next.childNodes);
    } catch {
      // the button still asks
    }
    if (mine === latest) region?.removeAttribute('aria-busy');
  }
}
