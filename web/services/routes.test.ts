import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureOrganization } from '../../db/organizations.ts';
import type { Role } from '../../domain/roles.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { signedIn } from '../../test/harness/signed-in.ts';
import { serveWeb, type TestWeb } from '../../test/harness/web.ts';

let database: TestDatabase;
let orgId: string;
let web: TestWeb;
const problems: unknown[] = [];
const sessions: Partial<Record<Role, { token: string; csrfToken: string }>> = {};

beforeAll(async () => {
  database = await createTestDatabase();
  ({ orgId } = await ensureOrganization(database.db, { slug: 'tested', ownerEmail: 'owner@example.com' }));
  for (const role of ['viewer', 'admin'] as const) {
    sessions[role] = await signedIn(database.db, { orgId, email: `${role}@example.com`, role });
  }
  await database.owner.query(`insert into teams (org_id, slug, name) values ($1, 'shop', 'The shop')`, [
    orgId,
  ]);
  web = await serveWeb(database.db, { logError: (error) => problems.push(error) });
});
afterAll(async () => {
  await web.close();
  await database.close();
  expect(problems).toEqual([]);
});
beforeEach(async () => {
  await database.owner.query('truncate services, service_dependencies');
});

async function page(path: string, role: Role = 'viewer') {
  const answer = await fetch(web.base + path, { headers: { cookie: `holdfast=${sessions[role]!.token}` } });
  return { status: answer.status, html: await answer.text() };
}

/** Sends a form and reads the page that it leads to. */
async function send(path: string, fields: Record<string, string> = {}, role: Role = 'admin') {
  const { token, csrfToken } = sessions[role]!;
  const answer = await fetch(web.base + path, {
    method: 'POST',
    headers: { cookie: `holdfast=${token}` },
    body: new URLSearchParams({ ...fields, _csrf: csrfToken }),
  });
  return { status: answer.status, html: await answer.text(), path: new URL(answer.url).pathname };
}

const service = {
  name: 'check/out',
  kind: 'service',
  team: 'shop',
  description: 'Takes orders',
  calls: 'db\npayments\n',
};

describe('declaring one service', () => {
  it('shows it with what it calls, in the graph too', async () => {
    const { path, html } = await send('/topology/declare', service);
    expect(path).toBe('/services/check%2Fout');
    expect(html).toContain('Takes orders');
    expect(html).toContain('<a class="row-link" href="/services/payments">');
    expect((await page('/services')).html).toContain('<a class="row-link" href="/services/check%2Fout">');
    const graph = (await page('/topology')).html;
    expect(graph.match(/check\/out calls db/g)).toHaveLength(2);
    expect((await page('/topology?around=db&hops=1')).html).not.toContain('payments');
  });

  it('keeps what was typed, and says beside the field what is wrong', async () => {
    const { status, html } = await send('/topology/declare', {
      ...service,
      calls: 'check/out',
      kind: 'thing',
    });
    expect(status).toBe(422);
    expect(html).toContain('It need not call itself.');
    expect(html).toContain('Choose one of these.');
    expect(html).toContain('Takes orders');
    await send('/topology/declare', service);
    expect((await send('/topology/declare', service)).html).toContain('It is declared already');
  });

  it('is changed and declared no longer; what others call stays', async () => {
    await send('/topology/declare', service);
    expect((await page('/services/check%2Fout/edit', 'admin')).html).toContain('db\npayments</textarea>');
    const changed = await send('/services/check%2Fout/edit', { ...service, calls: 'db', team: '' });
    expect(changed.html).not.toContain('/services/payments');
    await send('/services/check%2Fout/undeclare');
    expect((await page('/services/check%2Fout')).status).toBe(404);
  });

  it('is for admins', async () => {
    for (const path of [
      '/topology/declare',
      '/topology/import',
      '/services/db/edit',
      '/services/db/undeclare',
    ]) {
      expect((await send(path, service, 'viewer')).status).toBe(403);
    }
    expect((await page('/services')).html).not.toContain('/topology/declare');
  });
});

describe('all services as YAML', () => {
  const source = 'services:\r\n  - name: web\r\n    calls: [db]\r\n  - name: db\r\n    kind: database\r\n';

  it('a plan says what would change; applying does it, and it can be taken along', async () => {
    const planned = await send('/topology/import', { source, do: 'plan' });
    expect(planned.html).toContain('What would change: 2 services added, 1 call added.');
    expect(planned.html).toContain('web calls db');
    expect((await page('/services')).html).toContain('No service is known yet');
    const applied = await send('/topology/import', { source, do: 'apply' });
    expect(applied.path).toBe('/topology');
    expect((await page('/topology/declared.yaml')).html).toBe(
      'services:\n  - name: db\n    kind: database\n  - name: web\n    kind: service\n    calls:\n      - db\n',
    );
  });

  it('takes as much as is read at all, and says what is too much', async () => {
    const service = (i: number) =>
      `  - name: service-${i}\n    description: ${'Takes orders. '.repeat(20)}\n`;
    const large = `services:\n${Array.from({ length: 1600 }, (_, i) => service(i)).join('')}`;
    expect(large.length).toBeGreaterThan(500_000);
    const planned = await send('/topology/import', { source: large, do: 'plan' });
    expect(planned.html).toContain('What would change: 1,600 services added.');
    const larger = await send('/topology/import', { source: `${large}#${' '.repeat(30_000)}`, do: 'plan' });
    expect(larger.html).toContain('write at most 512 KiB');
    const most = await send('/topology/import', { source: 'x'.repeat(2_100_000), do: 'plan' });
    expect(most.status).toBe(413);
    expect(most.html).toContain('more than 2048 kB');
  });

  it('names the line of each problem, and changes nothing', async () => {
    const { status, html } = await send('/topology/import', {
      source: `${source}    team: nobody\r\n`,
      do: 'apply',
    });
    expect(status).toBe(422);
    expect(html).toContain('Line 6, column 11');
    expect(html).toContain('there is no team &#x27;nobody&#x27;');
    expect((await page('/topology')).html).toContain('No call between services is known yet');
  });
});
