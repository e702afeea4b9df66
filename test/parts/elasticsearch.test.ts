import { Client } from '@elastic/elasticsearch';
import { expect, test } from 'vitest';
import { startElasticsearch } from './elasticsearch.ts';
import { partOrSkip } from './part.ts';

test('Elasticsearch takes log lines and finds them', { timeout: 400_000 }, async (context) => {
  const elasticsearch = await partOrSkip(context, startElasticsearch);
  try {
    const client = new Client({ node: elasticsearch.url });
    const lines = ['connection refused', 'all is well', 'connection reset'];
    const operations = lines.flatMap((message) => [
      { index: { _index: 'logs-app' } },
      { '@timestamp': '2026-01-01T00:00:00Z', message },
    ]);
    expect((await client.bulk({ operations, refresh: true })).errors).toBe(false);
    const found = await client.search<{ message: string }>({
      index: 'logs-*',
      query: { match: { message: 'connection' } },
      aggs: { time: { date_histogram: { field: '@timestamp', fixed_interval: '1m' } } },
    });
    expect(found.hits.hits.map(({ _source }) => _source?.message).sort()).toEqual([
      'connection refused',
      'connection reset',
    ]);
    await client.close();
  } finally {
    await elasticsearch.close();
  }
});
