// A file that is chosen in [data-file-into="id"] is read into the text field of that id: the form posts text, with this
// or without.
for (const place of document.querySelectorAll('[data-file-into]')) {
  const text = document.getElementById(place.dataset.fileInto);
  const input = place.querySelector('input[type="file"]');
  if (!text || !input) continue;
  place.hidden = false;
  input.addEventListener('change', async () => {
    const file = input.files?.[0];
    if (file) text.value = await file.text();
  });
}
