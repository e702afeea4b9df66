import type { RequestHandler } from 'express';
import { Histogram, type Registry } from 'prom-client';

/** Times each request by the path as it is written in the API, so that ids make no series of their own. */
export function createRequestTimer(registry: Registry): (path: string) => RequestHandler {
  const seconds = new Histogram({
    name: 'holdfast_http_request_seconds',
    help: 'Time to answer a request of the API',
    labelNames: ['method', 'path', 'status'],
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  return (path) => (request, response, next) => {
    const stop = seconds.startTimer({ method: request.method, path });
    response.once('finish', () => stop({ status: String(response.statusCode) }));
    next();
  };
}
