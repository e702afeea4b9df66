import { stripVTControlCharacters } from 'node:util';
import { SecretMask } from '../../domain/runbook/secret-mask.ts';

/**
 * What a step says while it runs: the first and the last part of it, with secrets masked and terminal control
 * sequences taken out. `limit` is in characters, halved between head and tail.
 */
export class StepOutput {
  private readonly limit: number;
  private readonly secrets: SecretMask;
  private head = '';
  private tail = '';
  private total = 0;
  private version = 0;
  private read = -1;

  constructor(options: { secrets: readonly string[]; limit?: number }) {
    this.limit = options.limit ?? 64 * 1024;
    this.secrets = new SecretMask(options.secrets);
  }

  /** From now on masked, also in what was said before. */
  addSecret(secret: string): void {
    this.secrets.add(secret);
    this.version += 1;
  }

  add(text: string): void {
    if (text === '') return;
    this.total += text.length;
    this.version += 1;
    const room = this.half - this.head.length;
    if (room > 0) this.head += text.slice(0, room);
    const rest = text.slice(Math.max(0, room));
    if (rest === '') return;
    this.tail += rest;
    if (this.tail.length > 2 * this.half) this.tail = this.tail.slice(-this.half);
  }

  /** A line of Holdfast's own, on a line by itself. */
  note(line: string): void {
    const last = this.tail || this.head;
    this.add(`${last === '' || last.endsWith('\n') ? '' : '\n'}${line}\n`);
  }

  /** The text if it changed since it was last taken, else undefined. */
  takeChanged(): string | undefined {
    if (this.read === this.version) return undefined;
    this.read = this.version;
    return this.text();
  }

  text(): string {
    const tail = this.tail.slice(-this.half);
    const missing = this.total - this.head.length - tail.length;
    if (missing <= 0) return this.clean(this.head + tail);
    // a secret or a control sequence that the cut divides must not show its half
    const margin = Math.max(64, this.secrets.longest);
    const left = missing + 2 * margin;
    return `${this.clean(this.head.slice(0, -margin))}\n… ${left.toLocaleString('en')} characters left out …\n${this.clean(tail.slice(margin))}`;
  }

  mask(text: string): string {
    return this.secrets.apply(text);
  }

  private get half(): number {
    return Math.floor(this.limit / 2);
  }

  private clean(text: string): string {
    const plain = stripVTControlCharacters(text).replaceAll('\r\n', '\n').toWellFormed();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: PostgreSQL stores no NUL, and pages show none of these
    return this.mask(plain.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '\ufffd'));
  }
}
