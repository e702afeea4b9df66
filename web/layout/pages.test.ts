import { describe, expect, it } from 'vitest';
import { ClosedError, RefusedError, TemporalUnavailableError } from '../../workflows/messages-client.ts';
import { errorPage } from '../errors/errors.ts';
import { webUrl } from '../incidents/evidence-view.ts';
import { loadAssets } from './assets.ts';
import { icon } from './icons.ts';
import { localPath, NotFoundError, refusalText } from './pages.ts';
import { loadTemplates } from './templates.ts';

const templates = loadTemplates(loadAssets().url);

describe('templates', () => {
  it('throw on a field that the view lacks, instead of leaving a hole', () => {
    expect(() => templates.render('layout/mark', { tone: 'good', icon: 'done' }, { now: 0 })).toThrow(/word/);
  });

  it('escape what comes from outside', () => {
    const html = templates.render(
      'layout/mark',
      { tone: '"><script>', icon: 'done', word: '<b>' },
      { now: 0 },
    );
    expect(html).not.toContain('<script>');
    expect(html).toContain('&lt;b&gt;');
  });

  it('refuse an icon that there is not', () => {
    expect(() => icon('nope')).toThrow(RangeError);
  });
});

describe('a way back', () => {
  it('stays on this site', () => {
    expect(localPath('/incidents/1?a=b', '/')).toBe('/incidents/1?a=b');
    for (const foreign of [
      '//evil.example',
      '/\\evil.example',
      'https://evil.example',
      'javascript:x',
      '/a b',
    ]) {
      expect(localPath(foreign, '/incidents')).toBe('/incidents');
    }
  });
});

describe('a link from a label', () => {
  it('is one only to the web', () => {
    expect(webUrl('https://a.example/x')).toBe('https://a.example/x');
    expect(webUrl('javascript:alert(1)')).toBeNull();
    expect(webUrl('https://')).toBeNull();
  });
});

describe('what a person is told', () => {
  it('of a refusal: its reason', () => {
    expect(refusalText(new RefusedError('it is resolved'))).toBe('Refused: it is resolved');
    expect(refusalText(new ClosedError('x'))).toContain('Too late');
    expect(refusalText(new TemporalUnavailableError('no worker'))).toContain('send it again');
    expect(() => refusalText(new Error('inside'))).toThrow('inside');
  });

  it('of an error: nothing of the inside', () => {
    expect(errorPage(new NotFoundError('There is no incident #9.'), 'r')).toMatchObject({
      status: 404,
      reference: null,
    });
    const unknown = errorPage(new Error('password=hunter2'), 'abc');
    expect(unknown).toMatchObject({ status: 500, reference: 'abc' });
    expect(JSON.stringify(unknown)).not.toContain('hunter2');
  });
});
