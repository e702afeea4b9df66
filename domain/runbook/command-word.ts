/** Stands in a word's text for what comes out of a variable. No command can hold it otherwise. */
export const hole = '\0';

/** A word of a command: its text without quotes, and where in it the first variable stands, if any does. */
export interface CommandWord {
  text: string;
  variableAt?: number;
  /** It begins with an expansion outside of quotes: in the end it may be no word, or many. */
  splits?: boolean;
}

export interface WordProblem {
  index: number;
  message: string;
}

export function isVariable(word: CommandWord | undefined): boolean {
  return word?.variableAt !== undefined;
}
