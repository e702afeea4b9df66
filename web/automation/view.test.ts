import { describe, expect, it } from 'vitest';
import type { AutomationStop, RunningExecution } from '../../db/automation.ts';
import { type AutomationFacts, automationView } from './view.ts';

const now = Date.parse('2026-06-01T10:00:00Z');
const red = { id: 'r', slug: 'red', name: 'Red' };
const facts = (given: Partial<AutomationFacts> = {}): AutomationFacts => ({
  stops: [],
  running: [],
  circuits: [],
  targets: [],
  rules: [],
  teams: [red],
  ...given,
});
const stop = (team: AutomationStop['team'] = null): AutomationStop => ({
  team,
  stoppedAt: new Date(now),
  stoppedBy: 'ana@example.com',
  reason: 'failing over',
});
const running = (given: Partial<RunningExecution> = {}): RunningExecution => ({
  id: 'x',
  teamId: null,
  runbook: 'restart',
  target: 'checkout',
  requestedBy: 'Holdfast',
  incidentNumber: null,
  since: new Date(now),
  step: null,
  stopped: true,
  goesOn: false,
  ...given,
});
const anything = () => true;
const viewer = () => false;

describe('the page of automation', () => {
  it('says in one sentence how it stands', () => {
    const sentence = (given: Partial<AutomationFacts>) => automationView(facts(given), anything).sentence;
    expect(sentence({})).toBe('Automation is on: nothing runs now.');
    expect(sentence({ running: [running({ stopped: false })] })).toBe('Automation is on: 1 run now.');
    expect(sentence({ stops: [stop()] })).toBe(
      'Automation is stopped: nothing new runs, by itself or by hand.',
    );
    expect(sentence({ stops: [stop()], running: [running(), running({ goesOn: true })] })).toMatch(
      /1 run that had begun waits for your word\.$/,
    );
    expect(sentence({ stops: [stop(red)] })).toBe(
      'Automation is stopped for 1 team and on for everybody else.',
    );
  });

  it('offers to stop what is not stopped, to whom it may', () => {
    const places = (given: Partial<AutomationFacts>, may = anything) =>
      automationView(facts(given), may).places.map(({ value }) => value);
    expect(places({})).toEqual(['', 'red']);
    expect(places({ stops: [stop(red)] })).toEqual(['']);
    expect(places({ stops: [stop()] })).toEqual([]);
    expect(places({}, viewer)).toEqual([]);
  });

  it('asks about what runs where it is stopped, and only those who may answer', () => {
    const view = (may: () => boolean, given: Partial<RunningExecution> = {}) =>
      automationView(facts({ stops: [stop()], running: [running(given)] }), may);
    expect(view(anything)).toMatchObject({ undecided: 1, cancelAll: 1, running: [{ asks: true }] });
    expect(view(viewer)).toMatchObject({ undecided: 1, cancelAll: 0, running: [{ asks: false }] });
    expect(view(anything, { goesOn: true })).toMatchObject({
      undecided: 0,
      running: [{ asks: false, goesOn: true }],
    });
  });

  it('shows the default of the organization where nobody has set a limit', () => {
    const rules = (given: Partial<AutomationFacts>) => automationView(facts(given), anything).rules;
    expect(rules({})).toMatchObject([{ what: 'The organization', maxPerHour: '10 (default)' }]);
    const set = {
      scope: 'target' as const,
      name: 'db/*',
      rules: { deny: { commands: ['reboot'], hosts: ['a', 'b'] } },
      updatedAt: new Date(now),
      updatedBy: 'ana@example.com',
    };
    expect(rules({ rules: [set] })[1]).toMatchObject({
      what: 'Targets db/*',
      href: '/automation/rules/edit?scope=target&name=db%2F*',
      maxPerHour: '',
      deny: 'commands: reboot; hosts: a, b',
    });
  });
});
