import { type PastAlert, previewSilence, type SilencePreview } from '../domain/silences/preview.ts';
import { concerns, type Silence } from '../domain/silences/silence.ts';
import type { OpenKind } from './silences.ts';

/** A silence to try, and what it is tried on. */
export interface SilenceToTry {
  silence: Silence;
  /** Newest first. */
  alerts: PastAlert[];
  open: OpenKind[];
}

export interface TriedSilence extends SilencePreview {
  /** Of incidents that are open now: alerts that fire and that it would catch, and the incidents. */
  now: { alerts: number; incidents: number[] };
}

/** What a thread of silence-preview.ts runs. */
export default function trySilence({ silence, alerts, open }: SilenceToTry): TriedSilence {
  const caught = open.filter((kind) => kind.firing > 0 && concerns(silence, kind));
  return {
    ...previewSilence(silence, alerts),
    now: {
      alerts: caught.reduce((sum, { firing }) => sum + firing, 0),
      incidents: [...new Set(caught.map(({ number }) => number))].sort((a, b) => b - a),
    },
  };
}
