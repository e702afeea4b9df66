/**
 * The import directions of docs/architecture.md. A room may import what its rule allows and nothing else;
 * `type` imports count, except where a rule says otherwise.
 */
const rooms = 'domain|workflows|activities|db|api|web|cli|stack|main|bench|test';

/** A rule: files of `room` must not import project files outside `allowed` (regular expressions). */
const only = (room, allowed, extra = {}) => ({
  name: `${room}-imports`,
  severity: 'error',
  from: { path: `^${room}/`, ...extra.from },
  to: { path: `^(${rooms})/`, pathNot: [`^${room}/`, ...allowed], ...extra.to },
});

module.exports = {
  forbidden: [
    only('domain', []),
    only('db', ['^domain/']),
    only('activities', ['^domain/', '^db/', '^workflows/messages']),
    only('api', ['^domain/', '^db/', '^workflows/messages']),
    only('web', ['^domain/', '^db/', '^workflows/messages', '^api/auth/']),
    only('cli', ['^domain/']),
    only('stack', []),
    {
      name: 'workflows-imports',
      comment:
        'Activities only as types: the workflow bundle refuses anything else, for it cannot hold node modules.',
      severity: 'error',
      from: { path: '^workflows/' },
      to: { path: `^(${rooms})/`, pathNot: ['^workflows/', '^domain/', '^activities/'] },
    },
    {
      name: 'messages-for-everybody',
      comment: 'Clients import workflows/messages.ts, so it must not pull workflow code in.',
      severity: 'error',
      from: { path: '^workflows/messages' },
      to: { path: '^(workflows|activities)/', pathNot: '^workflows/messages' },
    },
    {
      name: 'domain-is-pure',
      comment: 'No I/O in the domain: no node modules, and only small pure libraries.',
      severity: 'error',
      from: { path: '^domain/', pathNot: '\\.test\\.ts$' },
      to: {
        dependencyTypes: ['core', 'npm'],
        pathNot:
          'node_modules/(zod|yaml|diff|temporal-polyfill|ipaddr\\.js|@prometheus-io/lezer-promql|@lezer/common)/',
      },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphan-imports', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'not-to-tests',
      severity: 'error',
      from: { path: `^(domain|workflows|activities|db|api|web|cli|stack|main)/`, pathNot: '\\.test\\.ts$' },
      to: { path: '^(test|bench)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    exclude: { path: '\\.test\\.ts$' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
