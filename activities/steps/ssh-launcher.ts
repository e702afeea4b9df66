/**
 * `becomes_gone GROUP`: within about five seconds no process of the group lives but this shell and its children; without a
 * ps that can tell, false after that time. In one line, as everything here, for csh takes no others.
 */
const becomesGone = [
  'lives() { ps -A -o pid= -o ppid= -o pgid= -o stat= 2>/dev/null | { seen=; while read -r pid parent group state; do',
  'seen=yes; [ "$group" = "$1" ] && [ "$pid" != $$ ] && [ "$parent" != $$ ] || continue;',
  'case $state in Z*|X*) ;; *) exit 0;; esac; done; [ -z "$seen" ]; }; };',
  'becomes_gone() { tries=0; while lives "$1"; do [ $tries -lt 25 ] || return 1; tries=$((tries + 1));',
  'sleep 0.2 2>/dev/null || sleep 1; done; };',
].join(' ');

/**
 * Runs the command in its own process group, with the channel as standard input: says which group it is, waits until
 * that is written down ('go'), and has a watcher beside it that ends the group when the channel closes or falls
 * silent. A command that succeeded may leave something behind, so the watcher goes; of one that failed the rest is
 * ended here. `timeout` is not everywhere: without it a silent connection counts once it breaks.
 */
const launcher = (leaseMs: number): string =>
  [
    becomesGone,
    'mark=$1; export HOLDFAST_STEP_KEY="$2" HOLDFAST_IDEMPOTENCY_KEY="$3" HOLDFAST_EXECUTION_ID="$4"; shift 4;',
    'own=$(ps -o pgid= -p $$ 2>/dev/null || cut -d" " -f5 /proc/$$/stat) || exit 125;',
    'echo "$mark" $own; read -r go && [ "$go" = go ] || exit 125; exec 3<&0 </dev/null;',
    `limit=; if timeout --foreground 5 true; then limit="timeout --foreground ${leaseMs / 1000}";`,
    `elif timeout 5 true; then limit="timeout ${leaseMs / 1000}"; fi 2>/dev/null;`,
    '( while word=$($limit dd bs=512 count=1 <&3) && [ -n "$word" ]; do :; done;',
    'trap "" TERM; kill -s TERM 0; sleep 5; kill -s KILL 0 ) >/dev/null 2>&1 & watcher=$!;',
    '"$@" 3<&-; status=$?;',
    'if [ $status = 0 ]; then kill -s KILL $watcher; exit 0; fi;',
    'trap "" TERM; kill -s TERM 0; becomes_gone $own || kill -s KILL 0;',
    // a shell says 128 and the number of the signal
    'trap - TERM; [ $status -le 128 ] || kill -$((status - 128)) $$; exit $status',
  ].join(' ');

/** TERM, after five seconds KILL, until no living process of the group is left; fails if one stays. */
const ender = [
  becomesGone,
  'lives "$1" || exit 0; kill -s TERM -- "-$1" 2>/dev/null; becomes_gone "$1" && exit 0;',
  'kill -s KILL -- "-$1" 2>/dev/null; becomes_gone "$1" || ! kill -s 0 -- "-$1" 2>/dev/null',
].join(' ');

/** As root, by sudo where the user is another one. The rest of the line are words for /bin/sh. */
const asRoot = 'if [ "$(id -u)" = 0 ]; then exec /bin/sh "$@"; else exec sudo -n -- /bin/sh "$@"; fi';

export interface RemoteStart {
  /** What the line that names the group begins with: nobody else knows it. */
  mark: string;
  key: string;
  idempotencyKey: string;
  executionId: string;
  sudo: boolean;
  /** Without a sign of life of the worker for so long, the watcher ends the command. */
  leaseMs: number;
}

/** The line for the user's login shell, whichever that is. */
export function startLine(argv: readonly string[], start: RemoteStart): string {
  const { mark, key, idempotencyKey, executionId, sudo, leaseMs } = start;
  return shellLine(launcher(leaseMs), [mark, key, idempotencyKey, executionId, ...argv], sudo);
}

export function endLine(group: number, sudo: boolean): string {
  return shellLine(ender, [String(group)], sudo);
}

export function shellLine(script: string, parameters: readonly string[], sudo: boolean): string {
  const words = ['-c', script, 'sh', ...parameters];
  return ['exec', '/bin/sh', ...(sudo ? ['-c', asRoot, 'sh', ...words] : words)].map(quote).join(' ');
}

/**
 * One word for any login shell. In single quotes nothing means anything but the quote itself, in fish the backslash
 * too, and in csh the exclamation mark: those stand outside, behind a backslash.
 */
function quote(word: string): string {
  if (/^[\w@+:,./-]+$/.test(word)) return word;
  return `'${word.replace(/['\\!]/g, "'\\$&'")}'`;
}
