import type { RehearsalAnswer } from '../../db/rehearsal.ts';
import { localTimeText } from '../../domain/rehearsal/local-time.ts';
import { iso } from '../endpoint.ts';
import type { RehearsalShown } from './schema.ts';

/** @param timeZone IANA name, for local times; @param from and `to` of the week, epoch milliseconds */
export function presentRehearsal(
  rehearsed: RehearsalAnswer,
  { timeZone, from, to }: { timeZone: string; from: number; to: number },
): RehearsalShown {
  if (rehearsed.kind === 'week') {
    const { people, asItWas, asItStands, asEdited, incidents } = rehearsed;
    return {
      kind: 'week',
      timeZone,
      from: iso(new Date(from)),
      to: iso(new Date(to)),
      incidents: rehearsed.incidentsSeen,
      cut: rehearsed.incidentsCut,
      asItWas,
      asItStands,
      asEdited,
      people,
      differences: incidents.map(({ openedAt, ...incident }) => ({
        ...incident,
        openedAt: iso(new Date(openedAt)),
      })),
    };
  }
  const { openedAt, until, policy, sla, summary, rows, cut, clocks } = rehearsed;
  return {
    kind: 'situation',
    opensAt: iso(new Date(openedAt)),
    until: iso(new Date(until)),
    timeZone,
    policy,
    sla,
    summary,
    rows: rows.map(({ at, ...row }) => ({
      ...row,
      at: iso(new Date(at)),
      local: localTimeText(timeZone, at),
      afterMs: at - openedAt,
    })),
    cut,
    clocks: clocks.map(({ kind, policy: clockPolicy, dueAt, state, endedAt }) => ({
      kind,
      policy: clockPolicy,
      dueAt: iso(new Date(dueAt)),
      state,
      endedAt: endedAt === null ? null : iso(new Date(endedAt)),
    })),
  };
}
