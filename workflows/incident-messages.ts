import { setHandler } from '@temporalio/workflow';
import type { AsOf } from '../domain/incident/as-of.ts';
import type { IncidentEvent } from '../domain/incident/events.ts';
import { regroupingKey, regroupingOf } from '../domain/incident/regrouping.ts';
import type { IncidentState } from '../domain/incident/state.ts';
import type { Driver } from './drive.ts';
import {
  refuse,
  refuseMerged,
  refuseMove,
  refuseOutOfDate,
  refuseResolved,
  refuseUnbreached,
} from './incident-refusals.ts';
import {
  type Accepted,
  type Actor,
  acknowledge,
  addNote,
  assign,
  type BreachExplained,
  type CauseJudgement,
  type ChangeJudgement,
  executionReported,
  explainBreach,
  feedUnread,
  judgeCause,
  judgeChange,
  type RegroupArgs,
  type Regrouped,
  reapplyPolicy,
  regroup,
  resolve,
  setStatus,
  snooze,
} from './messages.ts';

/** What an incident is told: signals of what arrives, and updates of what people decide, which it may refuse. */
export function handleMessages(driver: Driver<IncidentState, IncidentEvent>): void {
  setHandler(feedUnread, () => driver.apply({ type: 'feed_unread', at: Date.now() }));
  setHandler(executionReported, (report) =>
    driver.apply({ type: 'execution_reported', at: Date.now(), ...report, reason: report.reason ?? null }),
  );
  setHandler(
    acknowledge,
    ({ actor, note }) => accept({ type: 'acknowledged', at: Date.now(), by: actor.name, note: note ?? null }),
    {
      validator: (seen: AsOf) => {
        refuseOutOfDate(driver.state, seen);
        refuseResolved(driver.state);
        const { acknowledged } = driver.state;
        if (acknowledged)
          refuse(`already acknowledged by ${acknowledged.by} at ${new Date(acknowledged.at).toISOString()}`);
      },
    },
  );
  setHandler(
    resolve,
    ({ actor, note, falsePositive }) =>
      accept({
        type: 'resolved',
        at: Date.now(),
        by: actor.name,
        note: note ?? null,
        falsePositive: falsePositive ?? false,
      }),
    {
      validator: (seen: AsOf) => {
        refuseOutOfDate(driver.state, seen);
        refuseResolved(driver.state);
      },
    },
  );
  setHandler(assign, ({ actor, to }) => accept({ type: 'assigned', at: Date.now(), by: actor.name, to }), {
    validator: (_: { actor: Actor }) => refuseResolved(driver.state),
  });
  setHandler(addNote, ({ actor: { name, via }, text }) =>
    accept({ type: 'noted', at: Date.now(), by: name, text, via }),
  );
  setHandler(
    snooze,
    ({ actor, until }) =>
      accept({ type: 'snoozed', at: Date.now(), by: actor.name, until: Date.parse(until) }),
    {
      validator: ({ until, ...seen }: AsOf & { until: string }) => {
        refuseOutOfDate(driver.state, seen);
        refuseResolved(driver.state);
        if (!(Date.parse(until) > Date.now())) refuse(`'until' must lie ahead: ${until} does not`);
        if (driver.state.acknowledged) refuse('it is acknowledged: nobody is being paged');
      },
    },
  );
  setHandler(
    setStatus,
    ({ actor, status }) => accept({ type: 'status_set', at: Date.now(), by: actor.name, status }),
    {
      validator: ({ status }: { actor: Actor; status: IncidentState['status'] }) => {
        refuseResolved(driver.state);
        if (status === 'resolved' || status === 'false_positive') refuse('use resolve');
      },
    },
  );

  setHandler(reapplyPolicy, ({ actor }) => reapply(actor), {
    validator: (_: { actor: Actor }) => refuseResolved(driver.state),
  });
  setHandler(regroup, moveAlerts, { validator: (args: RegroupArgs) => refuseMove(driver.state, args) });
  setHandler(
    judgeCause,
    ({ actor, service }) => accept({ type: 'cause_judged', at: Date.now(), by: actor.name, service }),
    { validator: (_: CauseJudgement) => refuseMerged(driver.state) },
  );
  setHandler(
    judgeChange,
    ({ actor, changeId, verdict }) =>
      accept({ type: 'change_judged', at: Date.now(), by: actor.name, changeId, verdict }),
    { validator: (_: ChangeJudgement) => refuseMerged(driver.state) },
  );
  setHandler(
    explainBreach,
    ({ actor, clock, reason, note }) =>
      accept({ type: 'breach_explained', at: Date.now(), by: actor.name, clock, reason, note }),
    { validator: ({ clock }: BreachExplained) => refuseUnbreached(driver.state, clock) },
  );

  /** Folds what a person did; answers once it can be read. */
  async function accept(event: IncidentEvent): Promise<Accepted> {
    driver.apply(event);
    const { seq } = driver.state;
    await driver.until((state) => state.recordedSeq >= seq);
    return { seq, status: driver.state.status };
  }

  /** Answers once the alerts are where they belong. */
  async function moveAlerts({ actor, alertIds, into }: RegroupArgs): Promise<Regrouped> {
    const key = regroupingKey(driver.state.regroupings.length);
    driver.apply({ type: 'regroup_asked', at: Date.now(), by: actor.name, alertIds, into });
    const outcomeIn = (state: IncidentState) => regroupingOf(state, key)?.outcome ?? null;
    await driver.until((state) => outcomeIn(state) !== null);
    const outcome = outcomeIn(driver.state);
    if (outcome === null || 'refused' in outcome) refuse(outcome?.refused ?? 'it was not done');
    const { seq } = driver.state;
    await driver.until((state) => state.recordedSeq >= seq);
    return { seq, status: driver.state.status, into: outcome.into };
  }

  /** Answers once escalation goes by the policy as it is now. */
  async function reapply(actor: Actor): Promise<Accepted> {
    driver.apply({ type: 'reapply_asked', at: Date.now(), by: actor.name });
    await driver.until((state) => state.reapplying === null);
    const { seq } = driver.state;
    await driver.until((state) => state.recordedSeq >= seq);
    return { seq, status: driver.state.status };
  }
}
