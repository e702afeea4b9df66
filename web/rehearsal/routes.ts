import { type Request, type Response, Router } from 'express';
import { readDirectory } from '../../db/directory.ts';
import { listEscalationPolicies, UnknownReferenceError } from '../../db/policies.ts';
import { NotTriedError } from '../../db/preview-thread.ts';
import { createRehearsal, type RehearsalAnswer, type RehearsalRequest } from '../../db/rehearsal.ts';
import { readOrganizationZone } from '../../db/report-audience.ts';
import { listTeams } from '../../db/teams.ts';
import type { IncidentMatch } from '../../domain/policies.ts';
import { editedOf, incidentOf, rehearsal, weekOf } from '../../domain/rehearsal/request.ts';
import type { WebDeps } from '../deps.ts';
import { formStatus, type Problems, posted } from '../layout/fields.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { readerZone } from '../on-call/reader-zone.ts';
import { requireRole, visitorOf, whenLeft } from '../visitor.ts';
import {
  asBody,
  type Carried,
  carriedFields,
  type Edited,
  type EditedKind,
  editedKinds,
  formAddress,
  kindWords,
  matchOfEdited,
  readEdited,
  unnamed,
} from './edited-form.ts';
import { resultView } from './result-view.ts';
import {
  firstSituation,
  postedSituation,
  type SituationValues,
  situationFieldOf,
  situationFormView,
  situationOf,
} from './situation-form.ts';

const dayMs = 86_400_000;

/** What is rehearsed: a form as somebody has edited it, and where it goes to be saved; null: what stands. */
interface Subject {
  kind: EditedKind;
  carried: Carried;
  back: string | null;
}

type Answered =
  | { rehearsed: RehearsalAnswer; timeZone: string; week: { from: number; to: number } | null }
  | { problems: Problems }
  | { notTried: NotTriedError };

/** As readEdited names it. */
function nameOf({ carried }: Subject): string {
  return posted(asBody(carried), 'name') || unnamed;
}

/** An incident for which the edited thing does not count says little of it. */
function besidesText(
  subject: Subject,
  { policy, schedules }: { policy: string; schedules: string[] },
): string | null {
  const name = nameOf(subject);
  if (subject.kind === 'policy' && policy !== name) {
    return `This incident goes by the policy ${policy}, and not by the one that is edited: change the situation so that it matches.`;
  }
  if (subject.kind === 'schedule' && !schedules.includes(name)) {
    return `This incident goes by the policy ${policy}, which does not name this schedule: change the situation, or name the schedule in a policy.`;
  }
  return null;
}

