import { describe, expect, test } from 'vitest';
import { processorMs } from '../../test/harness/processor-time.ts';
import { forbids, permits } from './command-pattern.ts';
import { argvCommands, shellCommands } from './shell-commands.ts';

/** A shell line, or a program with its arguments. */
type Given = string | string[];
const commands = (given: Given) => (typeof given === 'string' ? shellCommands(given) : argvCommands(given));
const denied = (pattern: string, given: Given) =>
  commands(given).some((command) => forbids(pattern, command));
const allowed = (patterns: string[], given: Given) =>
  commands(given).every((command) => patterns.some((pattern) => permits(pattern, command)));

describe('a deny pattern finds its command', () => {
  test.for<Given[]>([
    ["# don't wait\nreboot"],
    ["true;# don't\nreboot"],
    ["cat <<E\nit's\nE\nreboot"],
    ["cat <<-'E' >x\n\tit's\n\tE\nreboot"],
    ['cat <<A <<B\n"\nA\n\'\nB\nreboot'],
    ["echo it's\nreboot"],
    ['echo "a\nreboot'],
    ['echo $(reboot'],
    ['echo `reboot'],
    ['echo ${x:-"\nreboot'],
    [['/bin/sh', '-c', "#!/bin/sh\n# let's go\nreboot\n", 'sh']],
  ])('behind a quote that is none or that nothing closes: %j', ([given]) => {
    expect(denied('reboot', given!)).toBe(true);
  });

  test.for<Given[]>([
    ['sh <<E\nsync; reboot\nE'],
    ['sudo bash -s <<E\nsync; reboot\nE'],
    ["cat <<'E' | sh\nsync; reboot\nE"],
    ["cat <<'E' |\nsync; reboot\nE\nsh"],
    ['ssh db-1 <<E\nsync; reboot\nE'],
    ['bash <<< "sync; reboot"'],
    ['if true; then sh; fi <<E\nsync; reboot\nE'],
    ['python3 <<E\nos.system("reboot")\nE'],
    ['cat <<E\n$(reboot)\nE'],
    ['cat <<E\n"`reboot`\nE'],
  ])('in a here-document that is run: %j', ([given]) => expect(denied('reboot', given!)).toBe(true));

  test.for<Given[]>([
    [['sudo', 'reboot']],
    [['env', 'reboot']],
    [['timeout', '5', 'reboot']],
    [['bash', '-c', '--', 'reboot']],
    [['bash', '-c', '--', 'sync; reboot']],
    [['bash', '-c', '-e', 'sync; reboot']],
    [['bash', '-o', 'errexit', '-c', 'sync; reboot']],
    [['bash', '--rcfile', 'x', '-c', 'sync; reboot']],
    [['dash', '-cx', 'sync; reboot']],
    [['env', 'bash', '-c', 'sync; reboot']],
    [['env', '-S', 'timeout 5 reboot']],
    [['busybox', 'sh', '-c', 'sync; reboot']],
    [['su', '-', 'root', '-c', 'sync; reboot']],
    [['find', '.', '-exec', 'sh', '-c', 'sync; reboot', ';']],
    [['python3', '-c', "import os\nos.system('reboot')"]],
    [['perl', '-e', 'system("reboot")']],
    [['awk', 'BEGIN { system("reboot") }']],
    [['ssh', 'db-1', 'sync; sudo reboot']],
    ["sh -c 'reboot'"],
    ["sh -c 'sync; reboot'"],
    ['sh -c "sh -c \'sync; reboot\'"'],
    ['sudo -u root reboot'],
    ['nice -n 5 reboot'],
    ['/usr/bin/env reboot'],
    ['timeout 5 reboot'],
    ['setsid reboot'],
    ['xargs reboot'],
    ['eval reboot'],
    ["eval 'sync; reboot'"],
    ["trap 'sync; reboot' EXIT"],
    ['2>&1 reboot'],
    ['> /dev/null reboot'],
    ['re\\\nboot'],
    ['r\\eb"oo"t'],
    ["$'reboot'"],
    ["$'\\x72eb\\157ot'"],
    ['$"reboot"'],
    ['cat <(reboot)'],
    ['case $x in a) reboot;; esac'],
    ['echo "$(case $x in a) reboot;; esac)"'],
    ['echo $(( $(reboot) + 1 ))'],
    ['$((reboot) | cat)'],
    ['echo "$' + '{x:-$(reboot)}"'],
    ['f() { reboot; }; f'],
    ['command=/sbin/reboot; $command'],
  ])('wherever it stands: %j', ([given]) => expect(denied('reboot', given!)).toBe(true));

  test.for<[pattern: string, given: Given]>([
    ['rm -rf *', ['sudo', '-u', 'root', '/bin/rm', '-rf', '/data']],
    ['rm -rf *', 'timeout 5 rm   -rf "/data"'],
    ['rm -rf *', ['/bin/sh', '-c', "#!/bin/sh\n# let's go\nrm -rf /data\n", 'sh']],
    ['RM -rf /data*', "echo it's\nrm -rf /data"],
    ['mkfs*', '/sbin/mkfs.ext4 /dev/sdb'],
    ['systemctl * postgresql', 'sudo systemctl stop postgresql'],
    ['* > /dev/sd*', 'cat x >/dev/sdb'],
    ['PATH=*', 'PATH=/tmp/evil ls'],
  ])('%s: %j', ([pattern, given]) => expect(denied(pattern, given)).toBe(true));

  test.for<[pattern: string, given: Given]>([
    ['reboot', 'echo "please reboot it"'],
    ['reboot', '# reboot\ntrue'],
    ['reboot', "cat <<'E' >/etc/motd\nno reboot today\nE"],
    ['reboot', 'systemctl status reboot.target'],
    ['rm', 'docker run --rm app'],
    ['rm -rf *', 'rm -r /tmp/x'],
    ['rm -rf /', 'rm -rf /tmp/x'],
  ])('and not in what only looks like it: %s, %j', ([pattern, given]) =>
    expect(denied(pattern, given)).toBe(false),
  );
});

