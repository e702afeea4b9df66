import type { HttpAction, RunbookDefinition, StepAction, StepDefinition } from './definition.ts';
import { renderRequest } from './render.ts';
import { masked, maskSecrets } from './secret.ts';
import { fillTemplate } from './template.ts';
import { fillUrl } from './url-template.ts';

export interface StepDescription {
  name: string;
  type: StepDefinition['type'];
  /** What will be run, exactly; secrets are masked, control characters shown as \xNN. */
  description: string;
  rollback?: string;
}

/** What an execution with these values will do, step by step. For values that `resolveInputs` gave. */
export function describeSteps(
  definition: RunbookDefinition,
  values: Readonly<Record<string, string>>,
): StepDescription[] {
  const shown = maskSecrets(definition, values);
  return definition.steps.map((step) => ({
    name: step.name,
    type: step.type,
    description: describeAction(step.action, shown),
    ...(step.rollback ? { rollback: describeAction(step.rollback.action, shown) } : {}),
  }));
}

function describeAction(action: StepAction, values: Readonly<Record<string, string>>): string {
  if (action.kind === 'command') {
    const command =
      'shell' in action.form
        ? fillTemplate(visible(action.form.shell), values, shellWord)
        : action.form.argv.map((text) => shellWord(fillTemplate(text, values))).join(' ');
    return `${action.requiresSudo ? 'sudo -n ' : ''}${command}`;
  }
  return describeRequest(action, values);
}

function describeRequest(action: HttpAction, values: Readonly<Record<string, string>>): string {
  // a masked value makes no host, so the url is shown apart from the request that is made of the rest
  const request = renderRequest({ ...action, url: 'http://url.invalid/' }, values);
  const expected = action.expectedStatus.length > 0 ? action.expectedStatus.join(' or ') : '2xx';
  return [
    `${request.method} ${shownUrl(action.url, values)}`,
    ...Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`),
    ...(request.body === undefined ? [] : ['', visible(request.body), '']),
    `expects status ${expected}`,
    ...Object.entries(request.expectJson).map(
      ([path, value]) => `expects ${path} = ${JSON.stringify(value)}`,
    ),
    ...(request.expectBody === undefined ? [] : [`expects the text ${JSON.stringify(request.expectBody)}`]),
  ].join('\n');
}

function shownUrl(template: string, values: Readonly<Record<string, string>>): string {
  try {
    return fillUrl(template, values).url.href;
  } catch {
    return visible(fillTemplate(template, values));
  }
}

/** As a shell would need it written, for people to read and copy. */
function shellWord(value: string): string {
  if (value === masked || /^[A-Za-z0-9_@%+=:,./-]+$/.test(value)) return value;
  return `'${visible(value).replaceAll("'", `'\\''`)}'`;
}

function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is made visible
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (char) => {
    return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
