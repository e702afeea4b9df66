import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type SlackDouble, startSlackDouble } from '../test/harness/slack-double.ts';
import { type SmtpReceiver, startSmtp } from '../test/parts/smtp.ts';
import { firingAlert, post, webhookOf } from './alerts.ts';
import { note, percentile, printFigure } from './figure.ts';
import { type Holdfast, until, withHoldfast } from './holdfast.ts';

const token = 'xoxb-bench-token';
const conversation = 'C0BENCH';
const reader = 'pager@example.com';
const warmUp = 5;
/** Milliseconds between two incidents: Slack takes a message a second, so that it has as much as it takes. */
const everyMs = 1000;
/** Seconds for which Slack asks with each answer. */
const patience = 5;

/**
 * Whether a destination that asks for patience delays another: incidents that page by mail and by Slack, first with a
 * Slack that takes them, then with one that answers 429 all the time. Measured from the webhook's post to the last
 * byte of the mail, by default for a minute each.
 */
export async function benchSlowDestination(seconds = 60): Promise<void> {
  const smtp = await startSmtp();
  const slack = await startSlackDouble({ token, conversations: [conversation] });
  try {
    await withHoldfast(
      async (holdfast) => {
        await pageByBoth(holdfast);
        await mailTimes(holdfast, smtp, warmUp);
        const baseline = await mailTimes(holdfast, smtp, seconds);
        const taken = slack.messages(conversation).length;
        slack.askForPatience = patience;
        const asked = slack.calls.length;
        const slow = await mailTimes(holdfast, smtp, seconds);
        report(slack, { taken, asked });
        for (const [name, percent] of [
          ['slow_destination_mail_p50', 50],
          ['slow_destination_mail_p99', 99],
        ] as const) {
          const [value, before] = [percentile(slow, percent) / 1000, percentile(baseline, percent) / 1000];
          printFigure({ name, value, unit: 's', baseline: before, ratio: value / before });
        }
      },
      { SMTP_URL: smtp.url, HOLDFAST_SLACK_API_URL: slack.apiUrl },
    );
  } finally {
    await slack.close();
    await smtp.close();
  }
}

function report(slack: SlackDouble, before: { taken: number; asked: number }): void {
  const refused = slack.calls.length - before.asked;
  note(`Slack had ${before.taken} messages, then refused ${refused} requests with 429`);
}

async function pageByBoth(holdfast: Holdfast): Promise<void> {
  await put(holdfast, 'notification-channels/slack', { type: 'slack', token, channel: conversation });
  const targets = [
    { type: 'channel', name: 'slack' },
    { type: 'email', address: reader },
  ];
  await put(holdfast, 'escalation-policies/default', { levels: [{ after: '0s', targets }] });
}

async function put({ url, ownerToken }: Holdfast, path: string, body: object): Promise<void> {
  const answer = await fetch(`${url}/api/v1/${path}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${ownerToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
}

/** Milliseconds that each of the mails took, of as many incidents; none waits for the one before. */
async function mailTimes(holdfast: Holdfast, smtp: SmtpReceiver, incidents: number): Promise<number[]> {
  const posted = new Map<string, number>();
  for (let incident = 0; incident < incidents; incident++) {
    const service = `service-${randomBytes(6).toString('hex')}`;
    posted.set(service, Date.now());
    await post(holdfast, webhookOf([firingAlert(service, service)]));
    await sleep(everyMs);
  }
  const times = () =>
    [...posted].flatMap(([service, at]) => {
      const mail = smtp.mails.find(
        ({ email, envelopeTo }) => envelopeTo.includes(reader) && email.subject?.includes(service),
      );
      return mail ? [mail.at - at] : [];
    });
  await until(() => times().length === posted.size, 'every mail came', 60_000);
  return times();
}
