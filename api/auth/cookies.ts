import type { IncomingHttpHeaders } from 'node:http';
import type { CookieOptions, Response } from 'express';

/** `__Host-` binds the cookie to this host over https; browsers refuse the prefix on plain http. */
const cookieName = (secure: boolean) => (secure ? '__Host-holdfast' : 'holdfast');

const cookieOptions = (secure: boolean): CookieOptions => ({
  httpOnly: true,
  sameSite: 'lax',
  secure,
  path: '/',
});

export function readSessionCookie(headers: IncomingHttpHeaders, secure: boolean): string | undefined {
  const wanted = `${cookieName(secure)}=`;
  return headers.cookie
    ?.split(';')
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(wanted))
    ?.slice(wanted.length);
}

export function setSessionCookie(response: Response, token: string, expiresAt: Date, secure: boolean): void {
  response.cookie(cookieName(secure), token, { ...cookieOptions(secure), expires: expiresAt });
}

export function clearSessionCookie(response: Response, secure: boolean): void {
  response.clearCookie(cookieName(secure), cookieOptions(secure));
}
