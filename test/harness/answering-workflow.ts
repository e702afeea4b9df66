import { ApplicationFailure } from '@temporalio/common';
import { condition, defineSignal, setHandler, sleep } from '@temporalio/workflow';
import {
  type Accepted,
  acknowledge,
  addNote,
  approve,
  refusedType,
  regroup,
} from '../../workflows/messages.ts';

export const finish = defineSignal('finish');

/** Answers people's messages as incidents and executions do, and counts those that it carried out. */
export async function answering(): Promise<number> {
  let carriedOut = 0;
  let isFinished = false;
  const answer = (): Accepted => ({ seq: ++carriedOut, status: 'investigating' });
  setHandler(acknowledge, answer, {
    validator: ({ note }) => {
      if (note === 'too late') throw ApplicationFailure.nonRetryable('ana has it since 03:02', refusedType);
    },
  });
  setHandler(addNote, async () => {
    await sleep(30);
    return answer();
  });
  setHandler(regroup, ({ into }) => ({ ...answer(), into: into ?? 4711 }));
  setHandler(approve, async () => {
    await condition(() => isFinished);
    throw new Error('unreachable in time');
  });
  setHandler(finish, () => {
    isFinished = true;
  });
  await condition(() => isFinished);
  return carriedOut;
}

/** Under the names of what the client starts. */
export { answering as capacityReport, answering as execution, answering as slaReport };
