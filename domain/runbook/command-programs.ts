/** What is known of programs that read an argument, or their input, as code, and of those that run another program. */

const names = (text: string): string[] => text.trim().split(/\s+/);

/** A program that reads code: which of its options take it, and which of its words are it. */
export interface Interpreter {
  /** Letters of options that take code, or the name of a file with it. */
  code: string;
  longCode: readonly string[];
  flags: string;
  /** Letters of options that take a word that is no code. */
  takes: string;
  /** Of those, the ones whose word may be a variable: where to connect to, as whom. */
  open?: string;
  longOpen?: readonly string[];
  longFlags?: readonly string[];
  /** What its first word that is no option is: code or a file with it, or neither. */
  first: 'code' | 'other';
  /** Options are still read after an option with code. */
  continues?: true;
  /** They are read behind its other words too. */
  anywhere?: true;
  /** The code is no word of its option: it is the first one that is no option, and the rest are its parameters. */
  shell?: true;
}

const shell: Interpreter = {
  code: 'c',
  longCode: ['command'],
  flags: 'abefghiklmnpqrstuvwxyzBEHILPVX',
  takes: 'oO',
  longFlags: names('login posix norc noprofile restricted verbose interactive'),
  first: 'code',
  shell: true,
};
/** Words that stand for the shell's user, a terminal's file…: only an option says that something is run. */
const byOption = (flags: string, takes: string, longCode: readonly string[]): Interpreter => ({
  code: 'c',
  longCode,
  flags,
  takes,
  first: 'other',
  continues: true,
});
const language = (code: string, flags: string, takes = ''): Interpreter => ({
  code,
  longCode: ['eval', 'print', 'run', 'process-code'],
  flags,
  takes,
  first: 'code',
  continues: true,
});
const client = (flags: string, open: string): Interpreter => ({
  code: 'cef',
  longCode: ['command', 'eval', 'execute', 'file', 'init-command'],
  flags,
  takes: open,
  open,
  longOpen: ['host', 'port', 'username', 'user', 'dbname', 'database'],
  first: 'other',
  continues: true,
});
const python: Interpreter = {
  code: 'cm',
  longCode: [],
  flags: 'bBdEhiIOPqRsSuvx',
  takes: 'WX',
  first: 'code',
};

const interpreters: readonly [pattern: RegExp, interpreter: Interpreter][] = [
  [
    /^(?:sh|r?bash|dash|ash|hush|r?ksh|mksh|lksh|oksh|pdksh|zsh|yash|t?csh|posh|osh|ysh|nu|rc|es|elvish|xonsh)$/,
    shell,
  ],
  [/^fish$/, { ...shell, flags: 'ilnNPv', takes: 'CdDfo' }],
  [/^(?:pwsh|powershell)$/, { code: 'f', longCode: ['file'], flags: '', takes: '', first: 'other' }],
  [/^(?:python|pypy|jython|micropython|ipython)$/, python],
  [/^perl$/, language('eE', 'acfhnpsStTuUvwWX', 'IMm')],
  [/^j?ruby$/, language('e', 'acdhlnpsSvwy', 'rI')],
  [/^(?:node|nodejs|ts-node|tsx)$/, language('ep', 'ichv', 'r')],
  [/^php$/, language('rBREFf', 'ahilmnsvwq', 'dcz')],
  [/^(?:osascript|Rscript|julia|guile|groovy)$/, language('ec', 'v')],
  // their options run code beside a file of it
  [
    /^(?:lua|luajit|tclsh|wish|expect|elixir|swipl|jshell|racket)$/,
    { ...language('', 'v', 'elLcrf'), longCode: [] },
  ],
  [
    /^(?:sed|gsed|ssed)$/,
    {
      ...language('ef', 'nrsuzbEi', 'l'),
      anywhere: true,
      longCode: ['expression', 'file'],
      longFlags: names('quiet silent regexp-extended in-place separate null-data posix sandbox unbuffered'),
    },
  ],
  [
    /^(?:[gmn]?awk|original-awk|bioawk)$/,
    { ...language('ef', 'bcCdghnOprsStV', 'vFil'), anywhere: true, longCode: ['source', 'file', 'exec'] },
  ],
  [/^(?:psql|pgcli)$/, client('aAbEHlnqsStVwWxX', 'hpUd')],
  [/^(?:mysql|mariadb|mycli)$/, client('ABCGHLNnqrstVvwX', 'hPuDS')],
  [/^(?:mongosh|mongo|clickhouse-client|cqlsh)$/, client('', 'hpu')],
  [/^su$/, byOption('lmpPf', 'gGsw', ['command', 'session-command'])],
  [/^script$/, byOption('aefqO', 'EomT', ['command'])],
];

