/** Milliseconds that the processor works for this thread at `work`: while others have it, a clock on the wall goes on. */
export function processorMs(work: () => void): number {
  const began = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(began);
  return (user + system) / 1000;
}
