import type { Database } from '../../db/database.ts';
import { createNotificationRulePreview } from '../../db/notification-rule-preview.ts';
import {
  deleteNotificationRule,
  getNotificationRule,
  listNotificationRules,
  putNotificationRule,
} from '../../db/notification-rules.ts';
import type { NotificationRule } from '../../domain/notification-rules/rule.ts';
import { scopeOf } from '../auth/principal.ts';
import { configurationEndpoints } from '../configuration.ts';
import { type Endpoint, iso, personEndpoint, whenLeft } from '../endpoint.ts';
import { previewErrors } from '../preview.ts';
import { notificationRuleBody, notificationRuleShown, previewBody, previewShown } from './schema.ts';

const tag = 'Notification rules';

export function notificationRuleEndpoints(deps: { db: Pick<Database, 'read' | 'write'> }): Endpoint[] {
  const preview = createNotificationRulePreview(deps.db);
  return [
    personEndpoint({
      method: 'post',
      path: '/api/v1/notification-rules/preview',
      tag,
      summary: 'Try a rule on what happened in the last 30 days: how many messages, to whom, and why',
      access: 'operator',
      body: previewBody,
      status: 200,
      response: previewShown,
      errors: previewErrors,
      handle: async ({ principal, body, request }) => {
        const found = await preview(scopeOf(principal), body, whenLeft(request));
        return {
          ...found,
          since: iso(found.since),
          newest: found.newest.map((event) => ({ ...event, at: iso(new Date(event.at)) })),
        };
      },
    }),
    ...configurationEndpoints<NotificationRule, NotificationRule>(
      {
        plural: 'notification-rules',
        singular: 'notification rule',
        tag,
        body: notificationRuleBody,
        shown: notificationRuleShown,
        present: (rule) => rule,
        list: listNotificationRules,
        get: getNotificationRule,
        put: putNotificationRule,
        remove: deleteNotificationRule,
      },
      deps,
    ),
  ];
}
