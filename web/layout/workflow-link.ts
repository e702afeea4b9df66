import type { WebDeps } from '../deps.ts';

/** Where the Temporal UI shows this workflow; null where no UI is configured. */
export function workflowLink(
  deps: Pick<WebDeps, 'temporalUiUrl' | 'temporalNamespace'>,
  workflowId: string,
): string | null {
  if (!deps.temporalUiUrl) return null;
  const base = deps.temporalUiUrl.replace(/\/+$/, '');
  return `${base}/namespaces/${encodeURIComponent(deps.temporalNamespace)}/workflows/${encodeURIComponent(workflowId)}`;
}
