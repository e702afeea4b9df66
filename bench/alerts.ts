/** One alert as Alertmanager posts it, with the labels and annotations that Kubernetes' rules give. */
export function firingAlert(fingerprint: string, service: string): object {
  return {
    status: 'firing',
    labels: {
      alertname: 'HighErrorRate',
      severity: 'warning',
      service,
      namespace: 'shop',
      cluster: 'eu-1',
      job: 'kubernetes-pods',
      instance: `10.0.0.1:${fingerprint}`,
    },
    annotations: {
      summary: `${service} answers more than 5 % of requests with errors`,
      description: 'The share of answers with a status of 500 or above was over 5 % for ten minutes.',
      runbook_url: 'https://runbooks.example.com/high-error-rate',
    },
    startsAt: new Date().toISOString(),
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: 'http://prometheus.example.com/graph?g0.expr=errors%3Arate5m&g0.tab=1',
    fingerprint,
  };
}

export function webhookOf(alerts: object[]): string {
  return JSON.stringify({
    version: '4',
    groupKey: '{}:{alertname="HighErrorRate"}',
    truncatedAlerts: 0,
    status: 'firing',
    receiver: 'holdfast',
    groupLabels: { alertname: 'HighErrorRate' },
    commonLabels: {},
    commonAnnotations: {},
    externalURL: 'http://alertmanager.example.com',
    alerts,
  });
}

/** Posts one webhook; throws unless it is answered with 202. */
export async function post(
  { url, ingestKey }: { url: string; ingestKey: string },
  body: string,
): Promise<void> {
  const answer = await fetch(`${url}/api/v1/alerts/alertmanager`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ingestKey}`, 'content-type': 'application/json' },
    body,
  });
  if (answer.status !== 202) throw new Error(`the intake answered ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
}
