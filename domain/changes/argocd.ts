import { z } from 'zod';
import type { ChangeStatus } from './change.ts';
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
  shortSha,
  textOf,
} from './report.ts';

const labels = z.record(z.string(), z.unknown()).nullish().catch(null);

/**
 * An Application as `{{ toJson .app }}` of Argo CD's notifications writes it.
 * https://argo-cd.readthedocs.io/en/stable/operator-manual/notifications/services/webhook/
 */
const application = z.object({
  metadata: z.object({ name: z.string().min(1), namespace: anything, labels }),
  spec: z
    .object({
      project: anything,
      destination: z.object({ namespace: anything }).nullish().catch(null),
    })
    .nullish()
    .catch(null),
  status: z.object({
    operationState: z.object({
      phase: z.string(),
      message: anything,
      startedAt: anything,
      finishedAt: anything,
      operation: z
        .object({ initiatedBy: z.object({ username: anything }).nullish().catch(null) })
        .nullish()
        .catch(null),
      syncResult: z.object({ revision: anything }).nullish().catch(null),
    }),
    sync: z.object({ revision: anything }).nullish().catch(null),
    health: z.object({ status: anything }).nullish().catch(null),
    summary: z
      .object({ images: z.array(z.unknown()).catch([]) })
      .nullish()
      .catch(null),
  }),
});
/** With the address of its page, which only the template knows. */
const message = z.object({ app: application, url: anything });

const phases: Record<string, ChangeStatus> = {
  Running: 'started',
  Terminating: 'started',
  Succeeded: 'succeeded',
  Failed: 'failed',
  Error: 'failed',
};

/** A sync of Argo CD: all messages about one operation are one change. The body is `{app, url}`, or the app alone. */
export function readArgocd(payload: unknown, mapping: ChangeMapping): ReadChange {
  const alone = application.safeParse(payload);
  const parsed = alone.success
    ? { success: true as const, data: { app: alone.data, url: undefined } }
    : message.safeParse(payload);
  if (!parsed.success) return invalidBody(parsed.error);
  const { metadata, spec, status } = parsed.data.app;
  const { operationState: operation } = status;
  const phase = Object.hasOwn(phases, operation.phase) ? phases[operation.phase] : undefined;
  if (phase === undefined) return { ignored: `a sync in phase ${textOf(operation.phase) ?? 'none'}` };
  const name = textOf(metadata.name) ?? 'application';
  const label = (key: string) => textOf(metadata.labels?.[key]);
  const revision = textOf(operation.syncResult?.revision) ?? textOf(status.sync?.revision);
  const startedAt = textOf(operation.startedAt);
  const service = label('app.kubernetes.io/name') ?? name;
  return {
    change: {
      externalId: externalIdOf(
        'sync',
        `${textOf(metadata.namespace) ?? ''}/${name}`,
        startedAt ?? revision ?? '',
      ),
      type: 'deployment',
      status: phase,
      service: serviceOf(mapping, [name, service]),
      environment: label('environment') ?? label('env') ?? mapping.environment,
      title: `Sync of ${name}`,
      version: imageVersion(status.summary?.images ?? [], service) ?? (revision && shortSha(revision)),
      previousVersion: null,
      author: textOf(operation.operation?.initiatedBy?.username) ?? 'Argo CD, by itself',
      url: linkOf(parsed.data.url),
      at: instantOf(operation.startedAt),
      begins: false,
      data: dataOf({
        Project: textOf(spec?.project),
        Namespace: textOf(spec?.destination?.namespace),
        Revision: revision,
        Health: textOf(status.health?.status),
        Says: textOf(operation.message, longest.title),
      }),
    },
  };
}

/** The tag of the application's own image: the only one, or the one that is called as the service. */
function imageVersion(images: readonly unknown[], service: string): string | null {
  const tagged = images.flatMap((image) => {
    const named = (textOf(image, longest.title) ?? '').replace(/@.*$/, '');
    const found = /([^/:]+):([\w][\w.-]{0,127})$/.exec(named);
    return found ? [{ name: found[1], tag: found[2] ?? null }] : [];
  });
  const own = tagged.length === 1 ? tagged[0] : tagged.find(({ name }) => name === service);
  return own?.tag ?? null;
}
