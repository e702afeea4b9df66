import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { layOut } from '../runbook/lay-out.ts';
import { parseRunbook } from '../runbook/parse.ts';
import { refuseByLists } from './lists.ts';
import { safetyRules } from './rules.ts';

const folder = new URL('../../runbooks/', import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));

/** As somebody would write it down who knows what the runbooks are for. */
const rules = safetyRules.parse({
  allow: {
    commands: [
      ...[
        'df',
        'du',
        'sort',
        'head',
        'tail',
        'tr',
        'test',
        '[',
        'echo',
        'true',
        'exit',
        'sleep',
        'wc',
        'cat',
      ],
      ...['ls', 'ps', 'grep', 'awk', 'kill', 'lsof', 'seq', 'journalctl', 'find', 'logrotate'],
      'kubectl --namespace * set image deployment/*',
      ...['systemctl', 'apt-get clean', 'apt-get', 'dnf', 'dnf clean all', '/bin/sh -c *'],
      'ln -sfn /etc/pgbouncer/*.ini /etc/pgbouncer/primary.ini',
      'runuser -u postgres -- psql *',
      ...['mkdir -p /tmp/holdfast-demo', 'touch /tmp/holdfast-demo/*', 'rm -f /tmp/holdfast-demo/*'],
      'echo * > /tmp/holdfast-demo/*',
      // functions and variables of the scripts
      ...['alive', 'used=*', 'found=*', 'pids=*', 'seconds=*', 'recovering=*'],
    ],
    hosts: ['*.internal', '127.0.0.1'],
  },
  deny: {
    commands: ['reboot', 'shutdown', 'rm -rf *', 'mkfs*', 'dd', 'systemctl stop ssh*'],
    hosts: ['10.0.0.0/8'],
  },
});

const values: Record<string, string> = {
  service: 'checkout',
  service_name: 'checkout',
  health_check_url: 'http://checkout.internal/health',
  admin_url: 'http://checkout.internal:9000',
  namespace: 'shop',
  deployment: 'checkout',
  replicas: '6',
  replicas_before: '3',
  container: 'app',
  image: 'registry.example.com/shop/checkout',
  version: 'v2.3.0',
  current_version: 'v2.3.1',
  process: 'java',
  primary_host: 'db1.db.internal',
  replica_host: 'db2.db.internal',
  pgbouncer_host: 'pgbouncer.db.internal',
};

test.for(files)('sensible lists let %s run', (file) => {
  const parsed = parseRunbook(readFileSync(new URL(file, folder), 'utf8'), file);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const { definition } = parsed;
  const given = Object.fromEntries(
    Object.keys(definition.inputs).flatMap((name) => (values[name] ? [[name, values[name]]] : [])),
  );
  const laid = layOut({ runbook: { definition, version: 1 }, catalog: new Map(), sources: { given } });
  if ('problems' in laid) throw new Error(laid.problems.join('; '));
  expect(refuseByLists([{ scope: 'organization', name: '', rules }], laid.layout)).toBeNull();
});
