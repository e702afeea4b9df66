import { expect, test } from 'vitest';
import { createSeenNote } from './integration-seen.ts';

test('what is stored is not answered with an error because its sender could not be noted', async () => {
  const errors: string[] = [];
  let asked = 0;
  const write = async (): Promise<never> => {
    asked++;
    throw new Error('away');
  };
  const noteSeen = createSeenNote({ db: { write }, log: { error: (_, message) => errors.push(message) } });
  const integration = { orgId: 'a', integrationId: '1' };
  await noteSeen(integration);
  await noteSeen(integration);
  expect(asked).toBe(1);
  expect(errors).toEqual(['that an integration spoke could not be noted']);
});
