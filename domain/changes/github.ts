import { z } from 'zod';
import type { ChangeStatus } from './change.ts';
import { typeOfFiles, typeOfRun } from './deploying.ts';
import {
  anything,
  type ChangeMapping,
  type ChangeReport,
  dataOf,
  externalIdOf,
  firstLine,
  instantOf,
  invalidBody,
  linkOf,
  longest,
  type ReadChange,
  serviceOf,
  shortSha,
  textOf,
  versionOf,
} from './report.ts';

/**
 * A webhook of GitHub by its event's name. Deployments and their statuses are one change, and so are the messages of
 * one attempt of a workflow run; a push counts where it moves the default branch or makes a tag.
 * https://docs.github.com/webhooks/webhook-events-and-payloads
 */
export function readGithub(event: string, payload: unknown, mapping: ChangeMapping): ReadChange {
  switch (event) {
    case 'deployment':
      return readDeployment(payload, mapping);
    case 'deployment_status':
      return readDeploymentStatus(payload, mapping);
    case 'workflow_run':
      return readWorkflowRun(payload, mapping);
    case 'push':
      return readPush(payload, mapping);
    default:
      return { ignored: `nothing to do for ${textOf(event) ?? 'an event without a name'}` };
  }
}

const repository = z.object({
  full_name: z.string().min(1),
  name: z.string().min(1),
  html_url: anything,
  default_branch: anything,
  pushed_at: anything,
});
const person = z.object({ login: anything }).nullish().catch(null);
const id = z.union([z.int(), z.string().min(1).max(100)]);

const deployment = z.object({
  id,
  sha: anything,
  ref: anything,
  task: anything,
  environment: anything,
  description: anything,
  payload: anything,
  creator: person,
  created_at: anything,
});
const deploymentMessage = z.object({ deployment, repository });

function readDeployment(payload: unknown, mapping: ChangeMapping): ReadChange {
  const parsed = deploymentMessage.safeParse(payload);
  return parsed.success ? { change: deploymentReport(parsed.data, mapping) } : invalidBody(parsed.error);
}

type DeploymentMessage = z.output<typeof deploymentMessage>;

function deploymentReport(message: DeploymentMessage, mapping: ChangeMapping): ChangeReport {
  const { deployment: deployed, repository: repo } = message;
  const environment = textOf(deployed.environment) ?? mapping.environment;
  const description = textOf(deployed.description, longest.title);
  return {
    externalId: externalIdOf('deployment', repo.full_name, deployed.id),
    type: 'deployment',
    status: 'started',
    service: repositoryService(mapping, repo),
    environment,
    title:
      description ??
      `Deployment of ${textOf(repo.name)}${environment === null ? '' : ` to ${environment}`}`.slice(
        0,
        longest.title,
      ),
    version: ownVersion(deployed.payload) ?? versionOf(deployed.ref, deployed.sha),
    previousVersion: null,
    author: textOf(deployed.creator?.login),
    url: linkOf(`${textOf(repo.html_url, longest.url)}/deployments`),
    at: instantOf(deployed.created_at),
    begins: false,
    data: dataOf({
      Repository: textOf(repo.full_name),
      Ref: textOf(deployed.ref),
      Commit: textOf(deployed.sha),
      Task: textOf(deployed.task),
    }),
  };
}

/** Whoever makes a deployment by the API may say its version there; the field is theirs. */
function ownVersion(payload: unknown): string | null {
  const parsed = z.object({ version: anything }).safeParse(payload);
  return parsed.success ? textOf(parsed.data.version, longest.version) : null;
}

const deploymentStatusMessage = deploymentMessage.extend({
  deployment_status: z.object({
    state: z.string(),
    environment: anything,
    description: anything,
    target_url: anything,
    log_url: anything,
    created_at: anything,
  }),
});

const deploymentStates: Record<string, ChangeStatus> = {
  in_progress: 'started',
  success: 'succeeded',
  failure: 'failed',
  error: 'failed',
};

function readDeploymentStatus(payload: unknown, mapping: ChangeMapping): ReadChange {
  const parsed = deploymentStatusMessage.safeParse(payload);
  if (!parsed.success) return invalidBody(parsed.error);
  const { deployment_status: state } = parsed.data;
  const status = Object.hasOwn(deploymentStates, state.state) ? deploymentStates[state.state] : undefined;
  if (status === undefined) return { ignored: `a deployment that is ${textOf(state.state) ?? 'nothing'}` };
  const report = deploymentReport(parsed.data, mapping);
  return {
    change: {
      ...report,
      status,
      environment: textOf(state.environment) ?? report.environment,
      url: linkOf(state.log_url) ?? linkOf(state.target_url) ?? report.url,
      at: instantOf(state.created_at) ?? report.at,
      begins: state.state === 'in_progress',
      data: { ...report.data, ...dataOf({ Says: textOf(state.description, longest.title) }) },
    },
  };
}

