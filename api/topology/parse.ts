import { type ParsedTopology, parseTopology } from '../../domain/topology/topology-yaml.ts';
import { ownThread } from '../analysis/own-thread.ts';

/** Characters that are read at once: some 20 ms. */
const small = 8 * 1024;

/** Reads what an organization declares. Throws HttpError 503 when too many wait, 422 when it takes too long. */
export type TopologyParser = (orgId: string, source: string) => Promise<ParsedTopology>;

/** Large ones are read in a thread of their own: half a megabyte of YAML takes a second. */
export function createTopologyParser(): TopologyParser {
  const inThread = ownThread<string, ParsedTopology>(
    new URL('./parse-thread.ts', import.meta.url),
    { busy: 'another topology is being read', tooMuch: 'write less at once' },
    { work: 10_000, wait: 30_000 },
  );
  return async (orgId, source) =>
    source.length <= small ? parseTopology(source) : await inThread(orgId, () => ({ input: source }));
}
