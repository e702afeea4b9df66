import type { Response } from 'express';

/**
 * Answers HTML that came as a mail or was made for one, to be shown in a sandboxed frame of our own pages: no
 * script, no form, nothing from elsewhere but pictures that it holds itself; its links open beside the page.
 */
export function sendFramedHtml(response: Response, html: string): void {
  response
    .set({
      'Content-Security-Policy':
        "default-src 'none'; style-src 'unsafe-inline'; img-src data: cid:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox",
      'X-Frame-Options': 'SAMEORIGIN',
      'Cache-Control': 'private, no-cache',
      'Referrer-Policy': 'no-referrer',
    })
    .type('html')
    .send(withLinksBeside(html));
}

/** A `base` element makes every link open in a new tab; the policy forbids it another address. */
function withLinksBeside(html: string): string {
  const base = '<base target="_blank">';
  const head = /<head(\s[^<>]*)?>/i.exec(html);
  if (!head) return `${base}${html}`;
  const at = head.index + head[0].length;
  return `${html.slice(0, at)}${base}${html.slice(at)}`;
}
