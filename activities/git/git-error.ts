import { oneLine } from '../../domain/markup.ts';

/**
 * Why a repository could not be read, for people. `away`: trying again may help; `refused`: somebody has to change
 * something first.
 */
export class GitError extends Error {
  override name = 'GitError';
  readonly kind: 'away' | 'refused';
  constructor(kind: 'away' | 'refused', message: string) {
    super(message);
    this.kind = kind;
  }

  /** From what git wrote to stderr (LC_ALL=C). */
  static from(words: string, exitCode: number | null): GitError {
    if (exitCode === 127) {
      return new GitError('refused', 'git is not installed where the worker runs: install it');
    }
    const known = meanings.find(({ pattern }) => pattern.test(words));
    if (known) return new GitError(known.kind, known.message);
    const said = words
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
    const last = said.findLast((line) => /^(fatal|error|remote):/.test(line)) ?? said.at(-1);
    const reason = last ?? `it ended with code ${exitCode ?? 'none'} and said nothing`;
    return new GitError('away', `git could not read the repository: ${oneLine(reason, 300)}`);
  }
}

const meanings: { pattern: RegExp; kind: 'away' | 'refused'; message: string }[] = [
  {
    pattern:
      /terminal prompts disabled|Authentication failed|returned error: 40[13]|HTTP Basic: Access denied/i,
    kind: 'refused',
    message:
      'the repository asks for a credential, or refuses the one that it was given: see that the secret is a password or token that may read it',
  },
  {
    pattern: /Permission denied \((publickey|password|keyboard)/i,
    kind: 'refused',
    message:
      'the repository refuses the key: add its public half to the repository as a deploy key that may read',
  },
  {
    pattern: /Load key .*(invalid format|error in libcrypto)|invalid private key/i,
    kind: 'refused',
    message: 'the secret is no private key in OpenSSH or PEM format without a passphrase',
  },
  {
    pattern: /Host key verification failed|no matching host key|No \w+ host key is known/i,
    kind: 'refused',
    message:
      "the host's key is not known: check it, then add it to the file in HOLDFAST_SSH_KNOWN_HOSTS of the worker (ssh-keyscan HOST shows it)",
  },
  {
    pattern: /transport '\w+' not allowed/i,
    kind: 'refused',
    message:
      'repositories on this machine are not read: set HOLDFAST_GIT_ALLOW_FILE=on, or write an https or ssh URL',
  },
  {
    pattern: /returned error: 30\d|unable to update url base from redirection/i,
    kind: 'refused',
    message:
      'the host sends readers of this URL elsewhere, which Holdfast does not follow: write the URL that the host shows for cloning, mostly with .git at its end',
  },
  {
    pattern:
      /repository .*not found|returned error: 404|does not appear to be a git repository|not found\.?$/im,
    kind: 'refused',
    message: 'there is no repository at this URL, or the credential may not see it',
  },
  {
    pattern: /couldn't find remote ref/i,
    kind: 'refused',
    message: 'the branch is not there: push it, or write the name of another one',
  },
  { pattern: /Could not resolve host/i, kind: 'away', message: 'the name of the host is not known to DNS' },
  {
    pattern:
      /Connection refused|Failed to connect|Couldn't connect|No route to host|Network is unreachable|Connection timed out|Operation timed out/i,
    kind: 'away',
    message: 'the host does not answer',
  },
];
