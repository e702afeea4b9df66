import { readConditions, stepConditionProblems } from './condition.ts';
import type { ApprovalRules, EffectAction, StepAction, StepDefinition, StepType } from './definition.ts';
import { stepTypes } from './definition.ts';
import { closest, issueProblems, type Place, type PlacedProblem } from './problems.ts';
import {
  keysOf,
  knownStepKeys,
  rollbackSchema,
  stepSchema,
  verifyTypes,
  type WrittenRollback,
  type WrittenStep,
} from './step-schema.ts';
import { textProblems, variablesOf } from './step-texts.ts';
import { commandText } from './step-types/command-form.ts';
import { present } from './step-types/step-type.ts';
import { effectTypes, isEffect, isEffectType, stepTypeShapes } from './step-types.ts';
import { toMs } from './written.ts';

export interface ReadStep {
  definition: StepDefinition;
  variables: string[];
}
interface Read<T> {
  read?: T;
  problems: PlacedProblem[];
}

/** Validates the lists `steps` and `verify`, each step by the type that it has or that its keys show. */
export function readSteps(
  raw: { steps: readonly unknown[]; verify: readonly unknown[] },
  approval: ApprovalRules,
): { steps: ReadStep[]; verify: ReadStep[]; problems: PlacedProblem[] } {
  const problems: PlacedProblem[] = [];
  const earlier: StepDefinition[] = [];
  const readAll = (key: 'steps' | 'verify') =>
    raw[key].flatMap((step, index) => {
      const place = [key, index];
      const result = readStep(step, place, approval, key);
      problems.push(...result.problems);
      if (!result.read) return [];
      const { definition } = result.read;
      problems.push(...placed(place, stepConditionProblems(definition.conditions, earlier)));
      earlier.push(definition);
      return [result.read];
    });
  return { steps: readAll('steps'), verify: readAll('verify'), problems };
}

function readStep(
  raw: unknown,
  place: Place,
  approval: ApprovalRules,
  list: 'steps' | 'verify',
): Read<ReadStep> {
  const found = typeOf(raw);
  if ('message' in found) return { problems: [{ place: [...place, ...found.at], message: found.message }] };
  const { type, record } = found;
  if (list === 'verify') {
    const misplaced = verifyProblem(type, record);
    if (misplaced) return { problems: [{ ...misplaced, place: [...place, ...misplaced.place] }] };
  }
  const parsed = stepSchema(type).safeParse(record);
  const known = { here: () => keysOf(type), anywhere: knownStepKeys };
  if (!parsed.success) return { problems: issueProblems(parsed.error, record, { before: place, known }) };

  const shape = stepTypeShapes[type];
  const action = shape.read(parsed.data, { approval });
  // its schema holds these keys, or has none of them (a step of the workflow's own)
  const step = parsed.data as unknown as Partial<WrittenStep> & Pick<WrittenStep, 'name'>;
  const problems = actionProblems(action, record, parsed.data, place);
  const definition: StepDefinition = {
    name: step.name,
    type,
    timeoutMs: step.timeout === undefined ? shape.defaultTimeoutMs : toMs(step.timeout),
    retries: step.retries ?? 0,
    retryDelayMs: toMs(step.retry_delay ?? 0),
    continueOnFail: step.continue_on_fail ?? false,
    idempotent: step.idempotent ?? hasNoEffect(action),
    ...present({ runner: step.runner }),
    conditions: readConditions(step.condition),
    action,
  };
  const variables = variablesOf(shape, record);
  if (record.rollback !== undefined && record.rollback !== null && isEffect(action)) {
    const undo = readRollback(record.rollback, { ...definition, action }, record, {
      place: [...place, 'rollback'],
      approval,
    });
    problems.push(...undo.problems);
    variables.push(...(undo.read?.variables ?? []));
    if (undo.read) definition.rollback = undo.read.rollback;
  }
  for (const condition of definition.conditions) {
    if ('variable' in condition) variables.push(condition.variable);
  }
  return { read: { definition, variables: [...new Set(variables)] }, problems };
}

/** Such a step can always be run again. */
function hasNoEffect(action: StepAction): boolean {
  return (
    action.kind === 'prometheus' ||
    (action.kind === 'kubernetes' && action.operation.do === 'wait_ready') ||
    (action.kind === 'sql' && action.readOnly)
  );
}

function typeOf(
  raw: unknown,
): { type: StepType; record: Record<string, unknown> } | { at: Place; message: string } {
  if (!isRecord(raw)) {
    return { at: [], message: 'a step is a mapping with name and command, name and url, or name and type' };
  }
  const record = raw;
  if (raw.command !== undefined && raw.url !== undefined) {
    return { at: ['url'], message: 'a step has a command or a url, not both; make it two steps' };
  }
  if (raw.type === 'api') return { type: 'http', record };
  if (raw.type !== undefined) {
    const type = stepTypes.find((one) => one === raw.type);
    if (type) return { type, record };
    const near = closest(String(raw.type), stepTypes);
    const meant = near ? `did you mean '${near}'?` : `write one of: ${stepTypes.join(', ')}`;
    return { at: ['type'], message: `'${String(raw.type)}' is no step type; ${meant}` };
  }
  if (raw.command !== undefined || raw.script !== undefined) return { type: 'command', record };
  // a Prometheus step may have a url too
  if (raw.url !== undefined && raw.query === undefined) return { type: 'http', record };
  const shown = stepTypes.find((type) => showingKeys[type].some((key) => raw[key] !== undefined));
  if (shown) return { at: [], message: `this step has no type; add type: ${shown}` };
  const meant = Object.keys(raw).flatMap((key) => closest(key, ['command', 'url', 'script']) ?? [])[0];
  return {
    at: [],
    message: meant
      ? `this step does nothing; did you mean '${meant}'?`
      : "this step does nothing; give it a 'command' or a 'url', or a 'type' with its keys",
  };
}

