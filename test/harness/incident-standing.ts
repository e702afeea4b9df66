import type { IncidentRecord } from '../../db/incident-record.ts';

/** How an incident stands that nobody has done anything about, but for `change`. */
export const standing = (change: Partial<IncidentRecord['standing']>): IncidentRecord['standing'] => ({
  status: 'investigating',
  acknowledged: null,
  assignedTo: null,
  snoozedUntil: null,
  silencedUntil: null,
  openings: 1,
  escalationFrom: 0,
  resolved: null,
  clocks: [],
  escalationPolicy: null,
  cause: null,
  ...change,
});
