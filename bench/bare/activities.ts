export async function nothing(): Promise<void> {}

/** Milliseconds, in the order in which they came. */
export const lateness: number[] = [];

export async function noteLateness(dueAt: number): Promise<void> {
  lateness.push(Date.now() - dueAt);
}
