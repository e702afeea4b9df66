import { roleAtLeast } from '../roles.ts';
import { nestedName } from './catalog.ts';
import { variablesHold } from './condition.ts';
import type {
  ApprovalRules,
  RunbookAction,
  RunbookDefinition,
  StepCondition,
  StepDefinition,
} from './definition.ts';
import { type InputSources, resolveInputs } from './inputs.ts';
import { deepestNesting, type LayoutStep, mostSteps, type RunbookLayout, type StepPart } from './layout.ts';
import { fillTemplate, placeholders } from './template.ts';

export interface CatalogEntry {
  definition: RunbookDefinition;
  version: number;
}

/** How a runbook comes to be laid out: asked for, or called by a step of another. */
interface Call {
  entry: CatalogEntry;
  values: Record<string, string>;
  /** Inputs that take a value from a secret of the caller. */
  tainted: readonly string[];
  /** Names of the runbooks around it and its own, outermost first. */
  within: readonly string[];
  /** Before the names of its steps. */
  prefix: string;
  conditions: readonly StepCondition[];
  runner: string | undefined;
  /** The rules by which people have agreed to what it does. */
  agreed: readonly ApprovalRules[];
}

/** Somebody who may run runbooks has started it. */
const started: ApprovalRules = {
  needed: 1,
  role: 'operator',
  teams: [],
  notRequester: false,
  timeoutMs: 0,
  onTimeout: 'expire',
};

/** What a runbook asks of people before it runs; undefined: nothing. */
function askedBy({ execution }: RunbookDefinition): ApprovalRules | undefined {
  if (execution.mode === 'auto') return undefined;
  return execution.mode === 'manual' ? started : execution.approval;
}

/** Whether who satisfied `given` would have satisfied `asked`, too. */
function covers(given: ApprovalRules, asked: ApprovalRules): boolean {
  return (
    given.needed >= asked.needed &&
    roleAtLeast(given.role, asked.role) &&
    (asked.teams.length === 0 ||
      (given.teams.length > 0 && given.teams.every((team) => asked.teams.includes(team)))) &&
    (given.notRequester || !asked.notRequester)
  );
}

/**
 * What an execution of `runbook` runs: every value found, nested runbooks laid flat. The problems say what is
 * missing, in which nested runbook, and what mends it; with any of them nothing may run.
 */
export function layOut({
  runbook,
  catalog,
  sources,
}: {
  runbook: CatalogEntry;
  /** By name; `runbook` itself need not be in it. */
  catalog: ReadonlyMap<string, CatalogEntry>;
  sources: InputSources;
}): { layout: RunbookLayout } | { problems: string[] } {
  const { definition } = runbook;
  const resolved = resolveInputs(definition, sources);
  if ('problems' in resolved) return resolved;
  const laying = new Laying(catalog, sources);
  laying.lay({
    entry: runbook,
    values: resolved.values,
    tainted: [],
    within: [definition.name],
    prefix: '',
    conditions: [],
    runner: undefined,
    agreed: [askedBy(definition) ?? []].flat(),
  });
  const { layout, problems } = laying;
  if (laying.isFull) {
    problems.push(
      `'${definition.name}' has more than ${mostSteps} steps with those of its nested runbooks; split it`,
    );
  }
  return problems.length > 0 ? { problems: [...new Set(problems)] } : { layout };
}

class Laying {
  readonly layout: RunbookLayout = { scopes: [], steps: [] };
  readonly problems: string[] = [];
  private readonly catalog: ReadonlyMap<string, CatalogEntry>;
  private readonly sources: InputSources;

  constructor(catalog: ReadonlyMap<string, CatalogEntry>, sources: InputSources) {
    this.catalog = catalog;
    this.sources = sources;
  }

  get isFull(): boolean {
    return this.layout.steps.length > mostSteps || this.layout.scopes.length > mostSteps;
  }

  lay(call: Call): void {
    const { definition } = call.entry;
    const scope = this.layout.scopes.push(scopeOf(call)) - 1;
    const nested = call.within.length > 1;
    const asked = nested ? askedBy(definition) : undefined;
    const asks = asked !== undefined && !call.agreed.some((given) => covers(given, asked));
    if (asks) this.layout.steps.push(approvalStep(call, scope));
    const inside = asks ? { ...call, agreed: [...call.agreed, definition.execution.approval] } : call;
    for (const step of definition.steps) this.layStep(step, inside, scope, 'step');
    for (const step of definition.verify) this.layStep(step, inside, scope, nested ? 'step' : 'verify');
  }

  private layStep(step: StepDefinition, call: Call, scope: number, part: StepPart): void {
    if (this.isFull) return;
    const { action } = step;
    if (action.kind === 'runbook') {
      this.layNested(step, action, call, scope);
      return;
    }
    const runner = runnerOf(step, call);
    this.layout.steps.push({
      scope,
      name: `${call.prefix}${step.name}`,
      part,
      definition: {
        ...step,
        ...(runner === undefined ? {} : { runner }),
        conditions: [...call.conditions, ...step.conditions],
      },
    });
  }

