import type { GitImport } from '../../db/git-sources.ts';
import { lines, oneLine } from '../../domain/markup.ts';
import { shortCommit } from '../../domain/runbook-import/commit.ts';
import type { Mail } from './mail-layout.ts';
import { count, type Message, type MessageSource, oneLineSubject } from './message.ts';
import { clockText } from './moments.ts';

// with the lengths below, a mail of nothing but escaped characters stays under the 100 KB at which clients cut
const problemsTold = 20;

/** To the author of a push that was not taken over: where it is wrong, and that nothing has changed. */
export function importMessage(
  source: Pick<MessageSource, 'publicUrl' | 'reader' | 'now' | 'timeZone'>,
  refused: GitImport,
): Message {
  const { problems, sourceId } = refused;
  const commit = shortCommit(refused.commit);
  const what = `${count(problems.length, 'problem')} in your push`;
  const more = problems.length - problemsTold;
  const mail: Mail = {
    sentence: `Holdfast did not take over commit ${commit}: ${count(problems.length, 'problem')} in its runbooks.`,
    meta: ['import refused', `commit ${commit}`],
    tone: 'high',
    buttons: [{ label: 'Open the source', url: `${source.publicUrl}/settings/git-sources/${sourceId}` }],
    blocks: [
      {
        kind: 'paragraph',
        text: 'None of it is in force: the runbooks of the last good commit go on to hold. Mend these and push again.',
      },
      {
        kind: 'list',
        heading: 'What to mend',
        items: problems.slice(0, problemsTold).map(({ file, line, col, message }) => ({
          text: oneLine(`${file}:${line}:${col}`, 200),
          note: lines(message, 500),
        })),
        ...(more > 0 && { note: `And ${count(more, 'problem')} more on the source's page.` }),
      },
      {
        kind: 'facts',
        heading: 'The push',
        rows: [
          { label: 'Commit', value: oneLine(refused.commit, 64) },
          { label: 'Subject', value: oneLine(refused.subject, 200) || 'none' },
          { label: 'Author', value: oneLine(`${refused.author} <${refused.authorEmail}>`, 200) },
          { label: 'Committed', value: clockText(refused.committedAt, source) },
        ],
      },
    ],
    footer: `${oneLine(source.reader, 200)} is told as the author of the commit.`,
    publicUrl: source.publicUrl,
  };
  return { subject: oneLineSubject(`[runbooks] ${commit} was refused: ${what}`), mail, urgent: false };
}
