import { type Request, type Response, Router } from 'express';
import { requireSameSite } from '../../api/auth/authenticate.ts';
import { clearSessionCookie, setSessionCookie } from '../../api/auth/cookies.ts';
import { HttpError } from '../../api/auth/errors.ts';
import type { SignedIn, SignIn } from '../../api/auth/sign-in.ts';
import { timeZone } from '../../domain/time-zone.ts';
import { posted } from '../layout/fields.ts';
import { localPath, type Pages } from '../layout/pages.ts';
import { visitorIfAny } from '../visitor.ts';

export function signInRoutes(deps: { signIn: SignIn; secureCookies: boolean }, pages: Pages): Router {
  const router = Router();

  router.get('/sign-in', (request, response) => {
    const back = localPath(typeof request.query.back === 'string' ? request.query.back : '', '/incidents');
    if (visitorIfAny(request)) {
      response.redirect(303, back);
      return;
    }
    form(request, response, { back, email: '', problem: null }, 200);
  });

  router.post('/sign-in', requireSameSite, async (request, response) => {
    const back = localPath(posted(request.body, 'back'), '/incidents');
    const email = posted(request.body, 'email');
    // spaces around a password are part of it
    const raw: unknown = request.body?.password;
    try {
      const signedIn = await deps.signIn.byPassword(
        { email, password: typeof raw === 'string' ? raw : '' },
        whereFrom(request),
      );
      begin(response, signedIn);
      response.redirect(303, back);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      const problem = `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`;
      form(request, response, { back, email, problem }, error.status === 401 ? 422 : error.status);
    }
  });

  router.get('/sign-in/:token', async (request, response) => {
    const person = await deps.signIn.lookAtLink(request.params.token);
    pages.alone(request, response, {
      template: 'sign-in/link',
      view: { person: person ?? null },
      title: 'Sign in',
      status: person ? 200 : 410,
    });
  });

  router.post('/sign-in/:token', requireSameSite, async (request, response) => {
    try {
      // filled in by a script: without it, or where the browser knows another zone than we, there is none
      const zone = timeZone.safeParse(posted(request.body, 'timeZone')).data;
      const visitor = { ...whereFrom(request), timeZone: zone };
      begin(response, await deps.signIn.byLink(String(request.params.token), visitor));
      response.redirect(303, '/incidents');
    } catch (error) {
      if (!(error instanceof HttpError) || error.status !== 401) throw error;
      pages.alone(request, response, {
        template: 'sign-in/link',
        view: { person: null },
        title: 'Sign in',
        status: 410,
      });
    }
  });

  router.post('/sign-out', async (request, response) => {
    const visitor = visitorIfAny(request);
    if (visitor) await deps.signIn.signOut(visitor.principal);
    clearSessionCookie(response, deps.secureCookies);
    response.redirect(303, '/sign-in');
  });

  function form(
    request: Request,
    response: Response,
    view: { back: string; email: string; problem: string | null },
    status: number,
  ): void {
    pages.alone(request, response, { template: 'sign-in/show', view, title: 'Sign in', status });
  }

  function begin(response: Response, signedIn: SignedIn): void {
    setSessionCookie(response, signedIn.token, signedIn.expiresAt, deps.secureCookies);
  }

  return router;
}

const whereFrom = (request: Request) => ({
  address: request.ip ?? '',
  userAgent: request.get('user-agent') ?? '',
});
