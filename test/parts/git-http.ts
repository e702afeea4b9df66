import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface GitHttpServer {
  /** Of a repository below the root: 'http://127.0.0.1:…/runbooks.git'. */
  urlOf(name: string): string;
  port: number;
  /** Asked for, when set: everything else is answered 401. */
  credential: { user: string; password: string } | undefined;
  /** What came with each request, for what must not be there. */
  requests: { url: string; authorization: string | undefined }[];
  /** Answers every request so, when set. */
  respond: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  close(): Promise<void>;
}

/** Git's own `http-backend` (smart HTTP) for the bare repositories below `root`, behind HTTP basic authentication. */
export async function startGitHttp(root: string): Promise<GitHttpServer> {
  const server = createServer((request, response) => {
    const { authorization } = request.headers;
    git.requests.push({ url: request.url ?? '', authorization });
    if (git.respond) {
      git.respond(request, response);
      return;
    }
    const { credential } = git;
    const basic =
      credential && `Basic ${Buffer.from(`${credential.user}:${credential.password}`).toString('base64')}`;
    if (basic && authorization !== basic) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="git"' }).end();
      return;
    }
    serve(root, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const git: GitHttpServer = {
    urlOf: (name) => `http://127.0.0.1:${port}/${name}.git`,
    port,
    credential: undefined,
    requests: [],
    respond: undefined,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return git;
}

/** CGI: RFC 3875. */
function serve(root: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env.PATH ?? '',
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_NOSYSTEM: '1',
      HOME: root,
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      ...(request.headers['content-encoding'] && {
        HTTP_CONTENT_ENCODING: String(request.headers['content-encoding']),
      }),
      ...(request.headers['git-protocol'] && { GIT_PROTOCOL: String(request.headers['git-protocol']) }),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  request.pipe(child.stdin);
  child.stdin.on('error', () => {});
  let head = Buffer.alloc(0);
  let begun = false;
  child.stdout.on('data', (chunk: Buffer) => {
    if (begun) {
      response.write(chunk);
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    begun = true;
    const headers = head
      .toString('latin1', 0, end)
      .split('\r\n')
      .map((line) => line.split(/:\s*/, 2) as [string, string]);
    const status = headers.find(([name]) => name.toLowerCase() === 'status')?.[1];
    response.statusCode = Number(status?.slice(0, 3) ?? 200);
    for (const [name, value] of headers) {
      if (name.toLowerCase() !== 'status') response.setHeader(name, value);
    }
    response.write(head.subarray(end + 4));
  });
  child.stdout.on('end', () => response.end());
  response.on('close', () => child.kill());
}
