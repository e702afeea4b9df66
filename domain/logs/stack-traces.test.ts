import { describe, expect, test } from 'vitest';
import { processorMs } from '../../test/harness/processor-time.ts';
import type { LogLine } from './log-line.ts';
import { foldStackTraces } from './stack-traces.ts';

const java = `java.lang.IllegalStateException: payment 4711 failed
	at org.springframework.web.Dispatcher.doService(Dispatcher.java:88)
	at com.acme.pay.PaymentController.pay(PaymentController.java:42)
	at java.base/java.lang.Thread.run(Thread.java:1583)
Caused by: java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available
	at com.zaxxer.hikari.pool.HikariPool.createTimeoutException(HikariPool.java:696)
	at com.acme.pay.LedgerRepository.load(LedgerRepository.java:17)
	... 23 more`;

const python = `Traceback (most recent call last):
  File "/srv/app/orders.py", line 31, in place
    reserve(order)
  File "/srv/app/stock.py", line 12, in reserve
    return client.post(url)
  File "/usr/lib/python3.11/site-packages/requests/api.py", line 115, in post
    return request("post", url)
requests.exceptions.ConnectTimeout: HTTPConnectionPool(host='stock', port=80): timed out`;

const pythonChained = `Traceback (most recent call last):
  File "/srv/app/a.py", line 3, in load
    return cache[key]
KeyError: 'session'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/app/b.py", line 9, in handle
    raise LookupFailed(key)
app.errors.LookupFailed: session`;

const go = `panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
runtime.gopanic({0x45e0a0?, 0xc00001c0a8?})
	/usr/local/go/src/runtime/panic.go:770 +0x132
main.(*Store).Pick(0xc000012345, 0x5)
	/src/shop/store.go:27 +0x1d
main.main()
	/src/shop/main.go:9 +0x25
exit status 2`;

const node = `TypeError: Cannot read properties of undefined (reading 'price')
    at node:internal/process/task_queues:95:5
    at total (/app/node_modules/money/index.js:4:9)
    at async checkout (file:///app/src/checkout.js:58:17)
    at /app/src/server.js:12:3 {
  code: 'E_PRICE'
}`;

const dotnet = `System.InvalidOperationException: Order failed ---> System.TimeoutException: no answer
   at Npgsql.NpgsqlConnector.Open(Int32 timeout) in /_/src/Npgsql/NpgsqlConnector.cs:line 500
   at Acme.Orders.Repository.Load(Guid id) in /src/Orders/Repository.cs:line 73
   --- End of inner exception stack trace ---
   at Acme.Orders.Handler.Handle() in /src/Orders/Handler.cs:line 21
   at System.Threading.Tasks.Task.Execute()`;

const cases = {
  java: [java, 'java.lang.IllegalStateException', 'payment 4711 failed', 'LedgerRepository.java:17'],
  python: [
    python,
    'requests.exceptions.ConnectTimeout',
    "HTTPConnectionPool(host='stock', port=80): timed out",
    '/srv/app/stock.py:12',
  ],
  pythonChained: [pythonChained, 'app.errors.LookupFailed', 'session', '/srv/app/b.py:9'],
  go: [go, 'panic', 'runtime error: index out of range [5] with length 3', '/src/shop/store.go:27'],
  node: [
    node,
    'TypeError',
    "Cannot read properties of undefined (reading 'price')",
    '/app/src/checkout.js:58',
  ],
  dotnet: [dotnet, 'System.InvalidOperationException', 'Order failed', '/src/Orders/Repository.cs:73'],
} as const;

const line = (message: string, at = 0, more: Partial<LogLine> = {}): LogLine => ({
  at,
  service: 'shop',
  host: 'web-1',
  level: 'error',
  message,
  labels: {},
  ...more,
});
const spread = (text: string, at: number, more: Partial<LogLine> = {}): LogLine[] =>
  text.split('\n').map((part, index) => line(part, at + index, more));

