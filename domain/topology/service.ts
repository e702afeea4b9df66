/** What a service is: decides its shape in the graph, and how far its trouble reaches. */
export const serviceKinds = ['service', 'database', 'cache', 'queue', 'external', 'infrastructure'] as const;
export type ServiceKind = (typeof serviceKinds)[number];

/** `from` calls `to`: when both fail, the cause lies towards `to`. */
export interface Dependency {
  from: string;
  to: string;
}
