import { expect, test } from 'vitest';
import { shellCommands } from './shell-commands.ts';

test.for<[line: string, commands: string[]]>([
  ['systemctl restart {{unit}}', ['systemctl restart {{unit}}']],
  ['cd /tmp && rm  -rf x; ls', ['cd /tmp', 'rm -rf x', 'ls']],
  ['df -h | awk "{print \\$1}" > /tmp/x', ['df -h', 'awk "{print \\$1}" >/tmp/x', 'print 1']],
  ['echo \'a; b\' "c & d"', ['echo \'a; b\' "c & d"']],
  ['echo "$(reboot now)"', ['reboot now', 'echo "$()"']],
  ['if test -f x; then rm x; fi', ['test -f x', 'rm x']],
  ['FOO=1 sudo -n env BAR=2 reboot', ['FOO=1 sudo -n env BAR=2 reboot']],
  ['echo `id`', ['id', 'echo $()']],
  ['a "$(b "$(c d)" e) f" g', ['c d', 'b "$()" e', 'a "$() f" g']],
  ['a\nb', ['a', 'b']],
])('%s', ([line, commands]) => {
  expect(shellCommands(line).map((command) => command.line)).toEqual(commands);
});

test('a program is read without its quotes', () => {
  expect(shellCommands('"/sbin/reboot" now; re\\boot').map(({ program }) => program)).toEqual([
    '/sbin/reboot',
    'reboot',
  ]);
});
