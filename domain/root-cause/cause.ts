/** A service that may be where the trouble comes from. */
export interface Cause {
  service: string;
  /** 0 to 1, for the order among the causes of one incident. */
  score: number;
  /** 0 to 1: how sure it is that it is this one and none of the others. */
  confidence: number;
  /** Sentences for people, the weightiest first. */
  reasons: string[];
}
