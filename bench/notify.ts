import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSmtp } from '../test/parts/smtp.ts';
import { firingAlert, post, webhookOf } from './alerts.ts';
import { percentile, printFigure } from './figure.ts';
import { until, withHoldfast } from './holdfast.ts';

const warmUp = 5;
const samples = 100;
/** Between two samples, so that each finds Holdfast idle. */
const pauseMs = 100;

/** From the webhook's post to the moment at which a real SMTP server has the last byte of the mail. */
export async function benchNotify(): Promise<void> {
  const smtp = await startSmtp();
  try {
    await withHoldfast(
      async (holdfast) => {
        const milliseconds: number[] = [];
        for (let sample = -warmUp; sample < samples; sample++) {
          const service = `service-${randomBytes(6).toString('hex')}`;
          const body = webhookOf([firingAlert(service, service)]);
          const posted = Date.now();
          await post(holdfast, body);
          const mailOf = () => smtp.mails.find(({ email }) => email.subject?.includes(service));
          await until(() => mailOf() !== undefined, `the mail about ${service} came`, 30_000);
          if (sample >= 0) milliseconds.push((mailOf()?.at ?? Number.NaN) - posted);
          await sleep(pauseMs);
        }
        printFigure({ name: 'notify_p50', value: percentile(milliseconds, 50) / 1000, unit: 's' });
        printFigure({ name: 'notify_p99', value: percentile(milliseconds, 99) / 1000, unit: 's' });
      },
      { SMTP_URL: smtp.url },
    );
  } finally {
    await smtp.close();
  }
}
