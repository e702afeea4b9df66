import { shownValue, visible } from './shown-text.ts';
import { fillTemplate, placeholders } from './template.ts';

/** A URL with its variables filled in. */
export interface FilledUrl {
  url: URL;
  /** True when a value had a say in the host or port: then the host has to be allowed by name or address. */
  hostFromVariable: boolean;
}

/** What is wrong with a URL's text before it has values, or undefined. */
export function urlTemplateProblem(template: string): string | undefined {
  const found = placeholders(template);
  if (isWholeVariable(template)) return undefined;
  const scheme = /^https?:\/\//i.exec(template)?.[0];
  if (!scheme) return 'a url begins with http:// or https://, or it is one variable as a whole';
  const authority = authorityOf(template, scheme.length);
  if (authority.text.includes('@')) {
    return "credentials do not belong in a url; write them as a header, e.g. authorization: 'Bearer {{token}}'";
  }
  return found.length > 0 || URL.canParse(template)
    ? undefined
    : 'this is no valid url; write it as http(s)://host/path';
}

/**
 * The URL with encoded values: in the path, query and fragment a value is one piece of text. Throws RangeError,
 * with the reason, where a value does not make a URL or would leave its place in the path.
 */
export function fillUrl(template: string, values: Readonly<Record<string, string>>): FilledUrl {
  if (isWholeVariable(template)) {
    const url = parseUrl(fillTemplate(template.trim(), values));
    return { url, hostFromVariable: true };
  }
  const scheme = /^https?:\/\//i.exec(template)?.[0] ?? '';
  const authority = authorityOf(template, scheme.length);
  const hostFromVariable = placeholders(authority.text).length > 0;
  const host = fillTemplate(authority.text, values);
  if (hostFromVariable && !/^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.test(host)) {
    throw new RangeError(
      `'${host}' is no host; expected a name or address, and a port after ':' if there is one`,
    );
  }
  const rest = template.slice(authority.end);
  const filled = fillTemplate(rest, values, encodeURIComponent);
  const [pathTemplate = ''] = rest.split(/[?#]/, 1);
  const [path = ''] = filled.split(/[?#]/, 1);
  const segments = path.split('/');
  for (const [index, segment] of pathTemplate.split('/').entries()) {
    if (placeholders(segment).length > 0 && /^\.{1,2}$/.test(segments[index] ?? '')) {
      throw new RangeError(`the value '${segments[index]}' would leave its place in the path of ${template}`);
    }
  }
  return { url: parseUrl(`${scheme}${host}${filled}`), hostFromVariable };
}

/** For people: a masked value makes no host, so there the text is shown as it would be filled in. */
export function shownUrl(template: string, values: Readonly<Record<string, string>>): string {
  try {
    return visible(fillUrl(template, values).url.href);
  } catch {
    return fillTemplate(visible(template), values, shownValue);
  }
}

function parseUrl(text: string): URL {
  const problem = urlProblem(text);
  if (problem) throw new RangeError(problem);
  return new URL(text);
}

export function urlProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return `'${text}' is no valid url; write it as http(s)://host/path`;
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return `'${text}' is neither an http nor an https url`;
  }
  if (url.username !== '' || url.password !== '') {
    return `the url of ${url.host} holds credentials; pass them as a header`;
  }
  return undefined;
}

function isWholeVariable(template: string): boolean {
  const trimmed = template.trim();
  const [only] = placeholders(trimmed);
  return only?.start === 0 && only.end === trimmed.length;
}

/** Host and port: up to the first '/', '?', '#' or '\' (which a URL parser reads as '/'). */
function authorityOf(template: string, start: number): { text: string; end: number } {
  const length = template.slice(start).search(/[/?#\\]/);
  const end = length === -1 ? template.length : start + length;
  return { text: template.slice(start, end), end };
}