/** Tries what stands, or what a form holds as edited, before it is saved. */
export function rehearsalRoutes(deps: Pick<WebDeps, 'db' | 'timeZone'>, pages: Pages): Router {
  const router = Router();
  const rehearse = createRehearsal(deps.db);

  router.get('/rehearsal', requireRole('operator'), async (request, response) => {
    await show(request, response, { subject: null, values: null, answered: null });
  });

  router.post('/rehearsal', requireRole('operator'), async (request, response) => {
    await tryOut(request, response, null);
  });

  router.post('/rehearsal/:kind', requireRole('operator'), async (request, response) => {
    const kind = editedKinds.find((known) => known === request.params.kind);
    if (!kind) throw new NotFoundError('There is nothing of this kind to rehearse.');
    const carried = carriedFields(request.body ?? {});
    await tryOut(request, response, { kind, carried, back: formAddress(request.query.back) });
  });

  async function tryOut(request: Request, response: Response, subject: Subject | null): Promise<void> {
    const { scope, userId } = visitorOf(request);
    const { timeZone, organizationZone } = await deps.db.read(scope, async (tx) => ({
      timeZone: await readerZone(tx, userId, deps.timeZone),
      organizationZone: await readOrganizationZone(tx, deps.timeZone),
    }));
    // a form that comes from elsewhere brings no situation yet
    const fresh = posted(request.body, 'situation.at') === '' && posted(request.body, 'week.from') === '';
    const read = subject ? readEdited(subject.kind, asBody(subject.carried)) : { name: '', edited: {} };
    const values = fresh
      ? first(timeZone, 'edited' in read ? await matchToTry(request, read.edited) : {})
      : postedSituation(request.body);
    const answered =
      'problems' in read
        ? { problems: { edited: Object.values(read.problems).join(' ') } }
        : await answerTo(request, { edited: read.edited, values, timeZone, organizationZone });
    await show(request, response, { subject, values, answered });
  }

  /** What an incident is like that the edited thing is for: of a schedule, the first policy that names it. */
  async function matchToTry(request: Request, edited: Edited): Promise<IncidentMatch> {
    if (!edited.schedule) return matchOfEdited(edited);
    const { name } = edited.schedule;
    const policies = await deps.db.read(visitorOf(request).scope, listEscalationPolicies);
    const naming = policies.find(({ definition }) =>
      definition.levels.some(({ targets }) =>
        targets.some((target) => target.type === 'schedule' && target.name === name),
      ),
    );
    return naming?.definition.match ?? {};
  }

  async function answerTo(
    request: Request,
    {
      edited,
      values,
      timeZone,
      organizationZone,
    }: { edited: Edited; values: SituationValues; timeZone: string; organizationZone: string },
  ): Promise<Answered> {
    const week = posted(request.body, 'do') === 'week';
    const made = week ? { week: { from: values['week.from'] } } : situationOf(values, timeZone);
    if ('problems' in made) return made;
    const parsed = rehearsal.safeParse({ ...edited, ...made });
    if (!parsed.success) {
      return {
        problems: Object.fromEntries(
          parsed.error.issues.map(({ path, message }) => [situationFieldOf(path.map(String)), message]),
        ),
      };
    }
    const { situation, week: asked } = parsed.data;
    const what = situation
      ? incidentOf(situation, pages.now())
      : asked && weekOf({ from: asked.from, timeZone: organizationZone }, pages.now());
    if (!what || 'problem' in what) {
      return { problems: what ? { [what.problem.field]: what.problem.message } : {} };
    }
    return await perform(request, {
      edited: editedOf(parsed.data),
      what,
      organizationZone,
      timeZone: 'timeZone' in what ? what.timeZone : week ? organizationZone : timeZone,
    });
  }

  async function perform(
    request: Request,
    { timeZone, ...asked }: RehearsalRequest & { timeZone: string },
  ): Promise<Answered> {
    try {
      const rehearsed = await rehearse(visitorOf(request).scope, asked, whenLeft(request));
      return { rehearsed, timeZone, week: 'from' in asked.what ? asked.what : null };
    } catch (error) {
      if (error instanceof UnknownReferenceError) return { problems: { edited: error.message } };
      if (error instanceof NotTriedError) return { notTried: error };
      throw error;
    }
  }

  function first(timeZone: string, match: IncidentMatch = {}): SituationValues {
    return firstSituation(timeZone, new Date(pages.now() - 7 * dayMs).toISOString().slice(0, 10), match);
  }

  async function show(
    request: Request,
    response: Response,
    given: { subject: Subject | null; values: SituationValues | null; answered: Answered | null },
  ): Promise<void> {
    const { scope, userId } = visitorOf(request);
    const { zone, organizationZone, directory, teams } = await deps.db.read(scope, async (tx) => ({
      organizationZone: await readOrganizationZone(tx, deps.timeZone),
      zone: await readerZone(tx, userId, deps.timeZone),
      directory: await readDirectory(tx, [], { at: pages.now(), everybody: true }),
      teams: await listTeams(tx),
    }));
    const { subject, answered } = given;
    const problems = answered && 'problems' in answered ? answered.problems : {};
    const notTried = answered && 'notTried' in answered ? answered.notTried : null;
    const result = answered && 'rehearsed' in answered ? resultView(answered.rehearsed, answered) : null;
    const query = subject?.back ? `?back=${encodeURIComponent(subject.back)}` : '';
    await pages.show(request, response, {
      template: 'rehearsal/show',
      view: {
        subject: subject && {
          kind: kindWords[subject.kind],
          name: nameOf(subject),
          back: subject.back,
          carried: subject.carried.map(([name, value]) => ({ name, value })),
          carriedText: JSON.stringify(subject.carried),
        },
        action: subject ? `/rehearsal/${subject.kind}${query}` : '/rehearsal',
        form: situationFormView(given.values ?? first(zone), problems, {
          people: [...directory.people.keys()].sort(),
          channels: [...directory.channels].sort(),
          teams,
          organizationZone,
        }),
        editedProblem: problems.edited ?? null,
        notTried: notTried?.message ?? null,
        besides: subject && result?.situation ? besidesText(subject, result.situation) : null,
        situation: result?.situation ?? null,
        week: result?.week ?? null,
      },
      title: 'Rehearsal',
      section: 'settings',
      status: formStatus(problems, notTried),
    });
  }

  return router;
}
