export const logSourceKinds = ['elasticsearch', 'loki', 'cloudwatch', 'splunk', 'builtin'] as const;
export type LogSourceKind = (typeof logSourceKinds)[number];