/** The keys that only a step of this type has. */
const showingKeys: Record<StepType, readonly string[]> = {
  command: [],
  http: [],
  ssh: ['host_keys', 'host'],
  kubernetes: ['workload'],
  aws_ssm: ['instances'],
  sql: ['statements'],
  prometheus: ['query'],
  wait: ['duration'],
  runbook: ['runbook'],
  notify: ['to'],
  approval: ['message'],
};

function verifyProblem(type: StepType, raw: Record<string, unknown>): PlacedProblem | undefined {
  if (!verifyTypes.includes(type)) {
    return { place: ['type'], message: `verify only looks: '${type}' belongs in steps` };
  }
  if (raw.rollback !== undefined) {
    return {
      place: ['rollback'],
      message: 'a verification step has no rollback, since it changes nothing; move it into steps',
      atKey: true,
    };
  }
  if (type === 'kubernetes' && raw.operation !== 'wait_ready') {
    return { place: ['operation'], message: 'verify only looks: write operation: wait_ready' };
  }
  return undefined;
}

function readRollback(
  raw: unknown,
  step: StepDefinition & { action: EffectAction },
  rawStep: Record<string, unknown>,
  { place, approval }: { place: Place; approval: ApprovalRules },
): Read<{ rollback: NonNullable<StepDefinition['rollback']>; variables: string[] }> {
  const isForm = isRecord(raw);
  const type = isForm ? rollbackType(raw, step.action.kind) : step.action.kind === 'ssh' ? 'ssh' : 'command';
  if (typeof type === 'object') return { problems: [{ ...type, place: [...place, ...type.place] }] };
  if (!isForm) {
    const line = commandText.safeParse(raw);
    if (!line.success) return { problems: issueProblems(line.error, raw, { before: place }) };
    if (step.action.kind === 'aws_ssm') {
      const message =
        'on which machine? Write {commands: …} for the same instances, or {command: …} for the one of Holdfast';
      return { problems: [{ place, message }] };
    }
  }
  const shape = effectTypes[type];
  const taken = type === step.action.kind ? shape.inherited.filter((key) => rawStep[key] !== undefined) : [];
  const record: Record<string, unknown> = {
    ...Object.fromEntries(taken.map((key) => [key, rawStep[key]])),
    ...(isForm ? raw : { command: raw }),
  };
  const parsed = rollbackSchema(type).safeParse(record);
  const known = { here: () => Object.keys(rollbackSchema(type).shape), anywhere: knownStepKeys };
  if (!parsed.success) return { problems: issueProblems(parsed.error, record, { before: place, known }) };
  const written = parsed.data as unknown as WrittenRollback;
  const action = shape.read(parsed.data, { approval });
  const otherwise = type === step.action.kind ? step.timeoutMs : shape.defaultTimeoutMs;
  const problems = actionProblems(action, record, parsed.data, place).map((problem) =>
    // written as text, the command is the value of `rollback` itself
    isForm ? problem : { ...problem, place: [...place, ...problem.place.slice(place.length + 1)] },
  );
  return {
    read: {
      rollback: {
        action,
        timeoutMs: written.timeout === undefined ? otherwise : toMs(written.timeout),
        ...present({ runner: written.runner }),
      },
      variables: variablesOf(shape, record),
    },
    problems,
  };
}

function rollbackType(
  raw: Record<string, unknown>,
  stepType: EffectAction['kind'],
): EffectAction['kind'] | PlacedProblem {
  if (raw.type === 'api') return 'http';
  if (raw.type !== undefined) {
    const type = stepTypes.find((one) => one === raw.type);
    if (type && isEffectType(type)) return type;
    const effects = stepTypes.filter(isEffectType).join(', ');
    return { place: ['type'], message: `'${String(raw.type)}' undoes nothing; write one of: ${effects}` };
  }
  if (raw.command !== undefined || raw.script !== undefined) return stepType === 'ssh' ? 'ssh' : 'command';
  if (raw.url !== undefined && stepType !== 'prometheus') return 'http';
  return stepType;
}

/** What the schema of each key alone cannot see: its texts, then what they mean together. */
function actionProblems(
  action: StepAction,
  raw: Record<string, unknown>,
  written: Record<string, unknown>,
  place: Place,
): PlacedProblem[] {
  const shape = stepTypeShapes[action.kind];
  const ofTexts = placed(place, textProblems(shape, raw));
  return ofTexts.length > 0 ? ofTexts : placed(place, shape.validate(written, action));
}

function placed(before: Place, problems: Iterable<PlacedProblem>): PlacedProblem[] {
  return Array.from(problems, (problem) => ({ ...problem, place: [...before, ...problem.place] }));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
