import { expect, test } from 'vitest';
import { begun, folded, minute, opened, openedAt, planOf } from '../../test/harness/incident-fold.ts';

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
