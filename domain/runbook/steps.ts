import type { z } from 'zod';
import { codeWordProblem } from './code-words.ts';
import type { CommandAction, HttpAction, JsonValue, StepAction, StepDefinition } from './definition.ts';
import { closest, issueProblems, type Place, type PlacedProblem } from './problems.ts';
import {
  type CommandStep,
  commandRollback,
  commandStep,
  commandText,
  type HttpStep,
  httpRollback,
  httpStep,
} from './schema.ts';
import { compileShellLine } from './shell-line.ts';
import { malformedPlaceholders, placeholders } from './template.ts';
import { urlTemplateProblem } from './url-template.ts';

export interface ReadStep {
  definition: StepDefinition;
  variables: string[];
}

const defaultTimeoutMs = { command: 300_000, http: 30_000 };

/** Validates the list `steps`, each step by the type that it has or that its keys show. */
export function readSteps(raw: readonly unknown[]): { steps: ReadStep[]; problems: PlacedProblem[] } {
  const problems: PlacedProblem[] = [];
  const steps = raw.flatMap((step, index) => {
    const read = readStep(step, ['steps', index]);
    problems.push(...read.problems);
    return read.step ? [read.step] : [];
  });
  return { steps, problems };
}

function readStep(raw: unknown, place: Place): { step?: ReadStep; problems: PlacedProblem[] } {
  const kind = kindOf(raw);
  if ('message' in kind) return { problems: [{ place: [...place, ...kind.at], message: kind.message }] };
  const parsed = (kind.type === 'command' ? commandStep : httpStep).safeParse(raw);
  const problems = parsed.success ? [] : issueProblems(parsed.error, raw, place);
  if (!parsed.success) return { problems };

  const step = parsed.data;
  const isCommand = step.type === 'command';
  const action = isCommand ? commandAction(step) : httpAction(step);
  problems.push(...actionProblems(action, place));
  const timeoutMs =
    step.timeout === undefined ? defaultTimeoutMs[action.kind] : Math.round(step.timeout * 1000);
  const definition: StepDefinition = {
    name: step.name,
    type: action.kind,
    timeoutMs,
    retries: step.retries,
    retryDelayMs: Math.round(step.retry_delay * 1000),
    continueOnFail: step.continue_on_fail,
    idempotent: step.idempotent,
    action,
  };
  if (step.rollback !== undefined && step.rollback !== null) {
    const undo = readRollback(step.rollback, definition, [...place, 'rollback']);
    problems.push(...undo.problems);
    if (undo.rollback) definition.rollback = undo.rollback;
  }
  const actions = [definition.action, ...(definition.rollback ? [definition.rollback.action] : [])];
  const variables = actions.flatMap((one) => templatesOf(one).flatMap(({ text }) => placeholders(text)));
  return { step: { definition, variables: [...new Set(variables.map(({ name }) => name))] }, problems };
}

function kindOf(raw: unknown): { type: 'command' | 'http' } | { at: Place; message: string } {
  if (!isRecord(raw))
    return { at: [], message: 'a step is a mapping with name and command, or name and url' };
  if (raw.command !== undefined && raw.url !== undefined) {
    return { at: ['url'], message: 'a step has a command or a url, not both; make it two steps' };
  }
  if (raw.type === 'command' || (raw.type === undefined && raw.command !== undefined))
    return { type: 'command' };
  if (raw.type === 'http' || raw.type === 'api' || (raw.type === undefined && raw.url !== undefined)) {
    return { type: 'http' };
  }
  const meant = Object.keys(raw).flatMap((key) => closest(key, ['command', 'url']) ?? [])[0];
  if (raw.type === undefined && meant) {
    return { at: [], message: `this step does nothing; did you mean '${meant}'?` };
  }
  if (raw.type === undefined)
    return { at: [], message: "this step does nothing; give it a 'command' or a 'url'" };
  return { at: ['type'], message: `'${String(raw.type)}' is no step type; write command, or http (or api)` };
}

function readRollback(
  raw: unknown,
  step: StepDefinition,
  place: Place,
): { rollback?: NonNullable<StepDefinition['rollback']>; problems: PlacedProblem[] } {
  const sudo = step.action.kind === 'command' && step.action.requiresSudo;
  let action: StepAction;
  let timeout: number | undefined;
  if (!isRecord(raw)) {
    const parsed = commandText.safeParse(raw);
    if (!parsed.success) return { problems: issueProblems(parsed.error, raw, place) };
    action = commandAction({ command: parsed.data, requires_sudo: sudo });
  } else if (raw.url === undefined) {
    const parsed = commandRollback.safeParse(raw);
    if (!parsed.success) return { problems: issueProblems(parsed.error, raw, place) };
    action = commandAction({ ...parsed.data, requires_sudo: parsed.data.requires_sudo ?? sudo });
    timeout = parsed.data.timeout;
  } else {
    const parsed = httpRollback.safeParse(raw);
    if (!parsed.success) return { problems: issueProblems(parsed.error, raw, place) };
    action = httpAction(parsed.data);
    timeout = parsed.data.timeout;
  }
  const sameKind = action.kind === step.action.kind ? step.timeoutMs : defaultTimeoutMs[action.kind];
  const at = isRecord(raw) || action.kind === 'http' ? place : place.slice(0, -1);
  const problems = actionProblems(action, at, isRecord(raw) ? 'command' : 'rollback');
  return {
    rollback: { action, timeoutMs: timeout === undefined ? sameKind : Math.round(timeout * 1000) },
    problems,
  };
}

