import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { type Response, Router } from 'express';

/** The stylesheet and scripts, served under names that carry a hash of their content and may be kept for good. */
export interface Assets {
  /** '/assets/holdfast.3f2a91c0de.css' for 'holdfast.css'; throws RangeError on a name that is none. */
  url(name: string): string;
  router: Router;
}

const contentTypes: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export function loadAssets(folder = join(import.meta.dirname, '..', 'assets')): Assets {
  const served = new Map<string, { body: Buffer; type: string }>();
  const urls = new Map<string, string>();
  const names = readdirSync(folder).filter((name) => extname(name) in contentTypes);

  function urlOf(name: string): string {
    const known = urls.get(name);
    if (known !== undefined) return known;
    if (!names.includes(name)) throw new RangeError(`no asset '${name}'`);
    const extension = extname(name);
    const source = readFileSync(join(folder, name));
    const body = extension === '.js' ? withHashedImports(source) : source;
    const hash = createHash('sha256').update(body).digest('hex').slice(0, 10);
    const hashed = `${name.slice(0, -extension.length)}.${hash}${extension}`;
    served.set(hashed, { body, type: contentTypes[extension] ?? 'application/octet-stream' });
    urls.set(name, `/assets/${hashed}`);
    return `/assets/${hashed}`;
  }

  /** A script that imports another must ask for it under its hashed name. */
  function withHashedImports(source: Buffer): Buffer {
    const text = source.toString('utf8');
    return Buffer.from(text.replace(/from '\.\/([\w.-]+)'/g, (_, name: string) => `from '${urlOf(name)}'`));
  }

  for (const name of names) urlOf(name);
  const router = Router();
  router.get('/assets/:file', (request, response: Response, next) => {
    const asset = served.get(request.params.file);
    if (!asset) {
      next();
      return;
    }
    response.set('Cache-Control', 'public, max-age=31536000, immutable').type(asset.type).send(asset.body);
  });
  return { url: urlOf, router };
}
