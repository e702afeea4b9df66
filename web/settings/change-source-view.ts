import type { ChangeSource, WebhookKind } from '../../db/change-sources.ts';
import { changeSourcesBase, kindWord } from './change-source-form.ts';

export interface SourceRow {
  id: string;
  href: string;
  name: string;
  kind: string;
  changes: number;
  lastSeenAt: string | null;
}

export function sourceRow(source: ChangeSource): SourceRow {
  return {
    id: source.id,
    href: `${changeSourcesBase}/${source.id}`,
    name: source.name,
    kind: kindWord(source.kind),
    changes: source.changes,
    lastSeenAt: source.lastSeenAt?.toISOString() ?? null,
  };
}

export interface SourcePageView {
  name: string;
  kind: WebhookKind;
  kindWord: string;
  changes: number;
  lastSeenAt: string | null;
  /** Shown once, when it was made; else null. */
  secret: string | null;
  mapped: { name: string; value: string }[];
  editHref: string;
  rotateAction: string;
  webhookUrl: string;
  /** What the sender is told, where that is a text. */
  snippet: string;
}

export function sourcePageView(
  source: ChangeSource,
  publicUrl: string,
  secret: string | null,
): SourcePageView {
  const { id, kind, mapping } = source;
  const own = `${changeSourcesBase}/${id}`;
  const webhookUrl = `${publicUrl}/api/v1/changes/webhooks/${id}`;
  return {
    name: source.name,
    kind,
    kindWord: kindWord(kind),
    changes: source.changes,
    lastSeenAt: source.lastSeenAt?.toISOString() ?? null,
    secret,
    mapped: [
      ...(source.team === null ? [] : [{ name: 'Team', value: source.team }]),
      ...Object.entries(mapping.services).map(([from, to]) => ({
        name: from,
        value: `is the service ${to}`,
      })),
      ...(mapping.environment === null ? [] : [{ name: 'Environment', value: mapping.environment }]),
      ...(mapping.deploys.length === 0 ? [] : [{ name: 'What deploys', value: mapping.deploys.join(', ') }]),
      ...Object.entries(mapping.fields).map(([name, path]) => ({ name, value: `stands at ${path}` })),
    ],
    editHref: `${own}/edit`,
    rotateAction: `${own}/secret`,
    webhookUrl,
    snippet: snippets[kind](webhookUrl),
  };
}

const snippets: Record<WebhookKind, (url: string) => string> = {
  github: () => '',
  jenkins: (url) => `post { always { withCredentials([string(credentialsId: 'holdfast', variable: 'TOKEN')]) {
  withEnv(["RESULT=\${currentBuild.currentResult}"]) { sh '''curl -sf ${url} \\
    -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
    -d "{\\"name\\":\\"$JOB_NAME\\",\\"build\\":{\\"number\\":$BUILD_NUMBER,\\"phase\\":\\"COMPLETED\\",\\"status\\":\\"$RESULT\\",\\"full_url\\":\\"$BUILD_URL\\"}}"''' }
} } }`,
  argocd: (url) => `service.webhook.holdfast: |
  url: ${url}
  headers:
    - name: Authorization
      value: Bearer $holdfast-secret
    - name: Content-Type
      value: application/json
template.holdfast: |
  webhook:
    holdfast:
      method: POST
      body: |
        {"app": {{toJson .app}}, "url": "{{.context.argocdUrl}}/applications/{{.app.metadata.name}}"}
trigger.holdfast: |
  - when: app.status.operationState != nil and app.status.operationState.phase in ['Running', 'Succeeded', 'Failed', 'Error']
    oncePer: app.status.operationState.startedAt + app.status.operationState.phase
    send: [holdfast]`,
  generic: (url) => `BODY='{"service":"payment-service","version":"v2.3.1","environment":"production"}'
T=$(date +%s)
SIGNATURE=$(printf '%s' "$T.$BODY" | openssl dgst -sha256 -hmac "$SECRET" | sed 's/^.* //')
curl -sf ${url} -H "Content-Type: application/json" \\
  -H "X-Holdfast-Signature: t=$T,v1=$SIGNATURE" -d "$BODY"`,
};