const workflowRunMessage = z.object({
  repository,
  workflow: z.object({ name: anything }).nullish().catch(null),
  workflow_run: z.object({
    id,
    name: anything,
    display_title: anything,
    run_number: anything,
    run_attempt: z.int().catch(1),
    event: anything,
    conclusion: z.string().nullish().catch(null),
    head_branch: anything,
    head_sha: anything,
    head_commit: z.object({ message: anything }).nullish().catch(null),
    html_url: anything,
    run_started_at: anything,
    created_at: anything,
    actor: person,
    triggering_actor: person,
  }),
});

const conclusions: Record<string, ChangeStatus> = {
  success: 'succeeded',
  failure: 'failed',
  timed_out: 'failed',
  startup_failure: 'failed',
  // it may have done half of what it does
  cancelled: 'failed',
};

function readWorkflowRun(payload: unknown, mapping: ChangeMapping): ReadChange {
  const parsed = workflowRunMessage.safeParse(payload);
  if (!parsed.success) return invalidBody(parsed.error);
  const { repository: repo, workflow, workflow_run: run } = parsed.data;
  const { conclusion } = run;
  const known = conclusion && Object.hasOwn(conclusions, conclusion) ? conclusions[conclusion] : undefined;
  if (conclusion && known === undefined) {
    return { ignored: `a workflow run that ended as ${textOf(conclusion)}: it did nothing` };
  }
  const name = textOf(run.name) ?? textOf(workflow?.name) ?? 'workflow';
  const what =
    textOf(run.display_title, longest.title) ?? firstLine(run.head_commit?.message) ?? `run ${run.id}`;
  return {
    change: {
      externalId: externalIdOf('workflow_run', repo.full_name, run.id, run.run_attempt),
      type: typeOfRun(name, mapping.deploys),
      status: known ?? 'started',
      service: repositoryService(mapping, repo),
      environment: mapping.environment,
      title: textOf(`${name}: ${what}`, longest.title) ?? name,
      version: versionOf(run.head_branch, run.head_sha),
      previousVersion: null,
      author: textOf(run.triggering_actor?.login) ?? textOf(run.actor?.login),
      url: linkOf(run.html_url),
      at: instantOf(run.run_started_at) ?? instantOf(run.created_at),
      begins: false,
      data: dataOf({
        Repository: textOf(repo.full_name),
        Branch: textOf(run.head_branch),
        Commit: textOf(run.head_sha),
        'Run by': textOf(run.event),
      }),
    },
  };
}

const files = z.array(z.string()).max(5_000).catch([]);
const pushMessage = z.object({
  repository,
  ref: z.string().min(1),
  after: z.string().min(1),
  deleted: z.boolean().catch(false),
  compare: anything,
  head_commit: z.object({ message: anything, timestamp: anything }).nullish().catch(null),
  commits: z.array(z.object({ added: files, modified: files, removed: files })).catch([]),
  pusher: z.object({ name: anything }).nullish().catch(null),
  sender: person,
});

function readPush(payload: unknown, mapping: ChangeMapping): ReadChange {
  const parsed = pushMessage.safeParse(payload);
  if (!parsed.success) return invalidBody(parsed.error);
  const { repository: repo, ref, after, deleted, commits, head_commit: head, ...push } = parsed.data;
  const tag = /^refs\/tags\/(.+)$/s.exec(ref)?.[1];
  const branch = /^refs\/heads\/(.+)$/s.exec(ref)?.[1];
  if (deleted) return { ignored: `${textOf(ref)} was deleted` };
  if (tag === undefined && branch !== repo.default_branch) {
    return { ignored: `a push to ${textOf(branch) ?? textOf(ref)}, which is not the default branch` };
  }
  const touched = commits.flatMap(({ added, modified, removed }) => [...added, ...modified, ...removed]);
  const message = firstLine(head?.message);
  const title = tag === undefined ? message : [`Tag ${textOf(tag)}`, message].filter(Boolean).join(': ');
  return {
    change: {
      externalId: externalIdOf('push', repo.full_name, tag === undefined ? after : ref),
      type: typeOfFiles(touched),
      status: 'succeeded',
      service: repositoryService(mapping, repo),
      environment: mapping.environment,
      title: textOf(title, longest.title) ?? `Push to ${textOf(branch)}`,
      version: tag === undefined ? textOf(shortSha(after)) : textOf(tag, longest.version),
      previousVersion: null,
      author: textOf(push.pusher?.name) ?? textOf(push.sender?.login),
      url: linkOf(push.compare),
      at: instantOf(repo.pushed_at) ?? instantOf(head?.timestamp),
      begins: false,
      data: dataOf({
        Repository: textOf(repo.full_name),
        Branch: textOf(branch),
        Commits: commits.length === 0 ? null : String(commits.length),
        Files: touched.length === 0 ? null : textOf(touched.slice(0, 20).join(', '), longest.title),
      }),
    },
  };
}

function repositoryService(mapping: ChangeMapping, repo: z.output<typeof repository>): string | null {
  return serviceOf(mapping, [textOf(repo.full_name), textOf(repo.name)]);
}
