import { z } from 'zod';
import type { AwsSsmAction } from '../definition.ts';
import type { PlacedProblem } from '../problems.ts';
import { compileShellLine } from '../shell-line.ts';
import { shellWord, shownValue, visible } from '../shown-text.ts';
import { fillTemplate, placeholders, valueFor } from '../template.ts';
import { scalar, text } from '../written.ts';
import type { EffectTypeShape, Values } from './step-type.ts';

const shellDocument = 'AWS-RunShellScript';

const line = text('a command', 8000);
const keys = {
  region: text('region', 50).describe('e.g. eu-central-1'),
  instances: z
    .union(
      [text('instances', 200), z.array(text('an instance', 200)).min(1).max(50)],
      'write instances as one id (i-0123456789abcdef0) or a list of them',
    )
    .describe('Ids of instances that the SSM agent runs on; may be {{variables}}.'),
  commands: z
    .union([line, z.array(line).min(1).max(100)], 'write commands as one shell line or a list of shell lines')
    .optional()
    .describe(
      `Shell lines for ${shellDocument}; {{variables}} quote themselves, each such line in a shell of its own.`,
    ),
  document: z
    .string('write document as text')
    .regex(/^[A-Za-z0-9_.:/-]{3,200}$/, 'write document as the name of an SSM document')
    .optional()
    .describe('An SSM document other than a list of shell lines, with its `parameters`.'),
  parameters: z
    .record(
      z.string().regex(/^[A-Za-z0-9]{1,200}$/, 'a parameter has letters and digits alone'),
      z.union([scalar, z.array(scalar).max(100)], 'write a parameter as a text or a list of texts'),
    )
    .optional(),
};

const region = /^[a-z]{2}(?:-[a-z]+)+-\d$/;
const instanceId = /^m?i-[0-9a-f]{8,17}$/;
/** SSM documents put parameters into scripts as they are, so there a value holds nothing that a shell would read. */
const plainValue = /^[A-Za-z0-9_@%+=:,./-]*$/;

export const awsSsmType: EffectTypeShape<AwsSsmAction, typeof keys> = {
  kind: 'aws_ssm',
  keys,
  templates: ['region', 'instances', 'commands', 'parameters'],
  inherited: ['region', 'instances'],
  defaultTimeoutMs: 600_000,
  read: (written) => ({
    kind: 'aws_ssm',
    region: written.region,
    instanceIds: [written.instances].flat(),
    document: written.document ?? shellDocument,
    parameters: Object.fromEntries([
      ...Object.entries(written.parameters ?? {}).map(([name, value]) => [name, [value].flat().map(String)]),
      ...(written.commands === undefined ? [] : [['commands', [written.commands].flat()]]),
    ]),
  }),
  *validate(written, action) {
    if (placeholders(action.region).length === 0 && !region.test(action.region)) {
      yield { place: ['region'], message: 'write region as an AWS region such as eu-central-1' };
    }
    for (const [index, id] of action.instanceIds.entries()) {
      if (placeholders(id).length > 0 || instanceId.test(id)) continue;
      yield {
        place: Array.isArray(written.instances) ? ['instances', index] : ['instances'],
        message: `'${id}' is no id of an instance; write it as i-0123456789abcdef0`,
      };
    }
    const ownDocument = written.document !== undefined && written.document !== shellDocument;
    if (written.commands === undefined) {
      if (written.document === undefined) {
        yield { place: [], message: "this step does nothing; give it 'commands', or a 'document'" };
      } else if (!ownDocument) {
        yield {
          place: ['document'],
          message: `${shellDocument} takes its lines from 'commands:' beside it; write them there`,
        };
      }
      return;
    }
    if (ownDocument) {
      yield {
        place: ['document'],
        message: `'commands' are run by ${shellDocument}; take 'document' out, or write 'parameters' instead`,
        atKey: true,
      };
    } else if (Object.hasOwn(written.parameters ?? {}, 'commands')) {
      yield {
        place: ['parameters', 'commands'],
        message: "write the shell lines in 'commands' alone",
        atKey: true,
      };
    }
    yield* lineProblems(written.commands);
  },
  render(action, values) {
    const shell = action.document === shellDocument;
    return {
      kind: 'aws_ssm',
      region: matching(region, fillTemplate(action.region, values), 'an AWS region'),
      instanceIds: action.instanceIds.map((id) =>
        matching(instanceId, fillTemplate(id, values), 'the id of an instance'),
      ),
      document: action.document,
      parameters: Object.fromEntries(
        Object.entries(action.parameters).map(([name, texts]) => [
          name,
          texts.map((template) =>
            shell && name === 'commands'
              ? quotedLine(template, values)
              : fillTemplate(template, values, (value) => plain(name, value)),
          ),
        ]),
      ),
    };
  },
  describe(action, values) {
    const fill = (template: string) => shownValue(fillTemplate(template, values));
    const { commands, ...others } = action.parameters;
    const lines = action.document === shellDocument ? (commands ?? []) : [];
    const parameters = lines.length > 0 ? others : action.parameters;
    return [
      `${action.document} in ${fill(action.region)} on ${action.instanceIds.map(fill).join(', ')}`,
      ...Object.entries(parameters).map(([name, texts]) => `${name}: ${texts.map(fill).join(', ')}`),
      ...lines.map((template) => fillTemplate(visible(template), values, shellWord)),
    ].join('\n');
  },
};

function* lineProblems(commands: string | readonly string[]): Generator<PlacedProblem> {
  for (const [index, template] of [commands].flat().entries()) {
    const place = typeof commands === 'string' ? ['commands'] : ['commands', index];
    const compiled = compileShellLine(template);
    if (!('problems' in compiled)) continue;
    for (const { message } of compiled.problems) yield { place, message };
  }
}

/** The lines become one script: one with variables runs in a shell of its own, which takes them as parameters. */
function quotedLine(template: string, values: Values): string {
  const compiled = compileShellLine(template);
  if ('problems' in compiled) {
    throw new RangeError(compiled.problems.map(({ message }) => message).join('; '));
  }
  if (compiled.variables.length === 0) return template;
  const words = [compiled.line, 'sh', ...compiled.variables.map((name) => valueFor(values, name))];
  return `sh -c ${words.map(singleQuoted).join(' ')}`;
}

/** One word for a shell. SSM itself would replace '{{ssm:name}}' in a parameter, so no two braces stand together. */
function singleQuoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`).replaceAll(/\{(?=\{)/g, `{''`)}'`;
}

function plain(parameter: string, value: string): string {
  if (plainValue.test(value)) return value;
  throw new RangeError(
    `the parameter '${parameter}' cannot take '${value}': an SSM document may put it into a script as it is, so a value there holds letters, digits and _@%+=:,./- alone`,
  );
}

function matching(pattern: RegExp, value: string, what: string): string {
  if (!pattern.test(value)) throw new RangeError(`'${value}' is not ${what}`);
  return value;
}
