import type { Request, Response } from 'express';
import { z } from 'zod';

/**
 * What a form's outcome says on the page that follows it: kept in a cookie for one page. It is only ever
 * shown, escaped, so a forged one can at most lie to its own reader.
 */
const flash = z.object({ tone: z.enum(['good', 'bad', 'plain']), text: z.string().max(1000) });
export type Flash = z.infer<typeof flash>;

const cookieName = 'holdfast_flash';

export function setFlash(response: Response, tone: Flash['tone'], text: string): void {
  const value = Buffer.from(JSON.stringify({ tone, text: text.slice(0, 1000) })).toString('base64url');
  response.cookie(cookieName, value, { httpOnly: true, sameSite: 'lax', path: '/', maxAge: 60_000 });
}

/** The flash of the last form, if any; taken, so that a reload does not repeat it. */
export function takeFlash(request: Request, response: Response): Flash | null {
  const raw = cookieOf(request, cookieName);
  if (raw === undefined) return null;
  response.clearCookie(cookieName, { path: '/' });
  try {
    return flash.parse(JSON.parse(Buffer.from(raw, 'base64url').toString('utf8')));
  } catch {
    // a cookie that we did not write says nothing
    return null;
  }
}

export function cookieOf(request: Request, name: string): string | undefined {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const at = part.indexOf('=');
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return undefined;
}
