/** What a script can tell by; documented in docs/cli.md. */
export const exitCodes = {
  done: 0,
  /** The answer is no: invalid, different, failed, rolled back, refused. */
  negative: 1,
  /** The command line or its environment is wrong; nothing was asked. */
  usage: 2,
  notAuthorised: 3,
  /** Holdfast did not answer, or not as itself: asking again later may help. */
  unreachable: 4,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends the command with this exit code; the message is for whoever typed it. */
export class CliError extends Error {
  override name = 'CliError';
  readonly exitCode: ExitCode;
  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** What was typed cannot be meant; the message says what to type. */
export class UsageError extends CliError {
  override name = 'UsageError';
  constructor(message: string) {
    super(exitCodes.usage, message);
  }
}