  private layNested(step: StepDefinition, action: RunbookAction, call: Call, scope: number): void {
    const name = nestedName(this.catalog, call.entry.definition.name, action.runbook);
    const entry = name === undefined ? undefined : this.catalog.get(name);
    const where = `step '${call.prefix}${step.name}'`;
    if (name === undefined || !entry) {
      this.problems.push(`${where}: there is no runbook '${action.runbook}'`);
      return;
    }
    if (call.within.includes(name)) {
      this.problems.push(`${where}: '${name}' would run itself (${[...call.within, name].join(' → ')})`);
      return;
    }
    if (call.within.length > deepestNesting) {
      this.problems.push(
        `${where}: runbooks are nested at most ${deepestNesting} deep (${[...call.within, name].join(' → ')})`,
      );
      return;
    }
    const conditions = [...call.conditions, ...step.conditions.map((condition) => ({ scope, ...condition }))];
    const passed = this.pass(action, entry.definition, scope);
    const resolved =
      'problems' in passed
        ? passed
        : resolveInputs(passed.definition, { ...this.sources, given: passed.given });
    if ('problems' in passed || 'problems' in resolved) {
      // a runbook that is not going to run needs no values
      if (!this.holds(conditions)) return;
      const found = 'problems' in passed ? passed.problems : 'problems' in resolved ? resolved.problems : [];
      this.problems.push(...found.map((problem) => `${where}, runbook '${name}': ${problem}`));
      return;
    }
    this.lay({
      entry: { ...entry, definition: passed.definition },
      values: resolved.values,
      tainted: passed.tainted,
      within: [...call.within, name],
      prefix: `${call.prefix}${step.name} / `,
      conditions,
      runner: runnerOf(step, call),
      agreed: call.agreed,
    });
  }

  /** What the nested runbook is given, and its definition with the references to secrets that it is passed. */
  private pass(
    action: RunbookAction,
    definition: RunbookDefinition,
    scopeIndex: number,
  ):
    | { definition: RunbookDefinition; given: Record<string, string>; tainted: string[] }
    | { problems: string[] } {
    const scope = this.layout.scopes[scopeIndex];
    const given: Record<string, string> = {};
    const inputs = { ...definition.inputs };
    const tainted: string[] = [];
    const problems: string[] = [];
    for (const [name, template] of Object.entries(action.inputs)) {
      const found = placeholders(template);
      const used = found.map((placeholder) => placeholder.name);
      const secret = used.find((variable) => Object.hasOwn(scope?.secretReferences ?? {}, variable));
      if (used.some((variable) => scope?.secretInputs.includes(variable))) tainted.push(name);
      if (secret === undefined) {
        given[name] = fillTemplate(template, scope?.values ?? {});
        continue;
      }
      const input = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
      const reference = scope?.secretReferences[secret];
      const isWhole = found[0]?.start === 0 && found[0].end === template.length;
      if (!input || reference === undefined) problems.push(`it has no input '${name}'`);
      else if (!isWhole) problems.push(`the secret '${secret}' can be passed on only as a whole`);
      else if (looksAt(definition, name)) problems.push(`a condition looks at '${name}', which is a secret`);
      else inputs[name] = { ...input, fromSecret: reference, secret: true };
    }
    return problems.length > 0 ? { problems } : { definition: { ...definition, inputs }, given, tainted };
  }

  private holds(conditions: readonly StepCondition[]): boolean {
    return conditions.every((condition) =>
      variablesHold([condition], this.layout.scopes[condition.scope ?? 0]?.values ?? {}),
    );
  }
}

function scopeOf({ entry: { definition, version }, values, tainted }: Call): RunbookLayout['scopes'][number] {
  const inputs = Object.entries(definition.inputs);
  return {
    runbook: definition.name,
    version,
    values,
    secretReferences: Object.fromEntries(
      inputs.flatMap(([name, { fromSecret }]) => (fromSecret === undefined ? [] : [[name, fromSecret]])),
    ),
    secretInputs: inputs.flatMap(([name, { secret }]) => (secret || tainted.includes(name) ? [name] : [])),
    allowedHosts: definition.execution.allowedHosts,
  };
}

/** A runbook that asks for more than its caller did asks inside of it, too. */
function approvalStep(
  { entry: { definition }, within, prefix, conditions }: Call,
  scope: number,
): LayoutStep {
  const name = 'Approval';
  return {
    scope,
    name: `${prefix}${name}`,
    part: 'step',
    definition: {
      name,
      type: 'approval',
      timeoutMs: definition.execution.approval.timeoutMs,
      retries: 0,
      retryDelayMs: 0,
      continueOnFail: false,
      idempotent: false,
      conditions: [...conditions],
      action: {
        kind: 'approval',
        message: `'${within[0]}' is about to run '${definition.name}', which asks first`,
        rules: definition.execution.approval,
      },
    },
  };
}

function runnerOf(step: StepDefinition, { entry, runner }: Call): string | undefined {
  return step.runner ?? entry.definition.execution.runner ?? runner;
}

function looksAt(definition: RunbookDefinition, variable: string): boolean {
  return [...definition.steps, ...definition.verify].some(({ conditions }) =>
    conditions.some((condition) => 'variable' in condition && condition.variable === variable),
  );
}
