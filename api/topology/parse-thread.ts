import { parseTopology } from '../../domain/topology/topology-yaml.ts';

/** What a thread of parse.ts runs. */
export default parseTopology;
