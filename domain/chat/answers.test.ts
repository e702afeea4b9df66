import { describe, expect, it } from 'vitest';
import { problemsOfMessage, problemsOfModal } from '../../test/harness/slack-shapes.ts';
import {
  type ChatIncident,
  helpAnswer,
  incidentAnswer,
  incidentListAnswer,
  linkAnswer,
  onCallAnswer,
  plainAnswer,
} from './answers.ts';
import { chooseRunbookModal, falsePositiveModal, runModal, voteModal } from './slack-modals.ts';

const publicUrl = 'https://holdfast.example.com';
const hostile = `<!channel> & <https://evil.example|click> \u202eabc ${'&'.repeat(4000)} 👩‍🚒\n\n\`*_~`;
const at = new Date('2026-11-21T02:14:00Z');

const incident: ChatIncident = {
  number: 42,
  title: hostile,
  severity: 'critical',
  status: 'investigating',
  service: hostile,
  openedAt: at,
  acknowledgedBy: hostile,
  sentence: [
    { strong: hostile },
    { text: hostile },
    { clock: at.toISOString() },
    { text: hostile, href: '/x' },
  ],
  resolvedAt: null,
  alertCount: 14,
  firingCount: 3,
  recordedSeq: 9,
  opening: 2,
  approvals: Array.from({ length: 30 }, (_, index) => ({
    id: `0f0e0d0c-0000-4000-8000-${String(index).padStart(12, '0')}`,
    executionId: '0f0e0d0c-0000-4000-8000-00000000aaaa',
    runbook: hostile,
    target: hostile,
    requestedBy: hostile,
    expiresAt: at,
    required: 2,
    given: 1,
  })),
};

describe('what Slack is sent, whatever was said', () => {
  it.each([
    [
      'a list of a bad night',
      incidentListAnswer(Array(60).fill(incident), { total: 999, asked: hostile, publicUrl }),
    ],
    ['an incident with many approvals', incidentAnswer(incident, publicUrl)],
    ['a refusal', plainAnswer(hostile)],
    ['the help', helpAnswer(hostile)],
    ['an offer to link', linkAnswer('Who are you?', `${publicUrl}/chat/link/x`, 15)],
    [
      'who is on call',
      onCallAnswer(
        Array.from({ length: 80 }, () => ({
          schedule: hostile,
          entries: Array(40).fill({
            person: hostile,
            rotation: hostile,
            until: at,
            override: false,
            shadow: true,
          }),
        })),
        publicUrl,
      ),
    ],
  ])('%s keeps to its limits, and calls nobody', (_, message) => {
    expect(problemsOfMessage(message)).toEqual([]);
  });

  it.each([
    [
      'a vote',
      voteModal('reject', { ...incident.approvals[0]!, message: hostile, steps: Array(90).fill(hostile) }),
    ],
    ['a false positive', falsePositiveModal(incident, { asOf: 9, opening: 2 })],
    [
      'a choice among many runbooks',
      chooseRunbookModal(
        Array.from({ length: 250 }, (_, index) => ({ name: `runbook-${index}`, description: hostile })),
        42,
      ),
    ],
    [
      'a run with many inputs',
      runModal(
        {
          name: 'restart',
          description: hostile,
          inputs: Array.from({ length: 60 }, (_, index) => ({
            name: `input_${index}`,
            description: hostile,
            options: index % 2 === 0 ? ['small', hostile] : ['small', 'large'],
          })),
        },
        42,
      ),
    ],
  ])('the form of %s does, too', (_, modal) => {
    expect(problemsOfModal(modal)).toEqual([]);
  });

  it('shows no button for what is over', () => {
    const over = { ...incident, status: 'resolved' as const, resolvedAt: at, approvals: [] };
    const text = JSON.stringify(incidentAnswer(over, publicUrl));
    expect(text).toContain('holdfast.view');
    expect(text).not.toMatch(/holdfast\.(acknowledge|run|false_positive)/);
  });

  it('says that nobody is on call where only somebody shadows', () => {
    const entry = { person: 'ana', rotation: 'nights', until: at, override: false, shadow: true };
    const text = JSON.stringify(onCallAnswer([{ schedule: 'payments', entries: [entry] }], publicUrl));
    expect(text).toContain('nobody is on call');
    expect(text).toContain('shadowing');
  });
});
