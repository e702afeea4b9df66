import express, { Router } from 'express';
import helmet from 'helmet';
import { authenticate } from '../api/auth/authenticate.ts';
import { approvalRoutes } from './approvals/routes.ts';
import { automationRoutes } from './automation/routes.ts';
import { changeRoutes } from './changes/routes.ts';
import { chatRoutes } from './chat/routes.ts';
import type { WebDeps } from './deps.ts';
import { noSuchPage, showErrors } from './errors/errors.ts';
import { executionRoutes } from './executions/routes.ts';
import { healthRoutes } from './health/routes.ts';
import { incidentCommandRoutes } from './incidents/command-routes.ts';
import { incidentExportRoutes } from './incidents/export-routes.ts';
import { groupRoutes } from './incidents/group.ts';
import { regroupRoutes } from './incidents/regroup.ts';
import { incidentRoutes } from './incidents/routes.ts';
import { incidentShowRoutes } from './incidents/show-routes.ts';
import { loadAssets } from './layout/assets.ts';
import { createPages } from './layout/pages.ts';
import { loadTemplates } from './layout/templates.ts';
import { linkRoutes } from './links/routes.ts';
import { mailboxRoutes } from './mailbox/routes.ts';
import { notificationRoutes } from './notifications/routes.ts';
import { importRoutes as onCallImportRoutes } from './on-call/import.ts';
import { overrideRoutes } from './on-call/override-routes.ts';
import { onCallRoutes } from './on-call/routes.ts';
import { scheduleRoutes } from './on-call/schedule-routes.ts';
import { rehearsalRoutes } from './rehearsal/routes.ts';
import { reportRoutes } from './reports/routes.ts';
import { dryRunRoutes } from './runbooks/dry-run-routes.ts';
import { runbookRoutes } from './runbooks/routes.ts';
import { serviceRoutes } from './services/routes.ts';
import { settingsRoutes } from './settings/routes.ts';
import { sharedIncidentRoutes, shareRoutes } from './shares/routes.ts';
import { signInRoutes } from './sign-in/routes.ts';
import { silenceRoutes } from './silences/routes.ts';
import { sloRoutes } from './slos/routes.ts';
import { requireVisitor } from './visitor.ts';

export type { DependencyState, Mail, Mailbox, MailSummary, WebDeps } from './deps.ts';

/**
 * The pages, mounted at '/' after the API: what no page answers gets a 404 page. Throws when a template or an
 * asset is broken, so that such a build never starts.
 */
export function createWeb(deps: WebDeps): Router {
  const assets = loadAssets();
  const templates = loadTemplates(assets.url);
  const pages = createPages(deps, templates);
  const secureCookies = deps.publicUrl.startsWith('https:');
  const router = Router();

  router.use(securityHeaders(secureCookies));
  router.use(assets.router);
  // ten megabytes of JSON
  router.use('/on-call/import', express.urlencoded({ extended: false, limit: '16mb', parameterLimit: 10 }));
  // half a megabyte of YAML, with each space and line break escaped
  router.use('/topology/import', express.urlencoded({ extended: false, limit: '2mb', parameterLimit: 10 }));
  router.use(express.urlencoded({ extended: false, limit: '256kb', parameterLimit: 1000 }));
  // a signed link acts in the name that it holds, whoever is signed in: it stands before the session's rules
  router.use(linkRoutes(deps, pages));
  router.use(sharedIncidentRoutes(deps, pages));
  router.use(authenticate({ db: deps.db, secureCookies }));
  router.use(signInRoutes({ signIn: deps.signIn, secureCookies }, pages));
  router.use(requireVisitor);
  router.get('/', (_request, response) => response.redirect(303, '/incidents'));
  router.use(incidentRoutes(deps, pages));
  // before what takes any word there for a number
  router.use(groupRoutes(deps, pages));
  router.use(incidentShowRoutes(deps, pages));
  router.use(incidentCommandRoutes(deps, pages));
  router.use(regroupRoutes(deps, pages));
  router.use(incidentExportRoutes(deps, pages));
  router.use(shareRoutes(deps, pages));
  router.use(approvalRoutes(deps, pages));
  // before what takes any word there for a name
  router.use(onCallImportRoutes(deps, pages));
  router.use(scheduleRoutes(deps, pages));
  router.use(overrideRoutes(deps, pages));
  router.use(onCallRoutes(deps, pages));
  router.use(notificationRoutes(deps, pages));
  router.use(silenceRoutes(deps, pages));
  router.use(runbookRoutes(deps, pages));
  router.use(dryRunRoutes(deps, pages));
  router.use(executionRoutes(deps, pages));
  router.use(automationRoutes(deps, pages));
  router.use(changeRoutes(deps, pages));
  router.use(serviceRoutes(deps, pages));
  router.use(sloRoutes(deps, pages));
  router.use(rehearsalRoutes(deps, pages));
  router.use(reportRoutes(deps, pages));
  router.use(chatRoutes(deps, pages));
  if (deps.mailbox) router.use(mailboxRoutes(deps.mailbox, pages));
  router.use(settingsRoutes(deps, pages));
  router.use(healthRoutes(deps, pages));
  router.use(noSuchPage);
  router.use(showErrors(pages, deps.logError));
  return router;
}

function securityHeaders(https: boolean) {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: https,
    referrerPolicy: { policy: 'same-origin' },
  });
}