export const byOptionOnly = byOption('lmpfPTsxenouFv', 'ugGwE', ['command', 'session-command']);

export function interpreterOf(name: string): Interpreter | undefined {
  return interpreters.find(([pattern]) => pattern.test(name))?.[1];
}

/** A program that runs the program which stands among its words. */
export interface Wrapper {
  flags?: string;
  /** Letters of options that take a word. */
  takes?: string;
  long?: readonly string[];
  longFlags?: readonly string[];
  /** How many words come before the program: a duration, a folder, a container. */
  before?: number;
  assignments?: true;
  /** It takes code by -c. */
  code?: true;
}

const inContainer: Wrapper = {
  flags: 'itdqTP',
  takes: 'uewvnchlpmf',
  long: names(
    'user env workdir env-file volume network name namespace container context kubeconfig image label memory cpus platform target publish restart',
  ),
  longFlags: names('interactive tty detach stdin rm privileged init read-only quiet no-deps'),
  before: 1,
};
const plainWrapper: Wrapper = {};
const afterOneWord: Wrapper = { before: 1 };

const wrappers = new Map<string, Wrapper>([
  [
    'sudo',
    {
      flags: 'ABbEHiKkNnPSsVv',
      takes: 'CDghpRrTtUu',
      long: names('user group host prompt chdir chroot role type'),
      longFlags: names('non-interactive login preserve-env set-home stdin background'),
      assignments: true,
    },
  ],
  ['doas', { flags: 'Lns', takes: 'aCu', assignments: true }],
  [
    'env',
    {
      flags: 'i0v',
      takes: 'uCP',
      long: ['unset', 'chdir'],
      longFlags: ['ignore-environment', 'null', 'debug'],
      assignments: true,
    },
  ],
  [
    'timeout',
    {
      flags: 'fpv',
      takes: 'ks',
      long: ['signal', 'kill-after'],
      longFlags: ['foreground', 'preserve-status', 'verbose'],
      before: 1,
    },
  ],
  ['exec', { flags: 'cl', takes: 'a' }],
  ['command', { flags: 'p' }],
  [
    'time',
    {
      flags: 'apvlqh',
      takes: 'fo',
      long: ['format', 'output'],
      longFlags: ['portability', 'verbose', 'append'],
    },
  ],
  [
    'xargs',
    {
      flags: '0rtpxo',
      takes: 'aEILnPsdSRJ',
      long: names('arg-file max-args max-procs max-lines delimiter max-chars'),
      longFlags: names('null no-run-if-empty verbose interactive exit'),
    },
  ],
  ['chroot', { long: ['userspec', 'groups'], longFlags: ['skip-chdir'], before: 1 }],
  ['nice', { takes: 'n', long: ['adjustment'] }],
  ['ionice', { flags: 't', takes: 'cn', long: ['class', 'classdata'], longFlags: ['ignore'] }],
  ['setsid', { flags: 'cfw', longFlags: ['ctty', 'fork', 'wait'] }],
  ['stdbuf', { takes: 'ioe', long: ['input', 'output', 'error'] }],
  [
    'nsenter',
    {
      flags: 'aFZVhmuinpUCT',
      takes: 'tSG',
      long: ['target', 'setuid', 'setgid'],
      longFlags: names('all mount uts ipc net pid cgroup no-fork preserve-credentials'),
    },
  ],
  [
    'unshare',
    {
      flags: 'muinpUCTfrc',
      takes: 'RwSG',
      long: ['root', 'wd'],
      longFlags: names('mount uts ipc net pid user fork map-root-user mount-proc'),
    },
  ],
  [
    'systemd-run',
    {
      flags: 'tPGqrdS',
      takes: 'pEMHu',
      long: names(
        'unit property description slice setenv working-directory uid gid on-active on-calendar service-type',
      ),
      longFlags: names('user system scope wait pipe pty collect quiet no-block remain-after-exit same-dir'),
    },
  ],
  [
    'runuser',
    {
      flags: 'lmpfPT',
      takes: 'ugGsw',
      long: ['user', 'group'],
      longFlags: ['login', 'preserve-environment'],
      code: true,
    },
  ],
  ['strace', { flags: 'cCdfFhiknqrtTvVwxyYzZ', takes: 'abeOpPsSuEIX' }],
  ['taskset', { flags: 'ac', before: 1 }],
  ['chrt', { flags: 'abfiorRv', before: 1 }],
  [
    'flock',
    {
      flags: 'sxenouFv',
      takes: 'wE',
      long: ['timeout', 'conflict-exit-code'],
      longFlags: names('shared exclusive nonblock nb close no-fork verbose'),
      before: 1,
      code: true,
    },
  ],
  ['sshpass', { flags: 'eVhv', takes: 'fdpP' }],
  ['ssh', { flags: '46AaCfGgKkMNnqsTtVvXxYy', takes: 'BbcDEeFIiJLlmOopPQRSWw', before: 1 }],
  ...names(`
    nohup builtin busybox toybox setpriv numactl cgexec firejail dbus-run-session catchsegv ltrace
    valgrind perf fakeroot faketime proot tini dumb-init pkexec torsocks proxychains proxychains4
    unbuffer rlwrap caffeinate eatmydata prlimit npx entr coproc chpst softlimit noglob nocorrect
    setarch linux64 linux32 runcon systemd-inhibit start-stop-daemon daemonize xvfb-run sg newgrp
  `).map((name): [string, Wrapper] => [name, plainWrapper]),
  ...names(`
    gosu su-exec setuidgid s6-setuidgid envuidgid envdir setlock bwrap systemd-nspawn cgclassify schroot
  `).map((name): [string, Wrapper] => [name, afterOneWord]),
]);

