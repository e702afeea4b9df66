/** Where in the code, as the trace says it. */
export interface Frame {
  file: string;
  line: number;
  function: string;
}

export interface Trace {
  language: 'java' | 'python' | 'go' | 'node' | 'dotnet';
  exception: string;
  message: string;
  cause: { exception: string; message: string } | null;
  frame: Frame | null;
}

interface Format {
  language: Trace['language'];
  /** A frame of it, or undefined. `text` is one line, `next` the line after it. */
  frame(text: string, next: string): (Frame & { own: boolean }) | undefined;
  /** Frames stand with the innermost call last. */
  innermostLast?: boolean;
  /** The line that names the exception, where it isn't the last one before the first frame. */
  head?(lines: string[]): Head | undefined;
}

interface Head {
  exception: string;
  message: string;
  cause: Trace['cause'];
}

/** Packages that are a runtime's, a framework's or a driver's: the fault is rarely theirs. */
const javaLibraries =
  /^(?:app\/\/)?(?:java|javax|jakarta|jdk|sun|com\.sun|kotlin|kotlinx|scala|akka|groovy|clojure|io\.(?:netty|vertx|grpc|micrometer|micronaut|quarkus|lettuce|undertow|reactivex|smallrye)|reactor|rx|org\.(?:springframework|apache|hibernate|eclipse|jboss|postgresql|mariadb|mongodb|elasticsearch|slf4j|junit|glassfish|aspectj|quartz|redisson|h2)|com\.(?:zaxxer|mysql|mongodb|fasterxml|google\.common|google\.inject|oracle|microsoft|amazonaws|netflix|datastax)|ch\.qos|feign|okhttp3|retrofit2|redis\.clients|software\.amazon)\./;

