import { Router } from 'express';
import type { WebDeps } from '../deps.ts';
import type { Pages } from '../layout/pages.ts';
import { accountRoutes } from './account.ts';
import { calendarRoutes } from './calendars.ts';
import { changeSourceRoutes } from './change-sources.ts';
import { channelRoutes } from './channels.ts';
import { contactRoutes } from './contact.ts';
import { correlationRoutes } from './correlation.ts';
import { escalationRoutes } from './escalation.ts';
import { gitRoutes } from './git.ts';
import { logSourceRoutes } from './log-sources.ts';
import { logTemplateRoutes } from './log-templates.ts';
import { peopleRoutes } from './people.ts';
import { reportSettingsRoutes } from './reports.ts';
import { ruleRoutes } from './rules.ts';
import { runnerRoutes } from './runners.ts';
import { slaRoutes } from './sla.ts';

export function settingsRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();
  router.get('/settings', (_request, response) => response.redirect(303, '/settings/escalation-policies'));
  router.use(escalationRoutes(deps, pages));
  router.use(ruleRoutes(deps, pages));
  router.use(slaRoutes(deps, pages));
  router.use(calendarRoutes(deps, pages));
  router.use(correlationRoutes(deps, pages));
  router.use(channelRoutes(deps, pages));
  router.use(gitRoutes(deps, pages));
  router.use(changeSourceRoutes(deps, pages));
  router.use(logSourceRoutes(deps, pages));
  router.use(logTemplateRoutes(deps, pages));
  router.use(reportSettingsRoutes(deps, pages));
  router.use(runnerRoutes(deps, pages));
  router.use(peopleRoutes(deps, pages));
  router.use(accountRoutes(deps, pages));
  router.use(contactRoutes(deps, pages));
  return router;
}
