import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import Handlebars from 'handlebars';
import { formatDuration } from '../../domain/duration.ts';
import type { Pauses } from '../../domain/sla/clock.ts';
import { icon } from './icons.ts';
import { absoluteText, agoText, clockText, leftText, runningText, untilText } from './moments.ts';

/**
 * The templates of the pages: read and parsed once at start, so that a syntax error ends the start and not a
 * page at night. Strict: a field that the view model lacks throws instead of leaving a hole. Everything is
 * escaped; only the helpers below make HTML, from fixed markup around escaped values.
 */
export interface Templates {
  /** HTML of the template `name` ('incidents/show') with `view`. */
  render(name: string, view: object, data: RenderData): string;
  names: string[];
}

/** What every template can read as `@name`. */
export interface RenderData {
  /** Epoch ms, for relative times. */
  now: number;
  /** The session's form token. */
  csrf?: string;
  /** Whether the visitor may act, configure, or change members and tokens. */
  operator?: boolean;
  admin?: boolean;
  owner?: boolean;
}

const webFolder = join(import.meta.dirname, '..');

export function loadTemplates(assetUrl: (name: string) => string): Templates {
  const engine = Handlebars.create();
  const compiled = new Map<string, HandlebarsTemplateDelegate>();
  for (const file of templateFiles()) {
    const name = relative(webFolder, file)
      .replaceAll(sep, '/')
      .replace(/\.hbs$/, '');
    const template = engine.compile(engine.parse(readFileSync(file, 'utf8'), { srcName: name }), {
      strict: true,
      // a command that is shown keeps its own spaces and gets no others
      preventIndent: true,
    });
    compiled.set(name, template);
    engine.registerPartial(name, template);
  }
  registerHelpers(engine, assetUrl);
  return {
    names: [...compiled.keys()],
    render(name, view, data) {
      const template = compiled.get(name);
      if (!template) throw new RangeError(`no template '${name}'`);
      return template(view, { data });
    },
  };
}

function templateFiles(): string[] {
  return readdirSync(webFolder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.hbs'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function registerHelpers(engine: typeof Handlebars, assetUrl: (name: string) => string): void {
  const escaped = engine.escapeExpression;
  const safe = (html: string) => new engine.SafeString(html);
  const time = (style: string, at: string, text: (at: number, now: number) => string, now: number) => {
    const ms = Date.parse(at);
    return safe(
      `<time datetime="${escaped(at)}" data-time="${style}" title="${absoluteText(ms)}">${escaped(text(ms, now))}</time>`,
    );
  };
  const nowOf = (options: Handlebars.HelperOptions): number => Number(options.data.now);

  engine.registerHelper({
    asset: (name: string) => assetUrl(name),
    icon: (name: string) => safe(icon(name)),
    ago: (at: string, options: Handlebars.HelperOptions) => time('ago', at, agoText, nowOf(options)),
    clock: (at: string, options: Handlebars.HelperOptions) => time('clock', at, clockText, nowOf(options)),
    until: (at: string, options: Handlebars.HelperOptions) => time('until', at, untilText, nowOf(options)),
    left: (at: string, options: Handlebars.HelperOptions) => time('left', at, leftText, nowOf(options)),
    running: (at: string, pauses: Pauses, options: Handlebars.HelperOptions) => {
      const due = Date.parse(at);
      const text = escaped(runningText(due, nowOf(options), pauses));
      const given = escaped(JSON.stringify(pauses));
      return safe(
        `<time datetime="${escaped(at)}" data-time="running" data-pauses="${given}" title="${absoluteText(due)}">${text}</time>`,
      );
    },
    absolute: (at: string, options: Handlebars.HelperOptions) =>
      time('absolute', at, (ms) => absoluteText(ms), nowOf(options)),
    duration: (ms: number) => formatDuration(ms),
    digits: (n: number) => n.toLocaleString('en-GB'),
    plural: (n: number, one: string, many: string) => `${n.toLocaleString('en-GB')} ${n === 1 ? one : many}`,
    // the last argument is what Handlebars tells every helper
    concat: (...parts: unknown[]) => parts.slice(0, -1).join(''),
    eq: (a: unknown, b: unknown) => a === b,
    not: (a: unknown) => !a || engine.Utils.isEmpty(a),
    and: (a: unknown, b: unknown) => Boolean(a) && Boolean(b),
    or: (a: unknown, b: unknown) => Boolean(a) || Boolean(b),
  });
}
