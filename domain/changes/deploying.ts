import { matchesGlob } from '../glob.ts';
import type { ChangeType } from './change.ts';

/** Names of workflows and jobs that deploy, where a source names none of its own. */
const usualDeploys = ['*deploy*', '*release*', '*rollout*', '*roll out*', '*publish*', '*promote*'];

/** What a run of this workflow or job changes: what builds and tests only concerns the code. */
export function typeOfRun(name: string, deploys: readonly string[]): ChangeType {
  const globs = deploys.length === 0 ? usualDeploys : deploys;
  return globs.some((glob) => matchesGlob(glob, name)) ? 'deployment' : 'code';
}

const settings = /\.(ya?ml|json|toml|ini|properties|conf|cfg|env)$/i;
const infrastructure = /\.(tf|tfvars|hcl|bicep)$/i;
// they say what a program is made of, which is code
const manifests = /(^|\/)(package(-lock)?|tsconfig|composer|deno)\.json$|(^|\/)\.github\//i;

/** What a push changes, by the files that it touches. */
export function typeOfFiles(files: readonly string[]): ChangeType {
  if (files.length === 0) return 'code';
  if (files.every((file) => infrastructure.test(file))) return 'infrastructure';
  if (files.every((file) => settings.test(file) && !manifests.test(file))) return 'config';
  return 'code';
}
