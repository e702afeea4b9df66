import { describe, expect, test } from 'vitest';
import {
  begun,
  folded,
  minute,
  opened,
  openedAt,
  planOf,
  reading,
} from '../../test/harness/incident-fold.ts';
import type { IncidentEvent } from './events.ts';
import type { IncidentState } from './state.ts';

test('the end by a merge is announced, so that no channel goes on with what is over', () => {
  const at = openedAt + minute;
  const plan = planOf({ announces: ['incident.resolved'] });
  const asked = folded(opened({ plan }), {
    type: 'regroup_asked',
    at,
    by: 'ana@example.com',
    alertIds: null,
    into: 7,
  });
  const state = folded(begun(asked, at, 'regroup').state, {
    type: 'regrouped',
    at,
    key: 'regroup:0',
    into: 7,
  });
  expect(state.announcements).toMatchObject([{ trigger: 'incident.resolved', at }]);
});

describe('a note', () => {
  const at = openedAt + minute;
  const plan = planOf({ announces: ['incident.noted'] });
  const noted = (via?: string): IncidentEvent => ({
    type: 'noted',
    at,
    by: 'ana@example.com',
    text: 'looking',
    ...(via !== undefined && { via }),
  });
  const announced = (state: IncidentState) => state.announcements.map(({ trigger }) => trigger);

  test.each(['page', 'api', 'slack'])(
    'by way of %s is announced once, under the number of its event',
    (via) => {
      const state = folded(opened({ plan }), noted(via));
      expect(state.announcements).toEqual([{ trigger: 'incident.noted', occurrence: String(state.seq), at }]);
      expect(state.outbox.at(-1)).toMatchObject({ kind: 'note', data: { via } });
    },
  );

  test('that came from PagerDuty, or of which nobody knows whence, is not', () => {
    expect(announced(folded(opened({ plan }), noted('pagerduty')))).toEqual([]);
    expect(announced(folded(opened({ plan }), noted()))).toEqual([]);
    expect(announced(folded(opened(), noted('page')))).toEqual([]);
  });

  test('is no acknowledgement that came too late', () => {
    const resolved = { type: 'resolved', at, by: 'Ben', note: null, falsePositive: false } as const;
    const late = { type: 'acknowledged', at, by: 'ana@example.com', note: 'mine' } as const;
    expect(announced(folded(opened({ plan }), resolved, late))).toEqual([]);
  });

  test('waits for no end of a silence, which what wakes somebody does', () => {
    const silence = { until: openedAt + 60 * minute, names: ['x'] };
    const both = planOf({ announces: ['incident.acknowledged', 'incident.noted'] });
    const silenced = folded(
      opened({ plan: both }),
      reading(openedAt, { plan: both, silence, firingJoined: false }),
      { type: 'acknowledged', at, by: 'ana@example.com', note: null },
      noted('page'),
    );
    expect(announced(silenced)).toEqual(['incident.acknowledged', 'incident.noted']);
    const begins = begun(silenced, at, 'announce');
    expect(begins.moves.map(({ key }) => key)).toEqual([`announce:incident.noted:${silenced.seq}`]);
    const target = { type: 'channel', name: 'pd' } as const;
    const notices = [{ key: 'follow:note', target, detail: {} }];
    const answer = { type: 'announced' as const, at, key: begins.moves[0]?.key ?? '', notices };
    expect(begun(folded(begins.state, answer), at, 'notice').moves).toMatchObject([
      { key: 'follow:note', notice: { type: 'incident.noted' } },
    ]);
    const ended = folded(begins.state, { type: 'resolved', at, by: 'Ben', note: null, falsePositive: false });
    expect(announced(ended)).toEqual(['incident.noted']);
  });
});