describe('an allow list', () => {
  const some = ['systemctl', 'echo'];

  test.for<Given[]>([
    ["echo ok # it's\nrm -rf /"],
    ["echo it's"],
    ['echo "ok'],
    ['echo $(echo ok'],
    ["echo $'it\\'s'"],
    ['echo <<E\nok'],
    ['echo ok <<E\n$(rm x)\nE'],
    ["sh -c 'systemctl restart x'"],
    ['PATH=/tmp/evil systemctl restart x'],
    ['LD_PRELOAD=/tmp/e.so systemctl x'],
    ['env LD_PRELOAD=/tmp/e.so systemctl x'],
    ['sudo PATH=/tmp systemctl x'],
    [['env', 'PATH=/tmp', 'systemctl', 'x']],
    ['PATH=/tmp; systemctl x'],
    ['>/etc/passwd'],
    ['echo x > /etc/cron.d/x'],
    ['echo x 2>> /etc/x'],
    ['echo x >| /etc/x'],
    ['echo x &> /etc/x'],
    ['echo x >& /etc/x'],
    ['echo x <> /etc/x'],
    ['{ echo x; } > /etc/x'],
    ['sudo -u systemctl reboot'],
    ['nice -n systemctl reboot'],
    ['env -S systemctl reboot'],
    ['$(echo reboot)'],
    ['`echo reboot`'],
    ['$(echo sys)temctl x'],
    ['/tmp/systemctl x'],
    ['echo x | sh'],
    [['systemctl x', 'y']],
    ['case x in x) reboot;; esac'],
    ['for x in a; do reboot; done'],
    ['systemctl() { reboot; }'],
    ['trap reboot EXIT'],
  ])('of systemctl and echo does not permit %j', ([given]) => expect(allowed(some, given!)).toBe(false));

  test.for<Given[]>([
    ['systemctl restart x 2>&1 >/dev/null # it\'s time\necho "done"'],
    ['sudo -n systemctl restart x || echo failed >&2'],
    ['sudo -u root timeout 5 systemctl restart x'],
    ['if systemctl is-active x >/dev/null; then echo yes; else echo no; fi'],
    ['for unit in a b; do systemctl restart $unit; done'],
    ['case $x in a) echo a;; *) echo b;; esac'],
    ['echo "$' + '{x:-none} $((1 + 2)) $(systemctl is-active x)"'],
    ["echo <<E\nit's $fine\nE"],
    [['sudo', 'systemctl', 'restart', 'x']],
    ['{ echo a; echo b; } 2>/dev/null'],
  ])('of systemctl and echo permits %j', ([given]) => expect(allowed(some, given!)).toBe(true));

  test.for<[patterns: string[], given: Given]>([
    [['PATH=* systemctl *'], 'PATH=/opt/bin systemctl restart x'],
    [['LANG=C systemctl'], 'LANG=C systemctl status x'],
    [['LANG=C systemctl *'], ['env', 'LANG=C', 'systemctl', 'status']],
    [['echo * > /tmp/*'], 'echo x >/tmp/y'],
    [['> /var/log/app.log'], ': ; >/var/log/app.log'.slice(4)],
    [['used=*', 'df'], 'used=$(df /)'],
    [['*'], 'PATH=/tmp echo x > /etc/x'],
    [
      ['bash -c *', 'ls'],
      ['bash', '-c', 'ls -l'],
    ],
  ])('%j permits %j', ([patterns, given]) => expect(allowed(patterns, given)).toBe(true));

  test.for<[patterns: string[], given: Given]>([
    [['used=*'], 'used=1 reboot'],
    [['LANG=* systemctl *'], 'LANG=C LD_PRELOAD=/tmp/e.so systemctl x'],
    [['echo * > /tmp/*'], 'echo x > /etc/x > /tmp/y'],
    [['echo *'], 'echo x > /etc/x'],
    [['bash -c *'], ['bash', '-c', 'ls -l']],
    [['*'], "echo it's"],
  ])('%j does not permit %j', ([patterns, given]) => expect(allowed(patterns, given)).toBe(false));
});

test('what is nested without end is read to no end', () => {
  for (const piece of [
    '$(',
    '"$(',
    '${',
    '` ',
    '(',
    'eval ',
    'env -S ',
    'xargs sh -c ',
    'python -c ',
    'sh ',
    "sh -c '",
    '$((',
    'case ',
    '<<E ',
    'rm ',
  ]) {
    const text = `${piece.repeat(20_000 / piece.length)}reboot`;
    const took = processorMs(() => {
      expect(denied('reboot', text), piece).toBe(true);
      expect(denied('rm -rf *', text), piece).toBe(false);
    });
    expect(took, piece).toBeLessThan(2_000);
  }
});
