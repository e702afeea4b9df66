import { Context } from '@temporalio/activity';
import type { Finding, StepCheck } from '../domain/dry-run.ts';
import { formatDuration } from '../domain/duration.ts';
import { renderAction } from '../domain/runbook/render.ts';
import { masked } from '../domain/runbook/secret.ts';
import { variablesIn } from '../domain/runbook/template.ts';
import { type SecretSource, SecretUnavailableError } from './secrets/secret-source.ts';
import { adapterFor, type StepAdapters } from './steps/adapters.ts';
import { EgressRules } from './steps/egress.ts';
import { StepOutput } from './steps/output.ts';
import { maskingSecrets, valuesFor } from './steps/secrets.ts';

export interface DryRunDeps {
  adapters: StepAdapters;
  secretSource: SecretSource;
  /** HOLDFAST_EGRESS_ALLOW. */
  egressAllow: readonly string[];
  /** What commands see: `commandEnvironment(process.env)`. */
  environment: Readonly<Record<string, string>>;
  /** Holdfast's own secrets, masked in every finding. */
  secrets?: readonly string[];
}

export type DryRunActivities = ReturnType<typeof createDryRunActivities>;

/** One check is to end well before the workflow gives it up, so that it can say itself what it waited for. */
const checkMs = 8_000;

export function createDryRunActivities(deps: DryRunDeps) {
  return {
    /** Looks, without any effect, at what a step (or its undo) needs where it would run. Throws nothing. */
    async checkStep(check: StepCheck): Promise<Finding[]> {
      const output = new StepOutput({ secrets: deps.secrets ?? [] });
      const findings = await findingsOf(check, maskingSecrets(deps.secretSource, output), deps);
      return findings.map(({ ok, what, detail }) => ({
        ok,
        what: output.mask(what),
        detail: output.mask(detail),
      }));
    },
  };
}

async function findingsOf(check: StepCheck, secrets: SecretSource, deps: DryRunDeps): Promise<Finding[]> {
  const { action, scope, withheld } = check;
  const findings: Finding[] = withheld.map((name) => ({
    ok: true,
    what: `input ${name}`,
    detail: 'checked without the secret that was given: it is passed on to nobody before the run',
  }));
  const references = variablesIn(action).flatMap((name) => scope.secretReferences[name] ?? []);
  try {
    const known = await valuesFor(action, scope, secrets);
    for (const reference of new Set(references)) {
      findings.push({ ok: true, what: `secret ${reference}`, detail: 'can be read' });
    }
    const rendered = renderAction(action, { ...known, ...standIns(withheld) });
    const timeout = AbortSignal.timeout(checkMs);
    const found = await Promise.race([
      adapterFor(deps.adapters, rendered).check(rendered, {
        timeoutMs: checkMs,
        signal: AbortSignal.any([Context.current().cancellationSignal, timeout]),
        egress: new EgressRules([...scope.allowedHosts, ...deps.egressAllow]),
        secrets,
        environment: deps.environment,
      }),
      tooLong(timeout),
    ]);
    return [...findings, ...found];
  } catch (error) {
    if (error instanceof SecretUnavailableError) {
      return [...findings, { ok: false, what: 'secret', detail: error.message }];
    }
    if (error instanceof RangeError && withheld.length > 0) {
      const detail = 'not looked at: what it would be depends on the secret';
      return [...findings, { ok: true, what: 'values', detail }];
    }
    return [...findings, { ok: false, what: 'check', detail: reasonOf(error) }];
  }
}

function standIns(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, masked]));
}

async function tooLong(signal: AbortSignal): Promise<Finding[]> {
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  return [{ ok: false, what: 'check', detail: `no answer within ${formatDuration(checkMs)}` }];
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
