import { z } from 'zod';
import { type Approval, approval, executionDetail } from './answers.ts';
import { type CommandContext, typed } from './command.ts';
import { CliError, exitCodes } from './exit-codes.ts';
import { ApiRefusal } from './holdfast-api.ts';

export const uuid = z.uuid('write an id such as 018f4e2a-7c1b-7d3e-9a55-0242ac120002');

/**
 * The approval that is meant by its own id, or by the execution that waits for it: whoever has just followed an
 * execution has that id at hand. Throws CliError.
 */
export async function approvalOf(given: string, { api }: CommandContext): Promise<Approval> {
  const id = typed(uuid, given, 'the id of an approval or execution');
  try {
    const { data } = await api.get(`/api/v1/executions/${id}`, executionDetail);
    const pending = data.approvals.filter(({ status }) => status === 'pending');
    const [only] = pending;
    if (only && pending.length === 1) return only;
    throw new CliError(
      exitCodes.negative,
      only
        ? `execution ${id} waits for several approvals; name one of them: ${pending.map((each) => each.id).join(', ')}`
        : `execution ${id} waits for no approval: it is ${data.status}`,
    );
  } catch (error) {
    if (!(error instanceof ApiRefusal) || error.status !== 404) throw error;
  }
  return (await api.get(`/api/v1/approvals/${id}`, approval)).data;
}
