/* Answers of the routes, as far as the dashboard and the demo use them. */

export interface Known {
  metrics: string[];
  dimensions: string[];
  decision: boolean;
}

export interface RankRow {
  pk: string;
  dimension: string;
  value: number | null;
  share: number | null;
  importance: number | null;
}

export interface KnownOption {
  /** The probability that it is the best one. */
  best: number;
  estimate: number;
  interval: [number, number];
  share: number;
  hits: number;
  verdict: string;
  reason: string;
}

export interface Reasons {
  options: Record<string, KnownOption>;
  sample_ratio?: { warning?: string | null } | null;
}

export interface SpiedEvent {
  at: number;
  pk: string[];
  dimensions: string[][];
  metrics: Record<string, number | string>;
}

/** By period and dimension, the value of each metric. */
export type Totals = Record<string, Record<string, Record<string, number>>>;

export interface Answers {
  '/decide': HailWhale.Decided;
  '/graph.json': Required<HailWhale.GraphAnswer>;
  '/known': Known;
  '/pks': { pks: string[][] };
  '/rank': RankRow[];
  '/reasons': Reasons;
  '/spy': { events: SpiedEvent[] };
  '/subdimensions': Record<string, unknown[]>;
  '/totals': Totals;
}

export type Graph = Answers['/graph.json'];
