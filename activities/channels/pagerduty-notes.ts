import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { noteOfHoldfast } from '../../domain/pagerduty.ts';
import { askJson, type Post, type PostDeps } from './post-json.ts';

/** A note for the incident that PagerDuty has of a dedup key. */
export interface PagerDutyNote {
  dedupKey: string;
  /** As `noteForPagerDuty` writes it: PagerDuty's copy is known by its beginning. */
  content: string;
  /** When it was first tried. */
  since: Date;
}

export interface PagerDutyApiAccess {
  token: string;
  /** Mail address of a user there, in whose name it is written. */
  from: string;
}

const defaultApiUrl = 'https://api.pagerduty.com';
/** An incident has 2,000 notes at most; Holdfast's own are of 10,000 characters. */
const largestAnswerBytes = 32 * 1024 * 1024;
/** PagerDuty takes events before it makes an incident of them. */
const appearsWithinMs = 10 * 60_000;

/** The REST API of the service region whose Events API this is: https://support.pagerduty.com/docs/service-regions */
export function restApiUrlFor(eventsApiUrl: string | undefined): string {
  const host = eventsApiUrl === undefined ? undefined : URL.parse(eventsApiUrl)?.host;
  return host === 'events.eu.pagerduty.com' ? 'https://api.eu.pagerduty.com' : defaultApiUrl;
}

const incidents = z.object({
  incidents: z.array(z.object({ id: z.string().regex(/^\w{1,64}$/), status: z.string() })),
});
const notes = z.object({ notes: z.array(z.object({ content: z.string().nullish() })) });
const note = z.object({ note: z.object({ id: z.string() }) });

/**
 * The REST API v2, by which alone notes can be written: https://developer.pagerduty.com/api-reference (incidents, notes).
 * Throws as `postJson` does, with the names PagerDuty…, and PagerDutyNoIncident.
 */
export function createPagerDutyNotes(deps: PostDeps & { apiUrl?: string | undefined }) {
  const apiUrl = (deps.apiUrl ?? defaultApiUrl).replace(/\/+$/, '');

  async function ask<T>(
    schema: z.ZodType<T>,
    { token }: Pick<PagerDutyApiAccess, 'token'>,
    path: string,
    more: Partial<Post> = {},
  ): Promise<T> {
    const headers = {
      accept: 'application/vnd.pagerduty+json;version=2',
      authorization: `Token token=${sendable(token)}`,
      ...more.headers,
    };
    const post = { ...of, url: `${apiUrl}${path}`, method: 'GET' as const, ...more, headers };
    const parsed = schema.safeParse(await askJson(deps, post, largestAnswerBytes));
    if (parsed.success) return parsed.data;
    throw ApplicationFailure.retryable(
      `PagerDuty at ${new URL(apiUrl).host} answers what is no answer of its REST API`,
      'PagerDutyUnavailable',
    );
  }

  /** The one that is open; where none is, the newest. */
  async function incidentOf(access: PagerDutyApiAccess, dedupKey: string): Promise<string | undefined> {
    const query = new URLSearchParams({
      incident_key: dedupKey,
      // else those of the last month
      date_range: 'all',
      sort_by: 'created_at:desc',
      limit: '25',
    });
    const found = (await ask(incidents, access, `/incidents?${query}`)).incidents;
    return (found.find(({ status }) => status !== 'resolved') ?? found[0])?.id;
  }

  return {
    /** Writes it, unless it is there: an attempt of before may have come through. */
    async write(access: PagerDutyApiAccess, given: PagerDutyNote): Promise<{ response: string }> {
      const { dedupKey, content, since } = given;
      const incident = await incidentOf(access, dedupKey);
      if (incident === undefined) throw noIncident(deps.clock() - since.getTime());
      const path = `/incidents/${incident}/notes`;
      const there = (await ask(notes, access, path)).notes;
      if (there.some((each) => isSame(each.content ?? '', content))) {
        return { response: `the note is at ${incident} already` };
      }
      const written = await ask(note, access, path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', from: access.from },
        body: JSON.stringify({ note: { content } }),
      });
      return { response: `note ${written.note.id} at ${incident}` };
    },

    /** Whether the token may read; whether it may write shows with a note. */
    async probe(access: Pick<PagerDutyApiAccess, 'token'>): Promise<{ response: string }> {
      await ask(incidents, access, '/incidents?limit=1');
      return { response: 'the API token is good; only a note can tell whether it may write' };
    },
  };
}

const of = {
  noun: 'PagerDuty',
  kind: 'PagerDuty',
  remedy: (status: number): string => {
    switch (status) {
      case 401:
        return "Check the channel's apiToken: PagerDuty does not know it. It is an API access key of the REST API.";
      case 403:
        return "Check the channel's apiToken: it may not write notes. Make an API access key that is not read-only.";
      case 404:
        return "Check the channel's apiToken: it does not see the incident. Make it in the account, and the service region, of the routingKey.";
      default:
        return "Check the channel's notesFrom: it is the mail address of a user of PagerDuty.";
    }
  },
};

function isSame(theirs: string, ours: string): boolean {
  const [there, here] = [noteOfHoldfast(theirs), noteOfHoldfast(ours)];
  return there !== undefined && there.incident === here?.incident && there.seq === here.seq;
}

function noIncident(ageMs: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'PagerDutyNoIncident',
    nonRetryable: ageMs > appearsWithinMs,
    message:
      "PagerDuty has no incident of it that the channel's apiToken can see. Check that the token is of the account of the routingKey, and that no rule there suppresses its alerts.",
  });
}

/** A failure to send it as a header would hold it, and failures stand in the log of messages. */
function sendable(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw ApplicationFailure.nonRetryable(
    "the channel's apiToken has spaces, line breaks or other characters that no token has. Put the API access key alone.",
    'ChannelIncomplete',
  );
}
