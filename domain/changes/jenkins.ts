import { z } from 'zod';
import type { ChangeStatus } from './change.ts';
import { typeOfRun } from './deploying.ts';
import {
  anything,
  type ChangeMapping,
  dataOf,
  externalIdOf,
  instantOf,
  invalidBody,
  linkOf,
  longest,
  type ReadChange,
  serviceOf,
  textOf,
  versionOf,
} from './report.ts';

/** What Jenkins' Notification plugin posts. https://plugins.jenkins.io/notification/ */
const notification = z.object({
  name: z.string().min(1),
  display_name: anything,
  build: z.object({
    number: z.union([z.int(), z.string().min(1).max(100)]),
    phase: z.string(),
    status: z.string().nullish().catch(null),
    full_url: anything,
    timestamp: anything,
    parameters: z.record(z.string(), z.unknown()).catch({}),
    scm: z
      .object({ branch: anything, commit: anything, culprits: z.array(z.unknown()).catch([]) })
      .nullish()
      .catch(null),
  }),
});

const statuses: Record<string, ChangeStatus> = {
  SUCCESS: 'succeeded',
  // its tests found something, and it went on
  UNSTABLE: 'succeeded',
  FAILURE: 'failed',
  ABORTED: 'failed',
};

/** A build of Jenkins: all of its phases are one change. */
export function readJenkins(payload: unknown, mapping: ChangeMapping): ReadChange {
  const parsed = notification.safeParse(payload);
  if (!parsed.success) return invalidBody(parsed.error);
  const { name, build } = parsed.data;
  const phase = build.phase.toUpperCase();
  if (phase === 'QUEUED') return { ignored: 'a build that waits' };
  const ended = build.status?.toUpperCase() ?? '';
  const status = Object.hasOwn(statuses, ended)
    ? statuses[ended]
    : phase === 'STARTED'
      ? 'started'
      : undefined;
  if (status === undefined) return { ignored: `a build in phase ${textOf(phase)} that says no outcome` };
  const given = (...names: string[]): string | null => {
    const parameters = Object.entries(build.parameters);
    const found = names.flatMap((wanted) => parameters.filter(([key]) => key.toLowerCase() === wanted));
    return found.map(([, value]) => textOf(value)).find((value) => value !== null) ?? null;
  };
  const job = textOf(name) ?? 'job';
  return {
    change: {
      externalId: externalIdOf('build', name, build.number),
      type: typeOfRun(job, mapping.deploys),
      status,
      service: serviceOf(mapping, [
        job,
        given('service', 'service_name', 'app', 'application') ?? jobService(job),
      ]),
      environment: given('environment', 'env', 'deploy_env', 'target_env') ?? mapping.environment,
      title: textOf(`${textOf(parsed.data.display_name) ?? job} #${build.number}`, longest.title) ?? job,
      version:
        given('version', 'tag', 'image_tag', 'release') ?? versionOf(build.scm?.branch, build.scm?.commit),
      previousVersion: given('previous_version'),
      author: textOf(build.scm?.culprits[0]),
      url: linkOf(build.full_url),
      // the plugin's time is that of the message
      at: instantOf(build.timestamp),
      begins: phase === 'STARTED',
      data: dataOf({
        Job: job,
        Branch: textOf(build.scm?.branch),
        Commit: textOf(build.scm?.commit),
      }),
    },
  };
}

/** 'deploy-payment-service' and 'shop/payment-service/main' deploy payment-service. */
function jobService(job: string): string {
  const parts = job.split('/').filter((part) => part !== '');
  const branchless =
    parts.length > 1 && /^(main|master|develop|PR-\d+)$/.test(parts.at(-1) ?? '')
      ? parts.slice(0, -1)
      : parts;
  const own = branchless.at(-1) ?? job;
  const bare = own
    .replace(/^(deploy|release|rollout|publish|promote)[-_ ]/i, '')
    .replace(/[-_ ](deploy|deployment|release|rollout|publish)$/i, '');
  return bare === '' ? own : bare;
}
