import { createBuiltinLogs } from '../../activities/logs/builtin.ts';
import { createLogDesk, type LogDesk } from '../../activities/logs/log-desk.ts';
import type { LogSource } from '../../activities/logs/log-source.ts';
import { SecretUnavailableError } from '../../activities/secrets/secret-source.ts';
import type { Database } from '../../db/database.ts';

/** What pages and API ask of log systems, over a real database; `secrets` by their references, the first organization's. */
export function createTestLogDesk(
  db: Database,
  {
    secrets = {},
    standard = createBuiltinLogs({ db }),
    isFirst = true,
  }: { secrets?: Record<string, string>; standard?: LogSource; isFirst?: boolean } = {},
): LogDesk {
  return createLogDesk({
    db,
    standard,
    secrets: {
      read: async (reference) => {
        const value = secrets[reference];
        if (value === undefined) throw new SecretUnavailableError(`${reference} is not there`);
        return value;
      },
    },
    egressAllow: [],
    ownsEnvironment: async () => isFirst,
  });
}
