import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { processorMs } from '../../test/harness/processor-time.ts';
import { parseRunbook } from './parse.ts';
import { argvProblem, compileShellLine } from './shell-line.ts';
import { readForm, renderForm } from './step-types/command-form.ts';

const refusal = (text: string) => {
  const result = compileShellLine(text);
  return 'problems' in result ? result.problems.map(({ message }) => message).join('; ') : 'accepted';
};
/** The words of a line without operators, as a list has them. */
const wordsOf = (text: string): string[] =>
  execFileSync('/bin/sh', ['-c', `printf '%s\\037' ${text}`], { encoding: 'utf8' })
    .split('\u001f')
    .slice(0, -1);
const simple = (text: string) =>
  !/[|;&<>()$\n`]|^[A-Z]+=/.test(text.replaceAll(/'[^']*'/g, '').replaceAll('\\;', ''));

const refused = [
  'bash -cx {{x}}',
  'sh -c -- {{x}}',
  'bash -c -e -- {{x}}',
  'bash -c +x {{x}}',
  'psql -c -A {{x}}',
  'sh -c 2>&1 {{x}}',
  '2>&1 eval {{x}}',
  'sudo {{x}}',
  'sudo -u app {{x}}',
  'env {{x}}',
  'timeout 5 {{x}}',
  'nohup {{x}}',
  'exec {{x}}',
  'xargs {{x}}',
  'chroot / {{x}}',
  'find . -exec {{x}} \\;',
  'kubectl exec p -- {{x}}',
  'docker exec -u app web {{x}}',
  'sshpass -p pw ssh h {{x}}',
  'setsid ssh h {{x}}',
  'flock l -c {{x}}',
  'flock l {{x}}',
  'script -c {{x}}',
  'script -qc {{x}} /dev/null',
  'node -p {{x}}',
  'perl -ne{{x}}',
  'sed -n p --expression={{x}}',
  'sed -n p --expr={{x}} file',
  'su --session-command {{x}}',
  'su app -c {{x}}',
  'builtin eval {{x}}',
  'pwsh -Command {{x}}',
  "pwsh -Command 'Write 1' {{x}}",
  'mongosh --eval {{x}}',
  'tar xf a --to-command={{x}}',
  'tar xf a --to-command {{x}}',
  'rsync -e {{x}} a b',
  'rsync -ae {{x}} a b',
  'echo {{x}} | sh',
  'echo {{x}} | sudo sh',
  'echo {{x}} | bash -s',
  'echo {{x}} | bash -s -- a',
  'echo {{x}} | xargs',
  'echo {{x}} | xargs sudo',
  'echo {{x}} | xargs sh -c',
  "echo {{x}} | xargs -I{} sh -c 'echo {}'",
  '(echo {{x}}) | sh',
  '{ echo {{x}}; } | sh',
  'if true; then echo {{x}}; fi | sh',
  'for i in 1 2; do echo {{x}}; done | tee a | sh',
  'echo {{x}} | (cat | sh)',
  'echo {{x}} | while read a; do eval $a; done',
  'echo {{x}} | { read a; $a; }',
  'sh -c \'eval "$1"\' sh {{x}}',
  "sh -c 'eval $@' sh {{x}}",
  'sh -c \'. "$1"\' sh {{x}}',
  'sh -c \'"$@"\' sh {{x}}',
  'sh -c \'a=$1; sh -c "$a"\' sh {{x}}',
  'sh -c \'ssh h "$1"\' sh {{x}}',
  'A={{x}}; eval $A',
  'A={{x}}; $A',
  'A={{x}}; sh -c "$A"',
  'export A={{x}}; bash -c "$A"',
  'A=$(echo {{x}}); eval "$A"',
  'eval $(echo {{x}})',
  'sh -c $(echo {{x}})',
  'sudo $(echo {{x}})',
  'A={{x}}; timeout $A ls',
  'for f in {{x}}; do $f; done',
  'ssh h ls {{x}}',
  'watch ls {{x}}',
  'cmd &> /dev/null {{x}}',
  'sh -c &> a {{x}}',
  'bash <(echo {{x}})',
  'cat < {{x}} | sh',
  'sh <<< {{x}}',
  'env -S {{x}}',
  "env -S 'bash -c' {{x}}",
  'PATH={{x}} ls',
  "find {{x}} -exec sh -c 'echo {}' \\;",
  'find {{x}} -exec {} \\;',
  '/bin/bash -lc {{x}}',
  'busybox sh -c {{x}}',
  'python3.12 -c {{x}}',
  'python3 {{x}}',
  'foo bash -c {{x}}',
  'foo eval {{x}}',
  'command . {{x}}',
  '. {{x}}',
  'source {{x}}',
  'echo {{x}} | psql',
  'echo {{x}} | sudo -u postgres psql -X',
  'printf -v {{x}} a',
  'read {{x}}',
  'echo {{x}} | ssh h',
  'echo {{x}} | ssh -p 22 h sh',
  'time {{x}}',
  'nice -n 5 {{x}}',
  'ionice -c2 {{x}}',
  'stdbuf -o0 {{x}}',
  'systemd-run --unit a {{x}}',
  'runuser -u app -- {{x}}',
  'runuser -u app -- sh -c {{x}}',
  'runuser app -c {{x}}',
  'doas -u a {{x}}',
  'parallel echo {{x}} ::: a',
  'strace -f {{x}}',
  'nsenter -t 1 -m {{x}}',
  'unshare -n {{x}}',
  'bash -o pipefail {{x}}',
  'sh -{{x}} a',
  'sudo -{{x}} a',
  "bash -c 'echo $(( $1 ))' sh {{x}}",
  "mysql -e 'select 1' -e {{x}}",
  'awk {{x}} file',
  "awk -v {{x}} '{print}'",
  'make {{x}}',
  'git -c {{x}} status',
  'kubectl exec -it p -n ns -- sh -c {{x}}',
  'trap {{x}} EXIT',
  'sudo env A=1 timeout -k 1 5 {{x}}',
  'sh -c \'a=$1\nfor b in $a; do eval "$b"; done\' sh {{x}}',
  'echo {{x}} | while read -r a; do sh -c "$a"; done',
  'psql -v a={{x}} -f file',
  'sudo A=1 {{x}}',
  'lxc exec c -- {{x}}',
  'perl -e 1 -M{{x}}',
  'node -r ./a.js {{x}}',
  'node --require ./a.js {{x}}',
  'perl -MFoo {{x}}',
  'ruby -r json {{x}}',
  'php -d a=b {{x}}',
  "lua -e 'print(1)' {{x}}",
  'fish -C ls {{x}}',
  'fish --init-command ls {{x}}',
  'awk -i a {{x}}',
  'deno eval {{x}}',
  'node -e 1 -e {{x}}',
  'perl -e 1 -e {{x}}',

  'find . -name x -ok {{x}} \\;',
  "su {{x}} -c 'ls'",
  'docker run --entrypoint {{x}} image',
  'sh \\\n -c {{x}}',
  'sh \\\n-c {{x}}',
  'ev\\\nal {{x}}',
  'sudo \\\n{{x}}',
  "sh -c\u00a0'true' {{x}}",
  "sudo -u '1'>out {{x}}",
  'a[{{x}}]=1',
  `a={{x}}; echo $\{!a}`,
  `a={{x}}; echo $\{a@P}`,
  'printf -v a %s {{x}}; eval $a',
  'echo {{x}}; eval $_',
  'A={{x}}; echo "$(timeout $A ls)"',
  'vagrant ssh -c {{x}}',
  'echo {{x}} | perl &> out tool.pl',
  'gcloud compute ssh vm -- {{x}}',
  'tool --exec {{x}}',
  'tool --pre-command={{x}}',
  'git submodule foreach {{x}}',
];
const accepted = [
  'psql shop < {{x}}',
  'systemctl restart \\\n  {{x}}',
  'tool --name {{x}} --exec ls',
  'node /opt/x.js --name {{x}}',
  'perl a.pl -e {{x}}',
  'node -r ./a.js b.js {{x}}',
  'php a.php {{x}}',
  'lua a.lua {{x}}',
  "fish -c 'echo $argv' {{x}}",

  "bash -c 'literal script' name {{x}}",
  'bash -euo pipefail -c \'echo "$1"\' name {{x}}',
  'sudo systemctl restart {{service}}',
  'sudo -n systemctl restart {{service}}',
  'sudo -u {{user}} systemctl restart a',
  'sudo -u app /opt/x/bin/tool --flag {{x}}',
  'timeout 5 curl {{url}}',
  'timeout -k 5 {{seconds}} curl {{url}}',
  'timeout --signal=KILL 5 curl {{url}}',
  'ssh host systemctl restart a; echo {{x}}',
  'find {{dir}} -name x -delete',
  'find . -name {{x}}',
  'find {{dir}} -name x -exec rm {} +',
  'find {{dir}} -exec sh -c \'rm "$1"\' sh {} \\;',
  'psql -f file',
  'psql -h {{host}} -d {{db}} -f file',
  "psql --host={{host}} -c 'select 1'",
  "psql -c 'select 1' {{db}}",
  'grep -e {{x}}',
  'grep -e {{x}} file 2>&1 | sort',
  'docker exec {{c}} nginx -s reload',
  'docker exec -it {{c}} nginx -t 2>&1',
  'docker restart mysql {{x}}',
  'kubectl exec {{pod}} -n {{ns}} -- ls {{x}}',
  'kubectl -n {{ns}} rollout restart deployment/node',
  'kubectl get pods -l app={{x}}',
  'systemctl restart mysql {{x}}',
  'journalctl -u node --since {{x}}',
  'python3 script.py {{x}}',
  'python3 -m json.tool {{x}}',
  "perl -ne 'print' {{x}}",
  "sed -i 's/a/b/' {{x}}",
  'sed -i.bak -e s/a/b/ {{x}}',
  "sed -E 's/a/b/' {{x}}",
  "awk -F: '{print $1}' {{x}}",
  "awk -v a={{x}} '{print a}' f",
  'echo {{x}} | xargs rm',
  'echo {{x}} | xargs -n1 -I{} rm {}',
  'echo {{x}} | xargs sh -c \'echo "$@"\' sh',
  'echo {{x}} | while read a; do echo $a; done',
  "echo {{x}} | python3 -c 'import sys'",
  'echo {{x}} | psql -f file.sql',
  "systemctl stop {{x}}; echo 'select 1' | psql",
  'for f in {{x}} b; do echo $f; done',
  'A={{x}} printenv A',
  'command -v {{x}} >/dev/null || exit 1',
  'flock /run/l systemctl restart {{x}}',
  'flock -n {{lock}} systemctl restart a',
  'nice -n 5 gzip {{x}}',
  'env A={{x}} printenv A',
  'env -i A=1 printenv {{x}}',
  'if [ -n {{x}} ]; then echo {{x}} >&2; fi',
  'cmd > {{x}} 2>&1',
  'tar czf {{x}} dir',
  'rsync -a {{x}} b',
  "curl -fsS {{url}} | sh -c 'cat >/dev/null'",
  'test -d {{x}} && rm -r {{x}}/cache',
  'x=$(cat {{f}}); echo $x',
  'docker restart $(docker ps -q -f name={{x}})',
  'nohup /opt/a/start {{x}} > /dev/null 2>&1 &',
  "su -c 'systemctl restart a' {{x}}",
  'redis-cli del {{x}}',
  "runuser -u postgres -- psql -h {{h}} -c 'select 1'",
  "mysql -h {{h}} -e 'select 1' {{db}}",
  'sudo docker exec {{c}} ls',
  'xargs -a {{f}} rm',
  'apt-get install -y python3 {{x}}',
  'echo done {{x}}',
  'echo eval {{x}}',
  'echo {{x}} | ssh h cat',
];

describe('a variable that could become code', () => {
  it.each(refused)('is refused in %j, with what to write instead', (text) => {
    expect(refusal(text)).toMatch(/write|pass|put|give|call|take/);
  });

  it.each(refused.filter(simple))('is refused in %j as a list', (text) => {
    expect(argvProblem(wordsOf(text))).toBeDefined();
  });
});

describe('a variable that stays a value', () => {
  it.each(accepted)('is accepted in %j', (text) => expect(refusal(text)).toBe('accepted'));

  it.each(accepted.filter(simple))('is accepted in %j as a list', (text) => {
    expect(argvProblem(wordsOf(text))).toBeUndefined();
  });

  it('is read in no time, however long the command', () => {
    for (const word of [
      'find',
      '-exec',
      'xargs',
      'sh',
      'sudo',
      '-x',
      'docker',
      'exec',
      'flock',
      '-c',
      '{}',
    ]) {
      const words = Array.from(
        { length: 199 },
        (_, index) => [word, '-exec', 'find', 'exec'][index % 4] ?? '',
      );
      const took = processorMs(() => {
        argvProblem([...words, '{{x}}']);
        argvProblem(['a', ...words.map(() => word), '{{x}}']);
      });
      expect(took).toBeLessThan(1000);
    }
  });
});

describe('every kind of step that runs a command', () => {
  const remote = 'type: ssh, host: h, user: u, key: env:K';
  const cloud = 'type: aws_ssm, region: eu-central-1, instances: i-0123456789abcdef0';
  const problemOf = (step: string) => {
    const parsed = parseRunbook(`name: a\nsteps:\n  - {name: A, ${step}}\n`, 'a.yaml');
    return 'problems' in parsed ? parsed.problems.map(({ message }) => message).join('; ') : 'accepted';
  };

  it.each([
    'command: "bash -cx {{x}}"',
    'command: [bash, -cx, "{{x}}"]',
    'command: ls, rollback: "sudo {{x}}"',
    'command: ls, rollback: [env, "{{x}}"]',
    'script: eval "$1", args: ["{{x}}"]',
    'script: ls, interpreter: [sudo, -u, app], args: ["{{x}}"]',
    `${remote}, command: "bash -cx {{x}}"`,
    `${remote}, command: [env, "{{x}}"]`,
    `${remote}, script: eval "$1", args: ["{{x}}"]`,
    `${cloud}, commands: ["ls", "bash -cx {{x}}"]`,
    `${cloud}, commands: "echo {{x}} | sh"`,
  ])('refuses %j', (step) => expect(problemOf(step)).toMatch(/code|commands|program|input/));

  it('refuses a list that was taken in under older rules when its values are put in', () => {
    expect(() => renderForm({ argv: ['env', '{{x}}'] }, { x: 'id' })).toThrow(RangeError);
  });

  it.each(['perl', 'ruby', 'node', 'php'])(
    'gives %s its args behind what ends the options',
    (interpreter) => {
      const form = readForm({ script: 'code', interpreter, args: ['{{x}}'] });
      expect('argv' in form && form.argv.slice(2)).toEqual(['code', '--', '{{x}}']);
    },
  );
});

describe('what a script does with its parameters', () => {
  const inScript = (script: string) => argvProblem(['sh', '-c', script, 'sh', '{{x}}']);

  it.each([
    'eval "$1"',
    'eval "$@"',
    'eval $*',
    `eval "$\{1}"`,
    'source "$1"',
    '. "$1"',
    'bash -c "$1"',
    'bash -c "echo $1"',
    'ssh h "ls $1"',
    'x="$1"; eval "$x"',
    'x=$1; y=$x; eval $y',
    'for x; do eval "$x"; done',
    'while [ $# -gt 0 ]; do eval "$1"; shift; done',
    'echo "$1" | sh',
    'echo "$1" | { read x; eval "$x"; }',
    'sh <<END\necho $1\nEND',
    'sudo "$@"',
    'if true; then "$1"; fi',
    'echo $(( $1 + 1 ))',
    '[[ $1 -eq 1 ]]',
    'x=$(eval "$1")',
    'awk "{print $1}" f',
  ])('is refused where %j runs them', (script) => {
    expect(inScript(script)?.message).toMatch(/^the script that 'sh' is given here: /);
  });

  it.each([
    'echo "$1"',
    'ls "$@" | sort',
    'awk -v a="$1" \'$1 > a\' file',
    "cat <<END\nit's $1\nEND\neval ls",
    'case "$1" in sh) echo;; *) bash -c ls;; esac',
    'run() { "$@"; }; run ls "$1"',
    'for x in "$@"; do systemctl restart "$x"; done',
    '. /etc/os-release; echo "$1 $ID"',
    'eval "$(dircolors)"; ls "$1"',
    'n=0; while [ $n -lt 3 ]; do n=$((n + 1)); curl "$1"; done',
    'sed -n "1,20p" "$1"',
    '[[ "$1" == a* ]] && echo yes',
  ])('is accepted where %j does not', (script) => expect(inScript(script)).toBeUndefined());
});
