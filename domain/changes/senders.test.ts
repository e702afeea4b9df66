import { describe, expect, it } from 'vitest';
import { readArgocd } from './argocd.ts';
import { readGeneric } from './generic.ts';
import { readJenkins } from './jenkins.ts';
import type { ChangeMapping, ChangeReport, ReadChange } from './report.ts';

const mapping: ChangeMapping = { services: {}, environment: null, deploys: [], fields: {} };
const change = (read: ReadChange): ChangeReport => {
  if (!('change' in read)) throw new Error(JSON.stringify(read));
  return read.change;
};

describe('a build of Jenkins', () => {
  // as the Notification plugin posts it
  const build = {
    full_url: 'https://jenkins.example.com/job/deploy-payment-service/18/',
    number: 18,
    timestamp: 1_763_690_400_000,
    phase: 'COMPLETED',
    status: 'SUCCESS',
    scm: { branch: 'origin/main', commit: 'c6d86dc654b12425e706bcf951adfe5a8627a517', culprits: ['ana'] },
    parameters: {} as Record<string, unknown>,
  };
  const read = (changes: object, name = 'deploy-payment-service', more: Partial<ChangeMapping> = {}) =>
    readJenkins({ name, url: `job/${name}/`, build: { ...build, ...changes } }, { ...mapping, ...more });

  it('is one change through its phases', () => {
    expect(read({ phase: 'QUEUED', status: undefined })).toEqual({ ignored: 'a build that waits' });
    const started = change(read({ phase: 'STARTED', status: undefined }));
    const completed = change(read({}));
    expect(started).toMatchObject({ status: 'started', externalId: completed.externalId, begins: true });
    expect(completed).toMatchObject({
      externalId: 'build:deploy-payment-service:18',
      type: 'deployment',
      status: 'succeeded',
      service: 'payment-service',
      version: 'c6d86dc',
      author: 'ana',
      url: build.full_url,
      begins: false,
    });
    expect(change(read({ phase: 'FINALIZED' })).status).toBe('succeeded');
    expect(change(read({ status: 'ABORTED' })).status).toBe('failed');
    expect(read({ status: 'NOT_BUILT' })).toHaveProperty('ignored');
  });

  it('takes service, environment and version from its parameters', () => {
    const parameters = { SERVICE: 'ledger', Env: 'staging', IMAGE_TAG: 'v7', DRY: false };
    expect(change(read({ parameters }))).toMatchObject({
      service: 'ledger',
      environment: 'staging',
      version: 'v7',
    });
    expect(
      change(
        read({ parameters }, 'deploy-payment-service', { services: { 'deploy-payment-service': 'pay' } }),
      ).service,
    ).toBe('pay');
  });

  it('finds the service in the names of jobs', () => {
    expect(change(read({}, 'shop/payment-service/main'))).toMatchObject({
      service: 'payment-service',
      type: 'code',
    });
    expect(change(read({}, 'cart-deploy')).service).toBe('cart');
    expect(change(read({}, 'deploy')).service).toBe('deploy');
  });

  it('refuses what is none', () => {
    for (const body of [undefined, {}, { name: 'a' }, { name: 'a', build: { number: 1 } }]) {
      expect(readJenkins(body, mapping)).toHaveProperty('invalid');
    }
  });
});

describe('a sync of Argo CD', () => {
  const app = {
    metadata: { name: 'shop-payment', namespace: 'argocd', labels: { env: 'production' } },
    spec: { project: 'shop', destination: { namespace: 'shop' } },
    status: {
      operationState: {
        phase: 'Running',
        startedAt: '2026-11-21T02:00:00Z',
        operation: { initiatedBy: { username: 'ana' } },
        syncResult: { revision: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b' },
      },
      health: { status: 'Progressing' },
      summary: { images: ['registry.example.com/shop/payment:v2.3.1'] },
    },
  };
  const phase = (name: string) => ({
    ...app,
    status: { ...app.status, operationState: { ...app.status.operationState, phase: name } },
  });

  it('is one change from running to its end, with or without the template around it', () => {
    const running = change(readArgocd(app, mapping));
    expect(running).toMatchObject({
      externalId: 'sync:argocd/shop-payment:2026-11-21T02:00:00Z',
      type: 'deployment',
      status: 'started',
      service: 'shop-payment',
      environment: 'production',
      version: 'v2.3.1',
      author: 'ana',
      at: Date.parse('2026-11-21T02:00:00Z'),
    });
    const url = 'https://argocd.example.com/applications/shop-payment';
    expect(change(readArgocd({ app: phase('Succeeded'), url }, mapping))).toMatchObject({
      externalId: running.externalId,
      status: 'succeeded',
      url,
    });
    expect(change(readArgocd(phase('Error'), mapping)).status).toBe('failed');
    expect(readArgocd(phase('toString'), mapping)).toHaveProperty('ignored');
  });

  it('takes the version from its own image, else the revision', () => {
    const images = (...all: string[]) =>
      change(readArgocd({ ...app, status: { ...app.status, summary: { images: all } } }, mapping)).version;
    expect(images('a/sidecar:1', 'a/shop-payment:2')).toBe('2');
    expect(images('a/sidecar:1', 'a/other:2')).toBe('9f86d08');
    expect(images('registry:5000/a/app@sha256:0123')).toBe('9f86d08');
  });

  it('refuses what is none', () => {
    expect(readArgocd({ message: 'synced' }, mapping)).toHaveProperty('invalid');
  });
});

describe("a change in anybody's own words", () => {
  const read = (body: unknown, more: Partial<ChangeMapping> = {}) =>
    readGeneric(body, { ...mapping, ...more }, 'of-the-body');

  it('needs a service or a title and no more', () => {
    expect(change(read({ service: 'payment', version: 'v2' }))).toMatchObject({
      externalId: 'of-the-body',
      type: 'deployment',
      status: 'succeeded',
      service: 'payment',
      title: 'Deployment of payment',
      version: 'v2',
      at: null,
    });
    expect(read({})).toEqual({
      invalid: [{ field: 'title', message: expect.stringMatching(/a title or a service/) }],
    });
    expect(read([])).toHaveProperty('invalid');
  });

  it('is found where the mapping says', () => {
    const body = {
      app: { name: 'cart', tags: [{ v: '1.2' }] },
      'a.b': 'flag-7',
      state: 'Finished',
      kind: 'feature-flag',
      time: 1_763_690_400,
    };
    const fields = {
      service: 'app.name',
      version: 'app.tags.0.v',
      externalId: 'a.b',
      status: 'state',
      type: 'kind',
      at: 'time',
    };
    expect(change(read(body, { fields, services: { cart: 'shopping-cart' } }))).toMatchObject({
      service: 'shopping-cart',
      version: '1.2',
      externalId: 'flag-7',
      status: 'succeeded',
      type: 'feature_flag',
      at: 1_763_690_400_000,
    });
    expect(read({ app: {} }, { fields: { service: '__proto__.constructor.name' } })).toHaveProperty(
      'invalid',
    );
  });

  it('refuses words and times that say nothing, naming where they stand', () => {
    expect(read({ service: 'a', type: 'party', status: 'constructor', at: 'soon' })).toEqual({
      invalid: [
        { field: 'type', message: expect.stringMatching(/deployment, config/) },
        { field: 'status', message: expect.stringMatching(/started, succeeded/) },
        { field: 'at', message: expect.stringMatching(/ISO 8601/) },
      ],
    });
  });
});