export const wrapperOf = (name: string): Wrapper | undefined => wrappers.get(name);

/** They run a program in a container, a pod, a namespace, a project, after one of `runsInside`. */
export const containerPrograms = new Set(
  names(`
    kubectl oc k3s microk8s docker docker-compose podman podman-compose nerdctl crictl ctr lxc incus ip
    machinectl nomad buildah gcloud flatpak toolbox npm pnpm yarn bundle poetry pipenv pipx uv conda mise
    direnv vagrant flyctl heroku
  `),
);
export const runsInside = new Set(['exec', 'run', 'debug', 'rsh', 'shell', 'x', 'execute-command']);
export const insideContainer = inContainer;

/** Each of their words becomes part of a command, here or on another machine. */
export const commandReaders = new Set(
  names(`
    eval source . trap alias ssh slogin rsh remsh autossh mosh dbclient plink pdsh pssh clush watch
    parallel bind complete compgen enable fc tmux screen socat make gmake gdb sqlite vi vim nvim ex ed
    emacs gnuplot m4 at batch crontab hyperfine deno bun salt cmd iex
  `),
);
/** They run what comes by their input. */
export const inputReaders = new Set(
  names(`
    at batch crontab parallel ed ex sqlite gdb bc dc pdsh make gmake m4 source . rsh slogin eval
  `),
);
/** Words that mean a program only where a program is expected: elsewhere they are everyday words. */
export const everydayWords = new Set(
  names(`
    . time watch script make command at batch ed ex rc es nu screen complete enable bind ip perf cmd x
  `),
);

/** In bash these evaluate what they are given, or they move the variables' own `$1`. */
export const shellStateCommands = new Set(
  names(`
    set shift let declare typeset local unset readonly read mapfile readarray getopts
  `),
);

