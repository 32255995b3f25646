/* Types of the widget and of the beacon, for pages that use them.
 *
 * Scripts that a page loads by <script> declare globals: `HailWhale` and the jQuery plugin come with
 * jquery.hailwhale.js, `hailwhale(...)` with hailwhale.beacon.js. The plugin's types join those of
 * @types/jquery where a project has it.
 */

declare namespace HailWhale {
  // ---- The graph

  type View = 'line' | 'area' | 'stacked' | 'bar' | 'table' | 'number';
  type Theme = 'auto' | 'light' | 'dark';

  /** A pk, or a dimension: its labels, outermost first, or JSON of them, or one label. */
  type Path = string | number | readonly (string | number)[];

  /** Several dimensions: comma separated, a list, or nested as in `{country: 'US'}`. */
  type Dimensions =
    string | number | readonly (Path | object)[] | { readonly [label: string]: unknown };

  /** Several metrics or formulas: `'dollars,dollars/hits'` or a list. */
  type Metrics = string | readonly string[];

  /** Texts by label or by metric, or a function that names a series. */
  type Labels = ((series: Series) => string) | { readonly [label: string]: string };

  /** The options of a graph. What is left out keeps its default. */
  interface Options {
    // The query: the parameters of /plotpoints.
    pk?: Path;
    dimensions?: Dimensions;
    dimension?: Dimensions;
    metrics?: Metrics;
    metric?: Metrics;
    /** `'1d:1mo'` or a name such as `'today'`. */
    period?: string;
    tz?: string;
    tzoffset?: string | number;
    depth?: string | number;
    threshold?: string | number;
    limit?: string | number;
    sort?: string;
    other?: string | number | boolean;
    /** Another period to compare with. */
    compare?: string;

    // Appearance.
    view?: View;
    /** The same as `view: 'area'`. */
    area?: boolean | string | number;
    title?: string;
    /** Pixels, 40 to 4000. */
    height?: number | string;
    theme?: Theme;
    /** A language tag; the reader's own by default. */
    locale?: string;
    smooth?: boolean | string | number;
    /** The metrics on the second axis; by default those of another order of magnitude. */
    axis2?: Metrics;
    /** By metric, how its numbers are written; as an attribute JSON. */
    formats?: { readonly [metric: string]: Intl.NumberFormatOptions } | string;
    labels?: Labels | string;
    /** CSS colors by the name shown. */
    colors?: { readonly [name: string]: string } | string;
    controls?: boolean | string | number;
    legend?: boolean | string | number;
    table?: boolean | string | number;
    /** The periods of the picker. */
    periods?: string | readonly string[];

    // The data source.
    /** Whether it refreshes automatically. */
    live?: boolean | string | number;
    /** Seconds between two requests, 1 to 86400. */
    interval?: number | string;
    host?: string;
    hwurl?: string;
    token?: string;
    sealed?: string;
    /** Answers in place of the service; `query` is the query string it would get. */
    data?: (query: string, signal?: AbortSignal) => Answer | Promise<Answer>;
  }

  /** What `/graph.json` or `/plotpoints` answers, or a model. */
  type Answer = GraphAnswer | PointsAnswer | Model;

  interface GraphAnswer {
    tz?: string;
    /** The width of a bucket such as `'1d'`; `''` for a single bucket. */
    interval?: string;
    starts_ms: number[];
    end_ms: number;
    series: AnsweredSeries[];
  }

  interface AnsweredSeries {
    dimension: string[];
    metric: string;
    additive: boolean;
    total: number | null;
    /** One for each bucket; null where a quotient is by 0. */
    values: (number | null)[];
  }

  /** Points `[start in epoch milliseconds, value]` by dimension and metric. */
  interface PointsAnswer {
    [dimension: string]: { [metric: string]: [number, number | string][] };
  }

  /** What a graph draws: buckets in time, and for each series a value per bucket. */
  interface Model {
    tz: string;
    /** The width of a bucket such as `'1d'`; `''` where buckets are no spans of time. */
    interval: string;
    /** The texts of the buckets where these are no spans of time. */
    names: string[] | null;
    /** The start of each bucket in epoch milliseconds. */
    starts: number[];
    /** The end of the last bucket. */
    end: number;
    series: Series[];
    /** The buckets of the period compared with. */
    before?: { starts: number[]; end: number };
  }

  interface Series {
    /** Identifies the series within its model. */
    key: string;
    path: string[];
    metric: string;
    /** Whether values may be summed; those of a ratio may not. */
    additive: boolean;
    total: number | null;
    /** One for each bucket; null where a quotient is by 0. */
    values: (number | null)[];
    /** The key of the series that this one is a part of. */
    parent: string | null;
    /** Whether it sums up the children that are too small to be listed. */
    other: boolean;
    /** The same series in the period compared with. */
    ghost: { total: number | null; values: (number | null)[] } | null;
  }

  /** One bucket with the value of each series. */
  interface Bucket {
    at: number;
    start_ms: number;
    end_ms: number;
    values: { key: string; path: string[]; metric: string; value: number | null }[];
  }

  /** A live graph in an element. */
  class Graph {
    constructor(element: Element, options?: Options);
    /** The numbers received last. */
    readonly model: Model | null;
    /** Request the numbers now; resolves when they are drawn. */
    refresh(): Promise<void>;
    /** Change some options; resolves when the new numbers are drawn. */
    update(options: Options): Promise<void>;
    /** Hide a series, or show it again; `alone` hides all others. */
    toggle(key: string, alone?: boolean): void;
    /** The numbers shown, as CSV. */
    csv(): string;
    /** The graph as a PNG image. */
    png(): Promise<Blob>;
    /** Stop, and restore the element's former content. */
    destroy(): void;
  }

