import { groupAlerts } from '../../domain/correlation/group-alerts.ts';
import type { Grouping } from '../../domain/correlation/grouping.ts';
import type { NewAlert } from '../../domain/correlation/snapshot.ts';
import type { Dependency } from '../../domain/topology/service.ts';

export interface AlertsToGroup {
  alerts: NewAlert[];
  dependencies: Dependency[];
}

/** What a thread of correlate.ts runs. */
export default function group({ alerts, dependencies }: AlertsToGroup): Grouping {
  return groupAlerts(alerts, dependencies);
}
