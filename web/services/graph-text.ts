/** What fits into a box of a drawing, where nothing can measure text: widths are taken from a wide system font. */

/** The width of `text` in px at 13 px, rather too much than too little. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** `text` cut to `most` px at 13 px, with '…' where something is missing; letters with their marks stay whole. */
export function cutToWidth(text: string, most: number): string {
  if (textWidth(text) <= most) return text;
  const room = most - characterWidth('…');
  let kept = '';
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width += textWidth(segment);
    if (width > room) break;
    kept += segment;
  }
  return `${kept}…`;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

function characterWidth(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (/\p{Mn}|\p{Cf}/u.test(character)) return 0;
  if (
    code >= 0x1100 &&
    /\p{Script=Han}|\p{Script=Hangul}|\p{Script=Hiragana}|\p{Script=Katakana}/u.test(character)
  ) {
    return 13.5;
  }
  if (/\p{Extended_Pictographic}/u.test(character) && code > 0xff) return 17;
  if (/[ijlt.,:;'|!()[\]-]/.test(character)) return 4.6;
  if (/[mwMW@%…]/.test(character)) return 12;
  if (/\p{Lu}/u.test(character)) return 9.2;
  return 7.6;
}