  // ---- The events of a graph's element, all of which bubble

  interface GraphDetail {
    graph: Graph;
  }
  interface DataDetail extends GraphDetail {
    model: Model;
  }
  interface ErrorDetail extends GraphDetail {
    /** `refused` (wrong request), `away` (store unavailable), `silent` (no answer), or `fault`. */
    kind: string;
    message: string;
    /** Seconds until the next attempt; 0: there will be none. */
    wait_s: number;
  }
  interface PeriodDetail extends GraphDetail {
    period: string;
  }
  interface ViewDetail extends GraphDetail {
    view: View;
  }
  interface ToggleDetail extends GraphDetail {
    /** The keys of the hidden series. */
    hidden: string[];
  }
  interface PickDetail extends GraphDetail, Bucket {}

  interface EventMap {
    'hailwhale:data': CustomEvent<DataDetail>;
    'hailwhale:error': CustomEvent<ErrorDetail>;
    'hailwhale:period': CustomEvent<PeriodDetail>;
    'hailwhale:view': CustomEvent<ViewDetail>;
    'hailwhale:toggle': CustomEvent<ToggleDetail>;
    'hailwhale:pick': CustomEvent<PickDetail>;
  }

  // ---- The plugin

  /** Give the plugin to a jQuery that was loaded after the widget. */
  function plugin<T extends JQueryStatic>(jquery: T): T;
  /** Draw a graph; null, and the reason in its place, where an option is wrong. */
  function graph(element: Element, options?: Options): Graph | null;
  /** Show an error in place of a graph. */
  function complain(element: Element, message: string): void;
  /** The address of the service that the widget came from. */
  let home: string;

  /** Where the options' defaults can be read. */
  interface Plugin<Matched> {
    readonly defaults: Readonly<Record<string, unknown>>;
    (options?: Options): Matched;
    (call: 'refresh' | 'destroy'): Matched;
    (call: 'update', options: Options): Matched;
    (call: 'toggle', key: string, alone?: boolean): Matched;
    (call: 'csv'): string | undefined;
    (call: 'png'): Promise<Blob> | undefined;
    (call: 'graph'): Graph | undefined;
  }

  /** `$.hailwhale(host)`: a service, and what can be drawn of it. */
  interface Service<Target, Matched> {
    readonly host: string;
    /** Draw a graph in each element that matches. */
    add_graph(target: Target, options?: Options): Matched;
    /** Draw a graph above each HTML table that matches. */
    graph_tables(target: Target, options?: Options): Graph[];
    /** Send random hits, for demonstrations. */
    trigger_fake_hits(options?: FakeHits): { readonly sent: number; stop(): void };
  }

  interface FakeHits {
    pk?: Path;
    /** By metric its amount, or the minimum and the maximum. */
    metrics?: { readonly [metric: string]: number | readonly [number, number] };
    /** By dimension its label, or labels to draw from; the first are the most likely. */
    dimensions?: { readonly [dimension: string]: string | readonly string[] };
    every_ms?: number;
    /** How many to send; Infinity by default. */
    hits?: number;
    /** A number from 0 up to 1, as `Math.random` returns. */
    random?: () => number;
  }

  // ---- The beacon

  /** An event; the parameters of `/count`. */
  interface Event {
    pk?: Path;
    dimensions?: Dimensions;
    dimension?: Dimensions;
    metrics?: string | { readonly [metric: string]: number | string };
    metric?: string | { readonly [metric: string]: number | string };
    /** `true`: a random id of the visitor, which the beacon makes and stores. */
    uid?: boolean | string | number;
    /** Seconds since the epoch; now by default. */
    at?: number;
    id?: string;
  }

  /** An event of a decision; the parameters of `/count_decision`. */
  interface DecisionEvent extends Event {
    option: string;
  }

  /** A decision to make; the parameters of `/decide`. */
  interface Decision {
    pk?: Path;
    options: readonly string[];
    by_metric?: string;
    goal?: 'max' | 'min';
    dimensions?: Dimensions;
    dimension?: Dimensions;
    /** Milliseconds until the first option is taken instead; 1000 by default. */
    timeout?: number;
    [parameter: string]: unknown;
  }

  /** The answer of `/decide`. */
  interface Decided {
    option: string;
    /** The probability with which the option was chosen. */
    propensity: number;
    [more: string]: unknown;
  }

  interface Beacon {
    (command: 'count', event: Event): void;
    (command: 'count_decision', event: DecisionEvent): void;
    /** `done` is called once; without an answer, with the first option alone. */
    (command: 'decide', decision: Decision, done: (option: string, answer?: Decided) => void): void;
    /** Whether the visitor consents to being counted. */
    (command: 'consent', given: boolean): void;
    /** The calls that wait until the script is loaded. */
    q?: Iterable<unknown>[];
    /** The address of the service, once the script is loaded. */
    home?: string;
  }
}

/** The beacon: `hailwhale('count', {pk: 'Signup'})`. */
declare var hailwhale: HailWhale.Beacon;

interface HTMLElementEventMap extends HailWhale.EventMap {}
interface DocumentEventMap extends HailWhale.EventMap {}

interface JQuery<TElement = HTMLElement> {
  /** Draw graphs, or call a method of those drawn: `$(el).hailwhale('refresh')`. */
  hailwhale: HailWhale.Plugin<this>;
}

interface JQueryStatic {
  /** The service at `host`; by default the one that the widget came from. */
  hailwhale(host?: string): HailWhale.Service<string | Element | ArrayLike<Element>, JQuery>;
}
