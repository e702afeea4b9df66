/** What is made of an incident's evidence, beside its causes (domain/root-cause) and logs (domain/logs). */

/** An incident of the past that looks like this one. */
export interface SimilarIncident {
  number: number;
  /** 0 to 1. */
  score: number;
  /** What they share, in words: 'alert HighLatency', 'cause db-primary'. */
  reasons: string[];
}

/** A series drawn beside the incident. */
export interface IncidentMetric {
  /** For people: the alert's name, or the expression. */
  title: string;
  /** PromQL. */
  expression: string;
  service: string | null;
  unit: string | null;
  series: { name: string; points: [unixSeconds: number, value: number][] }[];
  /** Named on the line; null where the expression compares with nothing. */
  threshold: number | null;
  /** To the same query in the metric source's own pages. */
  link: string | null;
}
