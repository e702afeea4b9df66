import type { Request, Response } from 'express';
import { mayOn, roleOn } from '../../api/auth/principal.ts';
import { countPendingApprovals } from '../../db/approvals.ts';
import { type AutomationStop, listStops } from '../../db/automation.ts';
import type { Tx } from '../../db/database.ts';
import { countIncidents } from '../../db/incidents.ts';
import { getOrganizationName } from '../../db/organizations.ts';
import { ClosedError, RefusedError, TemporalUnavailableError } from '../../workflows/messages-client.ts';
import type { WebDeps } from '../deps.ts';
import { visitorOf } from '../visitor.ts';
import { type Flash, setFlash, takeFlash } from './flash.ts';
import { createOnCallNow } from './on-call-now.ts';
import type { Templates } from './templates.ts';

export type Section =
  | 'incidents'
  | 'approvals'
  | 'on-call'
  | 'notifications'
  | 'runbooks'
  | 'automation'
  | 'changes'
  | 'executions'
  | 'services'
  | 'slos'
  | 'reports'
  | 'mailbox'
  | 'settings'
  | 'health'
  | 'none';

export interface Page {
  /** As 'incidents/show'. */
  template: string;
  view: object;
  title: string;
  section: Section;
  narrow?: boolean;
  status?: number;
  /** Who owns what is shown: what the visitor may do follows from the role there. */
  teamId?: string | null;
  /** It shows what is shown once: no cache may keep it. */
  secret?: boolean;
  /** What stands in the search field. */
  search?: string;
}

/** How a page is put together: its own template inside the frame with the rail. */
export interface Pages {
  show(request: Request, response: Response, page: Page): Promise<void>;
  /** Without rail and session: sign-in, signed links, errors. */
  alone(
    request: Request,
    response: Response,
    page: Omit<Page, 'section' | 'narrow' | 'search' | 'teamId'> & { wide?: boolean },
  ): void;
  now(): number;
}

const flashIcons: Record<Flash['tone'], string> = { good: 'done', bad: 'failed', plain: 'info' };

export function createPages(
  deps: Pick<WebDeps, 'db' | 'mailbox' | 'temporalUiUrl' | 'version'>,
  templates: Templates,
): Pages {
  const flashOf = (request: Request, response: Response) => {
    const flash = takeFlash(request, response);
    return flash && { ...flash, icon: flashIcons[flash.tone] };
  };
  const onCallNow = createOnCallNow(deps.db);
  return {
    now: () => Date.now(),
    async show(request, response, page) {
      const visitor = visitorOf(request);
      const now = Date.now();
      const teamId = page.teamId ?? null;
      const content = templates.render(page.template, page.view, {
        now,
        csrf: visitor.csrfToken,
        operator: mayOn(visitor.principal, 'operator', teamId),
        admin: mayOn(visitor.principal, 'admin', teamId),
        owner: mayOn(visitor.principal, 'owner', teamId),
      });
      const counts = await deps.db.read(visitor.scope, railCounts);
      const html = templates.render(
        'layout/page',
        {
          title: page.title,
          narrow: page.narrow ?? false,
          content,
          search: page.search ?? '',
          rail: railOf(
            page.section,
            counts,
            deps.mailbox !== undefined && mayOn(visitor.principal, 'admin', null),
          ),
          onCall: await onCallNow(visitor.scope, now),
          stopped: counts.stops.map(stopLine),
          flash: flashOf(request, response),
          person: {
            name: visitor.name || visitor.email,
            role: roleOn(visitor.principal, null) ?? 'member of a team',
          },
          organization: counts.organization,
          version: deps.version,
          temporalUrl: deps.temporalUiUrl,
        },
        { now, csrf: visitor.csrfToken },
      );
      send(response, page.status ?? 200, html, page.secret);
    },
    alone(request, response, page) {
      const now = Date.now();
      const content = templates.render(page.template, page.view, { now });
      const html = templates.render(
        'layout/alone',
        { title: page.title, wide: page.wide ?? false, content, flash: flashOf(request, response) },
        { now },
      );
      send(response, page.status ?? 200, html, page.secret);
    },
  };
}

/** Never kept by a shared cache; asked for again each time, answered 304 where nothing has changed. */
function send(response: Response, status: number, html: string, secret = false): void {
  response
    .status(status)
    .set('Cache-Control', secret ? 'no-store' : 'private, no-cache')
    .type('html')
    .send(html);
}

interface RailCounts {
  organization: string;
  active: number;
  pending: number;
  stops: AutomationStop[];
}

async function railCounts(tx: Tx): Promise<RailCounts> {
  return {
    organization: await getOrganizationName(tx),
    active: await countIncidents(tx, { active: true }, 999),
    pending: await countPendingApprovals(tx),
    stops: await listStops(tx),
  };
}

/** Said on every page: nobody should wait for a runbook that will not run. */
function stopLine({ team, stoppedAt, stoppedBy, reason }: AutomationStop) {
  const [what, means] =
    team === null
      ? ['Automation is stopped', 'Nothing new runs.']
      : [`The automation of team ${team.name} is stopped`, 'Nothing new of this team runs.'];
  return { what, means, since: stoppedAt.toISOString(), by: stoppedBy, reason };
}

function railOf(section: Section, counts: RailCounts, mailbox: boolean) {
  const entry = (id: Section, label: string, href: string, count = 0, countMeans = '', urgent = false) => ({
    icon: id,
    label,
    href,
    current: id === section,
    count,
    countMeans,
    urgent,
  });
  return [
    entry('incidents', 'Incidents', '/incidents', counts.active, 'active', true),
    entry('approvals', 'Approvals', '/approvals', counts.pending, 'waiting'),
    entry('on-call', 'On-call', '/on-call'),
    entry('notifications', 'Notifications', '/notifications'),
    entry('runbooks', 'Runbooks', '/runbooks'),
    entry('executions', 'Executions', '/executions'),
    entry('automation', 'Automation', '/automation', counts.stops.length, 'stopped', true),
    entry('changes', 'Changes', '/changes'),
    entry('services', 'Services', '/services'),
    entry('slos', 'SLOs', '/slos'),
    entry('reports', 'Reports', '/reports'),
    ...(mailbox ? [entry('mailbox', 'Mailbox', '/mailbox')] : []),
    entry('settings', 'Settings', '/settings'),
    entry('health', 'System health', '/health'),
  ];
}

/** There is no such thing, or the visitor's teams do not see it. */
export class NotFoundError extends Error {
  override name = 'NotFoundError';
}

/**
 * Does what a form asks for and leads back, saying how it went. A refusal is an answer, not an error: its
 * reason stands on the page that follows. Anything else goes to the error page.
 */
export async function act(response: Response, back: string, run: () => Promise<string>): Promise<void> {
  try {
    setFlash(response, 'good', await run());
  } catch (error) {
    setFlash(response, 'bad', refusalText(error));
  }
  response.redirect(303, back);
}

/** What to tell the person; throws `error` again where it is no refusal. */
export function refusalText(error: unknown): string {
  if (error instanceof RefusedError) return `Refused: ${error.message}`;
  if (error instanceof ClosedError) return 'Too late: it has ended already. This page shows how.';
  if (error instanceof TemporalUnavailableError) {
    return `Not done: ${error.message}. Nothing was lost; send it again in a moment.`;
  }
  throw error;
}

/** A path of this site to lead back to; `fallback` for anything else. */
export function localPath(given: string, fallback: string): string {
  return /^\/(?![/\\])[^\s\\]*$/.test(given) ? given : fallback;
}
