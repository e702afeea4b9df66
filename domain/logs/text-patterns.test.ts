import { describe, expect, test } from 'vitest';
import { minePatternsOfText } from './text-patterns.ts';

/** The lines of one event share a number, as in 'a a b'. */
const groupsOf = (text: string): number[] => minePatternsOfText(text.split('\n')).map((one) => one.group);
const templatesOf = (text: string): string[] => [
  ...new Set(minePatternsOfText(text.split('\n')).map((one) => one.template)),
];

describe('a stack trace over consecutive lines is one event', () => {
  const traces: Record<string, string> = {
    java: `2026-11-21 02:14:07 ERROR [pool-1] java.lang.IllegalStateException: no connection after 30 s
\tat com.acme.Orders.load(Orders.java:42)
\tat java.base/java.lang.Thread.run(Thread.java:833)
Caused by: java.net.SocketTimeoutException: Read timed out
\tat com.acme.Pool.take(Pool.java:7)
\t... 12 more`,
    python: `Traceback (most recent call last):
  File "/app/orders.py", line 42, in load
    row = rows[key]
KeyError: 'order-17'`,
    'chained python': `Traceback (most recent call last):
  File "/app/orders.py", line 42, in load
    row = rows[key]
KeyError: 'order-17'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/main.py", line 3, in <module>
    load()
RuntimeError: cannot load`,
    go: `panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.load(0x1)
\t/app/main.go:12 +0x1d
exit status 2`,
    node: `TypeError: Cannot read properties of undefined (reading 'id')
    at load (/app/orders.js:10:3)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5) {
  code: 'E_ORDER'
}`,
    'dotnet with an error code': `      System.Data.SqlException (0x80131904): Timeout expired
         at System.Data.SqlClient.SqlConnection.OnError(SqlException exception, Boolean breakConnection)
      --- End of stack trace from previous location ---
         at Acme.Repo.<Load>d__5.MoveNext() in C:\\src\\Repo.cs:line 12`,
    dotnet: `Unhandled exception. System.InvalidOperationException: no connection
 ---> System.TimeoutException: timed out
   at Acme.Pool.Take() in /src/Pool.cs:line 7
   --- End of inner exception stack trace ---
   at Acme.Orders.Load() in /src/Orders.cs:line 42`,
  };

  test.each(Object.entries(traces))('of %s', (_name, trace) => {
    const length = trace.split('\n').length;
    const again = trace.replaceAll('17', '18').replaceAll('30 s', '31 s');
    const text = `order 1 placed\n${trace}\norder 2 placed\n${again}\norder 3 placed`;
    const ofTrace = new Array<number>(length).fill(1);
    expect(groupsOf(text)).toEqual([0, ...ofTrace, 0, ...ofTrace, 0]);
  });

  test.each(Object.entries(traces))(
    'of %s, also where a collector put its header before each line',
    (_name, trace) => {
      const lines = `order 1 placed\n${trace}\norder 2 placed`.split('\n');
      const text = lines
        .map((line, i) => `2026-11-21T02:14:${10 + i}.123456789Z stderr F ${line}`)
        .join('\n');
      expect(groupsOf(text)).toEqual([0, ...new Array<number>(lines.length - 2).fill(1), 0]);
    },
  );

  test('and ends where the next event begins, however its header is aligned', () => {
    const lines = [
      'Traceback (most recent call last):',
      '  File "a.py", line 1, in b',
      'KeyError: 1',
      'started',
      'ready',
    ];
    expect(groupsOf(lines.map((line, i) => `02:14:0${i} INFO  ${line}`).join('\n'))).toEqual([0, 0, 0, 1, 2]);
  });

  test('which its exception tells from another, not the words that open every traceback', () => {
    const raised = (exception: string): string =>
      `Traceback (most recent call last):\n  File "/app/a.py", line 1, in b\n    c()\n${exception}`;
    expect(groupsOf(`${raised('KeyError: 1')}\n${raised('ZeroDivisionError: division by zero')}`)).toEqual([
      0, 0, 0, 0, 1, 1, 1, 1,
    ]);
    expect(templatesOf(raised('app.errors.NotFound: no order 17'))).toEqual([
      'app.errors.NotFound: no order <*>',
    ]);
  });

  test('and whose end is seen: what follows is an event of its own', () => {
    expect(groupsOf(`${traces.java}\nINFO started in 3 s\n  indented by itself`)).toEqual([
      0, 0, 0, 0, 0, 0, 1, 2,
    ]);
  });
});

test('gives one entry per line, in order, whatever the lines are', () => {
  const lines = ['', 'a', '', '\u0000\ud800', '   ', 'a', '<*>', '\tat nowhere'];
  const mined = minePatternsOfText(lines);
  expect(mined).toHaveLength(lines.length);
  expect(mined[1]).toEqual(mined[5]);
  expect(minePatternsOfText([])).toEqual([]);
});

test('an endless trace does not swallow the rest', () => {
  const frames = Array.from({ length: 2000 }, (_, i) => `\tat com.acme.A.b(A.java:${i})`);
  const mined = minePatternsOfText(['java.lang.StackOverflowError', ...frames, 'order 1 placed']);
  expect(mined).toHaveLength(2002);
  expect(new Set(mined.slice(0, 500).map((one) => one.group)).size).toBe(1);
  expect(mined.at(-1)?.template).toBe('order <*> placed');
});