const formats: Format[] = [
  {
    language: 'java',
    frame(text) {
      const match = /^\s*at (?:[\w.$-]+(?:@[\w.-]*)?\/)*([\w.$<>]+)\.([\w$<>]+)\(([^():]+)(?::(\d+))?\)/.exec(
        text,
      );
      if (
        !match?.[1] ||
        !/\.(?:java|kt|scala|groovy|clj)$|^(?:Native Method|Unknown Source)$/.test(match[3] ?? '')
      ) {
        return undefined;
      }
      const own = match[4] !== undefined && !javaLibraries.test(`${match[1]}.`);
      return { file: match[3] ?? '', line: Number(match[4] ?? 0), function: `${match[1]}.${match[2]}`, own };
    },
  },
  {
    language: 'python',
    innermostLast: true,
    frame(text) {
      const match = /^\s*(?:\|\s*)*File "([^"]+)", line (\d+)(?:, in (.+))?$/.exec(text.trimEnd());
      if (!match?.[1]) return undefined;
      const own = !/site-packages|dist-packages|\/lib\/python[\d.]+\/|^<frozen|^<string>/.test(match[1]);
      return { file: match[1], line: Number(match[2]), function: match[3] ?? '<module>', own };
    },
    head: pythonHead,
  },
  {
    language: 'go',
    frame(text, next) {
      const place = /^\s+(\S+\.(?:go|s)):(\d+)(?: \+0x[0-9a-f]+)?\s*$/.exec(next);
      const call = /^(?:created by )?([\w./*()[\]{}~%@-]+?)(?:\([^()]*\)| in goroutine \d+)?\s*$/.exec(text);
      if (!place?.[1] || !call?.[1]) return undefined;
      const own =
        !/\/(?:usr\/local|usr\/lib|opt\/[\w.]+)\/go[\w.-]*\/src\/|\/pkg\/mod\/|\/vendor\/|go\/src\/runtime\//.test(
          place[1],
        );
      return {
        file: place[1],
        line: Number(place[2]),
        function: call[1],
        own: own && !/^(?:runtime|panic)\b/.test(call[1]),
      };
    },
    head: goHead,
  },
  {
    language: 'node',
    frame(text) {
      const match = /^\s+at (?:(.+?) \()?(\S.*?):(\d+):\d+\)?$/.exec(text.trimEnd());
      if (!match?.[2]) return undefined;
      const own = !/^node:|node_modules|^internal\/|^\(?native/.test(match[2]);
      return {
        file: match[2].replace(/^file:\/\//, ''),
        line: Number(match[3]),
        function: match[1] ?? '<anonymous>',
        own,
      };
    },
  },
  {
    language: 'dotnet',
    frame(text) {
      const match = /^\s+at ([\w.<>`+|$[\],]+(?:\.\.ctor)?)\(.*?\)(?: in (.+):line (\d+))?\s*$/.exec(text);
      if (!match?.[1]) return undefined;
      const own = !/^(?:System|Microsoft|Npgsql|Newtonsoft|MongoDB|Grpc|Polly|Serilog|NLog)\./.test(match[1]);
      return {
        file: match[2] ?? match[1],
        line: Number(match[3] ?? 0),
        function: match[1],
        own: own && Boolean(match[2]),
      };
    },
  },
];

/** 'java.io.IOException: broken pipe', 'Error [ERR_X]: no', with what logging put before it. */
const named =
  /(?:^|[\s:>"'])((?:[\w$]+\.)*[A-Z_]?[\w$]*(?:Exception|Error|Throwable|Failure|Interrupt|Exit|Warning|Fault)\d*)(?: \[\w+\]| \(0x[0-9A-Fa-f]+\))?(?::\s*|\s*$)(.*)$/;
// .NET puts an error code between name and message: 'System.Data.SqlException (0x80131904): late'
const dottedName = /^\s*((?:[\w$]+\.){1,}[A-Z][\w$]*)(?: \(0x[0-9A-Fa-f]+\))?(?::\s*(.*))?$/;
const causedBy = /^\s*(?:Caused by|Suppressed|\[cause\]): ?(.*)$/;
const dotnetInner = /^\s*(?:--->|---&gt;) ?(?:\(Inner Exception #\d+\) )?(.*)$/;

/** What is read of a line: keeps the time of a hostile one in bounds. */
const beginning = (line: string): string => line.slice(0, 1000);

/** The first stack trace in `text` (its lines divided by newlines), or undefined if there is none. */
export function readTrace(text: string): Trace | undefined {
  const lines = text.split(/\r?\n/).map(beginning);
  for (const format of formats) {
    const frames = lines.map((line, index) => format.frame(line, lines[index + 1] ?? ''));
    const first = frames.findIndex((frame) => frame !== undefined);
    if (first < 0) continue;
    const head = format.head ? format.head(lines) : commonHead(lines, first);
    if (!head) continue;
    return { language: format.language, ...head, frame: ownFrame(lines, frames, format) };
  }
  return undefined;
}

function ownFrame(
  lines: string[],
  frames: ((Frame & { own: boolean }) | undefined)[],
  format: Format,
): Frame | null {
  // the cause's own frame is nearer to the fault than the place where it was wrapped
  const sections = lines.flatMap((line, index) =>
    /^\s*Caused by: |^\s*\[cause\]: /.test(line) ? [index] : [],
  );
  const inCause = frames.slice(sections.at(-1) ?? 0).filter((frame) => frame !== undefined);
  const all = frames.filter((frame) => frame !== undefined);
  const [near, far] = format.innermostLast ? [inCause.toReversed(), all.toReversed()] : [inCause, all];
  const best = near.find((frame) => frame.own) ?? far.find((frame) => frame.own) ?? near[0] ?? far[0];
  return best ? { file: best.file, line: best.line, function: best.function } : null;
}

/** The exception stands before its frames; what it was caused by follows them (Java, Node) or precedes (.NET). */
function commonHead(lines: string[], firstFrame: number): Head | undefined {
  const before = lines.slice(0, firstFrame).filter((line) => !causedBy.test(line) && !dotnetInner.test(line));
  const start = before.findIndex((line) => readName(line) !== undefined);
  const name = start < 0 ? undefined : readName(before[start] ?? '');
  if (!name) return undefined;
  const inner = lines.flatMap((line) => {
    const match = causedBy.exec(line) ?? dotnetInner.exec(line);
    const cause = line.trimStart().startsWith('Suppressed') ? undefined : readName(match?.[1] ?? '');
    return cause ? [cause] : [];
  });
  const more = before.slice(start + 1).map((line) => line.trim());
  return {
    exception: name.exception,
    message: [name.message.replace(/\s*(?:--->|---&gt;).*$/, ''), ...more].filter(Boolean).join(' '),
    cause: inner.at(-1) ?? inlineCause(name.message),
  };
}

/** .NET writes 'Outer: text ---> Inner: text' on one line. */
function inlineCause(message: string): Trace['cause'] {
  const inner = message.split(/\s*(?:--->|---&gt;)\s*/).at(-1) ?? '';
  return inner === message ? null : (readName(inner) ?? null);
}

function readName(text: string): { exception: string; message: string } | undefined {
  const bounded = beginning(text);
  const dotted = dottedName.exec(bounded);
  const match = dotted ?? named.exec(bounded);
  return match?.[1] ? { exception: match[1], message: (match[2] ?? '').trim() } : undefined;
}

/** The last line of a traceback names the exception; of several tracebacks the last is what was raised. */
function pythonHead(lines: string[]): Head | undefined {
  const raised: { exception: string; message: string }[] = [];
  let inside = false;
  for (const line of lines) {
    if (/Traceback \(most recent call last\):/.test(line)) inside = true;
    else if (inside) {
      const match = /^(?:\|\s*)?([A-Za-z_][\w.]*)(?:: (.*))?$/.exec(line.trimEnd());
      if (!match?.[1]) continue;
      raised.push({ exception: match[1], message: match[2] ?? '' });
      inside = false;
    }
  }
  const outer = raised.at(-1);
  return outer && { ...outer, cause: raised.length > 1 ? (raised[0] ?? null) : null };
}

function goHead(lines: string[]): Head | undefined {
  const start = lines.find((line) => goStart.test(line));
  const match = goStart.exec(start ?? '');
  if (!match)
    return lines.some((line) => goroutine.test(line))
      ? { exception: 'goroutine', message: '', cause: null }
      : undefined;
  return {
    exception: match[1] ?? 'panic',
    message: (match[2] ?? '').replace(/ \[recovered\]$/, '').trim(),
    cause: null,
  };
}

const goStart = /(?:^|\s)(panic|fatal error): (.*)$/;
const goroutine = /^goroutine \d+ (?:gp=\S+ m=\S+ (?:mp=\S+ )?)?\[[^\]]+\]:/;
const traceback = /Traceback \(most recent call last\):/;

/** Whether a trace may begin with this line: it names an exception, or is such a beginning by its form. */
export function traceStarts(text: string): boolean {
  if (text.includes('\n')) return true;
  const line = beginning(text);
  return traceback.test(line) || goStart.test(line) || goroutine.test(line) || readName(line) !== undefined;
}

/** Whether `text` goes on with the trace of which `parts` were read. */
export function traceContinues(parts: string[], text: string): boolean {
  const line = beginning(text.split('\n', 1)[0] ?? '');
  if (/^\s+at \S|^\s*\.\.\. \d+ (?:more|common frames omitted|lines matching)/.test(line)) return true;
  if (
    causedBy.test(line) ||
    dotnetInner.test(line) ||
    /^\s*--- End of (?:inner exception )?stack trace/.test(line)
  ) {
    return true;
  }
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (traceback.test(first)) return pythonContinues(parts, last, line);
  if (goStart.test(first) || goroutine.test(first)) return goContinues(line);
  // Node prints what else an error carries, in braces
  const carried = /^\s*[{}]\s*$|^\s{2,}\w+: |^\s+\[cause\]/.test(line);
  return carried && parts.some((part) => /^\s+at \S/.test(part));
}

function pythonContinues(parts: string[], last: string, line: string): boolean {
  const chained = /^(?:During handling of the above exception|The above exception was the direct cause)/;
  if (/^\s+\S/.test(line) || chained.test(line)) return true;
  // another traceback belongs to this one only where a sentence between them says so
  if (traceback.test(line)) return chained.test(parts.findLast((part) => part.trim() !== '') ?? '');
  if (line.trim() === '') return parts.length > 1;
  // the line after the last frame names the exception, and ends that traceback
  return /^\s/.test(last) && /^[A-Za-z_][\w.]*(?:: |$)/.test(line);
}

function goContinues(line: string): boolean {
  return (
    line.trim() === '' ||
    goroutine.test(line) ||
    /^\s+\S+\.(?:go|s):\d+/.test(line) ||
    /^(?:created by )?[\w./*()[\]{}~%@-]+(?:\(.*\)| in goroutine \d+)\s*$/.test(line) ||
    /^\[signal |^\tpanic: |^exit status \d+$/.test(line)
  );
}