/** Options of other programs that take a command, as regular expressions over the option without its value. */
export const commandOptions = new Map<string, RegExp>([
  ...['tar', 'gtar', 'bsdtar'].map((name): [string, RegExp] => [
    name,
    /^(?:--(?:t|che|us|inf|new|rs|rm)[a-z-]*|-?[A-Za-z]*[IF])$/,
  ]),
  ['rsync', /^(?:--(?:rs|re)[a-z-]*|-[A-Za-z]*[eM])$/],
  ...['scp', 'sftp', 'ssh-copy-id'].map((name): [string, RegExp] => [name, /^-[A-Za-z0-9]*[oSDF]$/]),
  ['git', /^(?:foreach|run|-[cux]|--(?:config|up|rec|ex)[a-z-]*)$/],
  ['wget', /^(?:-[A-Za-z]*e|--(?:ex|use-a|config)[a-z-]*)$/],
  ['curl', /^(?:-[A-Za-z]*K|--config)$/],
  ...['apt', 'apt-get', 'aptitude'].map((name): [string, RegExp] => [
    name,
    /^(?:-[A-Za-z]*[oc]|--(?:option|config-file))$/,
  ]),
  ['sort', /^--co[a-z-]*$/],
  ['split', /^--f[a-z-]*$/],
  ['zip', /^(?:-[A-Za-z]*TT|--unz[a-z-]*)$/],
  ['tcpdump', /^-[A-Za-z]*z$/],
  ...['rpm', 'rpmbuild', 'dnf', 'yum'].map((name): [string, RegExp] => [
    name,
    /^(?:-[A-Za-z]*[ED]|--(?:ev|def|pipe|setopt)[a-z-]*)$/,
  ]),
  ...['nc', 'ncat', 'netcat'].map((name): [string, RegExp] => [
    name,
    /^(?:-[A-Za-z]*[ec]|--(?:exec|sh-exec|lua-exec))$/,
  ]),
  ['nmap', /^--(?:script|datadir)[a-z-]*$/],
  ['aws', /^--(?:par|com|cli)[a-z-]*$/],
  ['gcloud', /^--(?:com|ssh)[a-z-]*$/],
  ['az', /^--(?:scr|com)[a-z-]*$/],
  ['helm', /^--post[a-z-]*$/],
  ['nginx', /^-[A-Za-z]*g$/],
  ...['ansible', 'ansible-playbook'].map((name): [string, RegExp] => [
    name,
    /^(?:-[A-Za-z]*[aem]|--(?:arg|ext|mod|ssh|scp|sftp)[a-z-]*)$/,
  ]),
  ['java', /^-(?:XX|D|javaagent|agent|cp|class|jar).*$/],
  ...['test', '[', 'printf'].map((name): [string, RegExp] => [name, /^-[vR]$/]),
  ['man', /^(?:-[A-Za-z]*[PH]|--(?:pager|html)[a-z-]*)$/],
  ['strace', /^(?:-[A-Za-z]*o|--output)$/],
  ['env', /^(?:-[A-Za-z0-9]*S.*|--sp[a-z-]*)$/],
]);

/** What such an option is called by a program that is not known. */
export const commandOption = /^--?(?:[a-z-]*-)?(?:command|cmd|exec|execute|eval|shell|rsh)$/;

/** Nothing that they are given is run, so their words are not searched for programs. */
export const plainPrograms = new Set([
  ...names(`
    systemctl journalctl service echo printf test [ true false : grep egrep fgrep zgrep pgrep pkill
    pidof kill killall ps ls cat head tail wc cut tr df du cp mv rm ln mkdir rmdir touch chmod chown
    chgrp stat basename dirname readlink realpath id which whereis type hash cd sleep date uname
    hostname ping dig host nslookup curl wget tee sort uniq diff cmp gzip gunzip zcat bzip xz logger
    logrotate lsof fuser ss mount umount tar gtar bsdtar rsync scp apt apt-get dnf yum apk dpkg rpm
    pg_ctl pg_isready pg_dump createdb dropdb mysqladmin mysqldump helm aws gcloud az export exit return
    find git jq yq sha256sum md5sum seq printenv getent usermod useradd truncate fallocate dd sync
    supervisorctl rabbitmqctl nginx jstack jmap
  `),
  ...containerPrograms,
]);

/** What is read from the environment as a command or as the way to one. */
export const commandVariable =
  /^(?:LD_\w+|PATH|ENV|BASH_ENV|IFS|PS4|PROMPT_COMMAND|SHELLOPTS|BASHOPTS|SHELL|PERL5\w+|RUBY(?:OPT|LIB)|NODE_(?:OPTIONS|PATH)|PYTHON\w+|GIT_\w+|PAGER|EDITOR|VISUAL|MANPAGER|LESSOPEN|LESSCLOSE|MAKEFLAGS|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|RSYNC_RSH|CVS_RSH|TAR_OPTIONS)\+?=/;

/** The program's own name: without its folder and the version behind it. */
export function programName(word: string): string {
  const name = word.slice(word.lastIndexOf('/') + 1).replace(/\.exe$/i, '');
  return name === '' || /^[\d.]+$/.test(name) ? name : name.replace(/(?<=[A-Za-z])-?\d[\d.]*$/, '') || name;
}
