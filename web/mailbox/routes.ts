import { Router } from 'express';
import type { Mail, Mailbox } from '../deps.ts';
import { sendFramedHtml } from '../layout/frame-html.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { requireRole } from '../visitor.ts';

const shown = 100;

/** The embedded mailbox. It holds links that act in other people's names, so it takes an admin to read it. */
export function mailboxRoutes(mailbox: Mailbox, pages: Pages): Router {
  const router = Router();
  router.use('/mailbox', requireRole('admin'));

  router.get('/mailbox', async (request, response) => {
    const mails = await mailbox.list(shown);
    await pages.show(request, response, {
      template: 'mailbox/list',
      view: {
        mails: mails.map(({ id, subject, to, receivedAt }) => ({
          id,
          href: `/mailbox/${encodeURIComponent(id)}`,
          subject: subject || '(no subject)',
          to: to.join(', '),
          receivedAt,
        })),
      },
      title: 'Mailbox',
      section: 'mailbox',
    });
  });

  router.get('/mailbox/:id', async (request, response) => {
    const mail = await find(String(request.params.id));
    const path = `/mailbox/${encodeURIComponent(mail.id)}`;
    await pages.show(request, response, {
      template: 'mailbox/show',
      view: {
        path,
        subject: mail.subject || '(no subject)',
        from: mail.from,
        to: mail.to.join(', '),
        receivedAt: mail.receivedAt,
        text: mail.text,
        htmlHref: mail.html === null ? null : `${path}/html`,
        asText: mail.html === null || request.query.part === 'text',
      },
      title: mail.subject,
      section: 'mailbox',
      narrow: true,
    });
  });

  router.get('/mailbox/:id/html', async (request, response) => {
    const mail = await find(String(request.params.id));
    if (mail.html === null) throw new NotFoundError('This mail has no HTML part.');
    sendFramedHtml(response, mail.html);
  });

  async function find(id: string): Promise<Mail> {
    const mail = await mailbox.get(id);
    if (!mail) throw new NotFoundError('There is no such mail; the oldest are removed.');
    return mail;
  }

  return router;
}