describe.each(Object.entries(cases))('a %s trace', (_name, [text, exception, message, at]) => {
  test('inside one message is folded to exception, message and top own frame', () => {
    const { traces, lines } = foldStackTraces([line(text), line(text, 60_000)]);
    expect(traces).toHaveLength(1);
    expect(traces[0]).toMatchObject({ exception, message, count: 2, firstAt: 0, lastAt: 60_000 });
    expect(traces[0]?.frame?.at).toBe(at);
    expect(lines).toHaveLength(2);
  });

  test('spread over consecutive lines is the same trace, and one line', () => {
    const all = [line('ready', 0), ...spread(text, 10), line('next request', 5000, { level: 'info' })];
    const { traces, lines } = foldStackTraces(all);
    expect(traces).toHaveLength(1);
    expect(traces[0]).toMatchObject({ exception, message, count: 1 });
    expect(traces[0]?.frame?.at).toBe(at);
    expect(lines.map((one) => one.message)).toEqual(['ready', text, 'next request']);
  });

  test('behind a logging prefix is found all the same', () => {
    const { traces } = foldStackTraces([line(`02:14:07 ERROR [http-1] request failed\n${text}`)]);
    expect(traces[0]).toMatchObject({ exception, message });
  });
});

describe('foldStackTraces', () => {
  test('names the innermost cause', () => {
    expect(foldStackTraces([line(java)]).traces[0]?.cause).toEqual({
      exception: 'java.sql.SQLTransientConnectionException',
      message: 'HikariPool-1 - Connection is not available',
    });
    expect(foldStackTraces([line(dotnet)]).traces[0]?.cause).toEqual({
      exception: 'System.TimeoutException',
      message: 'no answer',
    });
    expect(foldStackTraces([line(pythonChained)]).traces[0]?.cause?.exception).toBe('KeyError');
    expect(foldStackTraces([line(go)]).traces[0]?.cause).toBeNull();
  });

  test('folds traces whose messages differ in values only, and keeps other places apart', () => {
    const other = java.replaceAll('4711', '4712');
    const elsewhere = java.replaceAll('LedgerRepository.java:17', 'LedgerRepository.java:99');
    const { traces } = foldStackTraces([line(java), line(other), line(elsewhere)]);
    expect(traces.map((trace) => [trace.frame?.at, trace.count])).toEqual([
      ['LedgerRepository.java:17', 2],
      ['LedgerRepository.java:99', 1],
    ]);
  });

  test('keeps interleaved traces of two hosts apart', () => {
    const a = spread(java, 0, { host: 'a' });
    const b = spread(python, 0, { host: 'b' });
    const { traces, lines } = foldStackTraces([...a, ...b]);
    expect(traces.map((trace) => trace.language).sort()).toEqual(['java', 'python']);
    expect(lines).toHaveLength(2);
  });

  test('takes no ordinary text for a trace', () => {
    const plain = [
      line('meet me at noon (or later)\n  at the station'),
      line('Error: disk full'),
      line('at last'),
      line('user said: panic: no'),
    ];
    const { traces, lines } = foldStackTraces(plain);
    expect(traces).toEqual([]);
    expect(lines).toHaveLength(4);
  });

  test('cuts samples visibly and bears endless and hostile text', () => {
    const long = `${java}\n${'\tat com.acme.A.b(A.java:1)\n'.repeat(3000)}`;
    const sample = foldStackTraces([line(long)]).traces[0]?.sample ?? '';
    expect(sample.length).toBe(2000);
    expect(sample.endsWith('…')).toBe(true);
    const took = processorMs(() => {
      for (const piece of [' at ', 'a.', 'a(', ' at a.b(', 'Error: ', 'aError', '--->', 'File "']) {
        foldStackTraces([line(`${piece.repeat(5000)}\n${piece.repeat(5000)}`)]);
      }
    });
    expect(took).toBeLessThan(3000);
  });
});
