import { expect, it } from 'vitest';
import { type EndedStep, retryOf } from './retry.ts';

const step = (status: EndedStep['status'], more: Partial<EndedStep> = {}): EndedStep => ({
  status,
  undo: null,
  mayFail: false,
  again: false,
  ...more,
});

it('goes on from the step that failed, and takes over what succeeded and was not undone', () => {
  const steps = [
    step('succeeded'),
    step('succeeded', { undo: 'succeeded' }),
    step('succeeded', { undo: 'skipped' }),
    step('failed'),
    step('skipped'),
  ];
  expect(retryOf(steps)).toEqual({ from: 3, takenOver: [0, 2] });
});

it('does not repeat what succeeded after a step that was allowed to fail', () => {
  const steps = [step('failed', { mayFail: true }), step('succeeded'), step('failed')];
  expect(retryOf(steps)).toEqual({ from: 2, takenOver: [1] });
});

it('asks and verifies again, whatever was said and seen then', () => {
  const steps = [
    step('succeeded', { again: true }),
    step('succeeded'),
    step('succeeded', { again: true }),
    step('failed', { again: true }),
  ];
  expect(retryOf(steps)).toEqual({ from: 3, takenOver: [1] });
});

it('repeats nothing that succeeded after a step that was skipped', () => {
  const stopped = [step('succeeded'), step('skipped'), step('succeeded'), step('skipped')];
  expect(retryOf(stopped)).toEqual({ from: 3, takenOver: [0, 2] });
  const neverBegan = [step('succeeded'), step('pending'), step('succeeded'), step('pending')];
  expect(retryOf(neverBegan)).toEqual({ from: 3, takenOver: [0, 2] });
});

it('goes on from where a person stopped it', () => {
  expect(retryOf([step('succeeded'), step('cancelled'), step('skipped')])).toEqual({
    from: 1,
    takenOver: [0],
  });
  expect(retryOf([step('succeeded'), step('skipped')])).toEqual({ from: 1, takenOver: [0] });
  expect(retryOf([step('skipped'), step('skipped')])).toEqual({ from: 0, takenOver: [] });
});