function commandAction(
  step: Pick<CommandStep, 'command'> & { requires_sudo?: boolean | undefined },
): CommandAction {
  return {
    kind: 'command',
    form: Array.isArray(step.command) ? { argv: step.command.map(String) } : { shell: step.command },
    requiresSudo: step.requires_sudo ?? false,
  };
}

function httpAction(step: z.infer<typeof httpRollback> | HttpStep): HttpAction {
  const headers = Object.entries(step.headers ?? {}).map(([name, value]) => [
    name.toLowerCase(),
    String(value),
  ]);
  return {
    kind: 'http',
    method: step.method,
    url: step.url,
    headers: Object.fromEntries(headers),
    ...(step.body === undefined
      ? {}
      : { body: typeof step.body === 'string' ? { text: step.body } : { json: step.body } }),
    expectedStatus: step.expected_status === undefined ? [] : [step.expected_status].flat(),
    expectJson: step.expect_json ?? {},
    ...(step.expect_body === undefined ? {} : { expectBody: step.expect_body }),
  };
}

/** Every text of an action that may hold variables, and where it stands in the YAML. */
function templatesOf(action: StepAction, commandKey = 'command'): { text: string; place: Place }[] {
  if (action.kind === 'command') {
    return 'shell' in action.form
      ? [{ text: action.form.shell, place: [commandKey] }]
      : action.form.argv.map((text, index) => ({ text, place: [commandKey, index] }));
  }
  const body = action.body;
  return [
    { text: action.url, place: ['url'] },
    ...Object.entries(action.headers).map(([name, text]) => ({ text, place: ['headers', name] })),
    ...(body && 'text' in body ? [{ text: body.text, place: ['body'] }] : []),
    ...(body && 'json' in body ? jsonTexts(body.json).map((text) => ({ text, place: ['body'] })) : []),
    ...jsonTexts(action.expectJson).map((text) => ({ text, place: ['expect_json'] })),
    ...(action.expectBody === undefined ? [] : [{ text: action.expectBody, place: ['expect_body'] }]),
  ];
}

function jsonTexts(value: JsonValue): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return (Array.isArray(value) ? value : Object.values(value)).flatMap(jsonTexts);
}

/** What is wrong with the variables of an action. */
function actionProblems(action: StepAction, at: Place, commandKey = 'command'): PlacedProblem[] {
  const problems: PlacedProblem[] = templatesOf(action, commandKey).flatMap(({ text, place }) =>
    malformedPlaceholders(text).map(({ offset, message }) => ({
      place: [...at, ...place],
      message,
      near: text.slice(offset, offset + 4),
    })),
  );
  if (problems.length > 0) return problems;
  if (action.kind === 'http') return [...httpProblems(action, at)];
  if ('shell' in action.form) {
    const line = action.form.shell;
    const compiled = compileShellLine(line);
    if (line.includes('\0'))
      problems.push({ place: [...at, commandKey], message: 'a command cannot hold NUL' });
    if (!('problems' in compiled)) return problems;
    return compiled.problems.map(({ offset, message }) => ({
      place: [...at, commandKey],
      message,
      near: line.slice(offset, offset + 2) === '{{' ? line.slice(offset, line.indexOf('}}', offset) + 2) : '',
    }));
  }
  const words = action.form.argv.map((text) => {
    const variableAt = placeholders(text)[0]?.start;
    return variableAt === undefined ? { text } : { text, variableAt };
  });
  if (action.form.argv.some((text) => text.includes('\0'))) {
    problems.push({ place: [...at, commandKey], message: 'a command cannot hold NUL' });
  }
  const code = codeWordProblem(words);
  if (code) problems.push({ place: [...at, commandKey, words.indexOf(code.word)], message: code.message });
  return problems;
}

function* httpProblems(action: HttpAction, at: Place): Generator<PlacedProblem> {
  const url = urlTemplateProblem(action.url);
  if (url) yield { place: [...at, 'url'], message: url };
  if (action.body && (action.method === 'GET' || action.method === 'HEAD')) {
    yield {
      place: [...at, 'body'],
      message: `a ${action.method} request has no body; write method: POST, or take it out`,
    };
  }
  if (action.body && 'text' in action.body && placeholders(action.body.text).length > 0) {
    const isForm = action.headers['content-type']?.includes('application/x-www-form-urlencoded') ?? false;
    if (!isForm && /^\s*[[{<]/.test(action.body.text)) {
      yield {
        place: [...at, 'body'],
        message:
          'a variable inside JSON or XML text could change its structure; write the body as a YAML mapping',
      };
    }
  }
  for (const [name, value] of Object.entries(action.headers)) {
    if (/[\r\n\0]/.test(value)) {
      yield { place: [...at, 'headers', name], message: 'a header is one line; take the line break out' };
    }
    if (['host', 'content-length', 'transfer-encoding', 'connection'].includes(name)) {
      yield {
        place: [...at, 'headers', name],
        message: `the header '${name}' is set by the request itself; take it out`,
      };
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
