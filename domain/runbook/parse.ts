import { isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { RunbookDefinition, RunbookProblem } from './definition.ts';
import { closest, issueProblems, type PlacedProblem } from './problems.ts';
import { type RunbookFrame, runbookFrame } from './schema.ts';
import { type ReadStep, readSteps } from './steps.ts';
import { malformedPlaceholders, placeholders } from './template.ts';

export type ParsedRunbook = { definition: RunbookDefinition } | { problems: RunbookProblem[] };

const longestSource = 256 * 1024;

/**
 * Reads one runbook file. Every problem names the file, line, column, the rule and what to write instead;
 * `file` is what they call it. Throws nothing.
 */
export function parseRunbook(source: string, file: string): ParsedRunbook {
  const lines = new LineCounter();
  const found: RunbookProblem[] = [];
  const report = (offset: number, message: string) => {
    const { line, col } = lines.linePos(Math.max(0, offset));
    found.push({ file, line: line || 1, col: col || 1, message });
  };
  const failed = (): ParsedRunbook => ({ problems: sorted(found) });

  if (source.length > longestSource) {
    report(
      0,
      `a runbook file must be at most ${longestSource / 1024} KiB; this one has ${source.length} characters`,
    );
    return failed();
  }
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, strict: true });
  for (const error of document.errors) report(error.pos[0], `this is no valid YAML: ${error.message}`);
  if (found.length > 0) return failed();
  const root = document.contents;
  if (!isMap(root)) {
    report(0, 'a runbook is a mapping with at least name and steps; this file holds something else');
    return failed();
  }
  let raw: unknown;
  try {
    raw = document.toJS({ maxAliasCount: 50 });
  } catch (error) {
    report(0, `this YAML cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return failed();
  }

  const reportAt = (problem: PlacedProblem) => report(offsetOf(source, root, problem), problem.message);
  const frame = runbookFrame.safeParse(raw);
  if (!frame.success) for (const problem of issueProblems(frame.error, raw)) reportAt(problem);
  const rawSteps = isRecord(raw) && Array.isArray(raw.steps) ? raw.steps : [];
  const { steps, problems } = readSteps(rawSteps);
  for (const problem of problems) reportAt(problem);
  if (!frame.success) return failed();

  for (const problem of inputProblems(frame.data, steps)) reportAt(problem);
  return found.length > 0 ? failed() : { definition: toDefinition(frame.data, steps) };
}

function toDefinition(frame: RunbookFrame, steps: readonly ReadStep[]): RunbookDefinition {
  const { inputs, triggers, execution, ...plain } = frame;
  const definition: RunbookDefinition = {
    name: plain.name,
    description: plain.description,
    ...(plain.category === undefined ? {} : { category: plain.category }),
    tags: plain.tags,
    triggers: triggers.map((trigger) => ({
      alertPattern: trigger.alert_pattern,
      ...(trigger.severity === undefined ? {} : { severity: [trigger.severity].flat() }),
      minDurationMs: Math.round(trigger.min_duration_seconds * 1000),
      labels: Object.fromEntries(
        Object.entries(trigger.labels ?? {}).map(([name, glob]) => [name, String(glob)]),
      ),
    })),
    inputs: {},
    execution: {
      mode: execution.mode,
      approvalsNeeded: execution.approvals,
      approvalTimeoutMs: Math.round(execution.approval_timeout * 60_000),
      maxPerHour: execution.max_per_hour,
      cooldownMs: Math.round(execution.cooldown * 1000),
      ...(execution.target === undefined ? {} : { target: execution.target }),
      allowedHosts: execution.allowed_hosts,
    },
    steps: steps.map(({ definition }) => definition),
  };
  for (const [name, input] of Object.entries(inputs)) {
    const preset = input?.default === undefined ? undefined : String(input.default);
    definition.inputs[name] = {
      ...(input?.description === undefined ? {} : { description: input.description }),
      required: input?.required ?? preset === undefined,
      ...(preset === undefined ? {} : { default: preset }),
      ...(input?.from_label === undefined ? {} : { fromLabel: input.from_label }),
      allowLeadingDash: input?.allow_leading_dash ?? false,
      secret: input?.secret ?? false,
    };
  }
  const targetVariables = placeholders(execution.target ?? '').map(({ name }) => name);
  declareUsed(definition, [...targetVariables, ...steps.flatMap(({ variables }) => variables)]);
  return definition;
}

/** What the schema of one value alone cannot see. */
function* inputProblems(frame: RunbookFrame, steps: readonly ReadStep[]): Generator<PlacedProblem> {
  for (const { message } of malformedPlaceholders(frame.execution.target ?? '')) {
    yield { place: ['execution', 'target'], message };
  }
  const used = new Set([
    ...placeholders(frame.execution.target ?? '').map(({ name }) => name),
    ...steps.flatMap(({ variables }) => variables),
  ]);
  const undeclared = [...used].filter((name) => !Object.hasOwn(frame.inputs, name));
  for (const [name, input] of Object.entries(frame.inputs)) {
    const preset = String(input?.default ?? '');
    if (preset.startsWith('-') && !input?.allow_leading_dash) {
      yield {
        place: ['inputs', name, 'default'],
        message: `the default of '${name}' begins with '-'; add allow_leading_dash: true if that is meant`,
      };
    }
    if (preset.includes('\0')) {
      yield {
        place: ['inputs', name, 'default'],
        message: 'a value cannot hold a NUL character; take it out',
      };
    }
    const near = used.has(name) ? undefined : closest(name, undeclared);
    if (near) {
      yield {
        place: ['inputs', name],
        message: `no step uses the input '${name}', but one uses {{${near}}}; make the two names agree`,
        atKey: true,
      };
    }
  }
}

/** A variable that no input declares is a required input: an alert's label of that name gives it, or the person. */
function declareUsed(definition: RunbookDefinition, names: readonly string[]): void {
  for (const name of names) {
    if (Object.hasOwn(definition.inputs, name)) continue;
    definition.inputs[name] = { required: true, allowLeadingDash: false, secret: false };
  }
}

/** Where in the source the value (or the key) at `place` stands, or the nearest that there is around it. */
function offsetOf(source: string, root: Node, { place, near, atKey }: PlacedProblem): number {
  let node: unknown = root;
  let offset = root.range?.[0] ?? 0;
  for (const part of place) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
      if (!pair) return offset;
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    } else {
      return offset;
    }
  }
  if (!isNode(node) || !node.range || isMap(node) || atKey) return offset;
  const within = near ? source.slice(node.range[0], node.range[1]).indexOf(near) : 0;
  return node.range[0] + Math.max(0, within);
}

function sorted(problems: RunbookProblem[]): RunbookProblem[] {
  return problems.sort((a, b) => a.line - b.line || a.col - b.col || a.message.localeCompare(b.message));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
