import examples from '@octokit/webhooks-examples';
import { expect, it } from 'vitest';
import { readArgocd } from './argocd.ts';
import { readGeneric } from './generic.ts';
import { readGithub } from './github.ts';
import { readJenkins } from './jenkins.ts';
import type { ChangeMapping, ReadChange } from './report.ts';

const mapping: ChangeMapping = { services: {}, environment: null, deploys: [], fields: {} };
const junk = [
  null,
  true,
  -1,
  1e300,
  '',
  'x'.repeat(20_000),
  '\u0000\ud800\u202e',
  [],
  [null],
  {},
  '__proto__',
];

const published = (event: string): unknown[] =>
  (examples as unknown as { name: string; examples: unknown[] }[]).find(({ name }) => name === event)
    ?.examples ?? [];

const senders: Record<string, { messages: unknown[]; read(body: unknown): ReadChange }> = {
  ...Object.fromEntries(
    ['deployment', 'deployment_status', 'workflow_run', 'push'].map((event) => [
      `GitHub's ${event}`,
      {
        // of pushes one to a branch, too
        messages: [...published(event).slice(0, 1), ...published(event).slice(-3, -2)],
        read: (body: unknown) => readGithub(event, body, mapping),
      },
    ]),
  ),
  Jenkins: {
    messages: [
      {
        name: 'deploy-cart',
        display_name: 'Deploy',
        build: {
          number: 1,
          phase: 'COMPLETED',
          status: 'SUCCESS',
          full_url: 'https://ci.example.com/1',
          timestamp: 1,
          parameters: { SERVICE: 'a', ENV: 'b', VERSION: 'c' },
          scm: { branch: 'main', commit: 'f', culprits: ['ana'] },
        },
      },
    ],
    read: (body) => readJenkins(body, mapping),
  },
  'Argo CD': {
    messages: [
      {
        url: 'https://argocd.example.com',
        app: {
          metadata: { name: 'shop', namespace: 'argocd', labels: { env: 'a' } },
          spec: { project: 'a', destination: { namespace: 'b' } },
          status: {
            operationState: {
              phase: 'Succeeded',
              message: 'ok',
              startedAt: '2026-11-21T02:00:00Z',
              operation: { initiatedBy: { username: 'ana' } },
              syncResult: { revision: 'f' },
            },
            sync: { revision: 'f' },
            health: { status: 'Healthy' },
            summary: { images: ['a:1'] },
          },
        },
      },
    ],
    read: (body) => readArgocd(body, mapping),
  },
  'another pipeline': {
    messages: [
      {
        externalId: 'a',
        type: 'deployment',
        status: 'succeeded',
        service: 'a',
        environment: 'b',
        title: 'c',
        version: '1',
        previousVersion: '0',
        author: 'ana',
        url: 'https://ci.example.com',
        at: 1,
      },
    ],
    read: (body) => readGeneric(body, mapping, 'body'),
  },
};

it.for(Object.entries(senders))(
  'whatever stands where in a message of %s, it is read or refused',
  ([, { messages, read }]) => {
    expect(messages.length).toBeGreaterThan(0);
    for (const message of messages) {
      expect(read(message)).not.toHaveProperty('invalid');
      for (const path of pathsOf(message)) {
        for (const value of junk) check(read(replaced(message, path, value)));
      }
    }
  },
);

function check(read: ReadChange): void {
  if (!('change' in read)) return;
  const { change } = read;
  expect(change.externalId.length).toBeLessThanOrEqual(500);
  expect(change.title.length).toBeLessThanOrEqual(300);
  for (const text of [change.service, change.environment, change.version, change.author]) {
    expect(text?.length ?? 0).toBeLessThanOrEqual(200);
  }
  for (const text of Object.values(change.data)) expect(text.length).toBeLessThanOrEqual(300);
  if (change.url !== null) expect(change.url).toMatch(/^https?:/);
  if (change.at !== null) expect(new Date(change.at).getTime()).not.toBeNaN();
}

/** Of everything in it but what no parser looks at: addresses of GitHub's API. */
function pathsOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null || path.length > 5) return [path];
  const inside = Object.entries(value)
    .filter(([key]) => !/_url$/.test(key) || /^(html|log|target)_url$/.test(key))
    .flatMap(([key, each]) => pathsOf(each, [...path, key]));
  return [path, ...inside];
}

function replaced(value: unknown, [key, ...rest]: string[], by: unknown): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value))
    return value.map((each, index) => (String(index) === key ? replaced(each, rest, by) : each));
  const record = value as Record<string, unknown>;
  return { ...record, [key]: replaced(record[key], rest, by) };
}
