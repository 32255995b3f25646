/* The colors of series: each keeps its own for as long as it is there, whatever comes and goes.
 *
 * A color is a custom property of the style (`--hw-1`), resolved in the current theme.
 */

const SLOTS = 10;

/** @typedef {number | 'ink' | 'other'} Slot */

export class Colors {
  /** @param {HTMLElement} probe an element that is colored to read off the computed color */
  constructor(probe) {
    this.probe = probe;
    /** @type {Map<string, Slot>} */
    this.slots = new Map();
    /** @type {Map<string, string>} */
    this.found = new Map();
    /** @type {CSSStyleDeclaration | null} */
    this.painted = null;
    /** @type {(key: string) => string | undefined} */
    this.own = () => undefined;
  }

  /**
   * Give each series a color that no other one has; `own` returns a CSS color set for a key.
   * @param {HailWhale.Series[]} series
   * @param {(key: string) => string | undefined} own
   */
  assign(series, own) {
    this.forget();
    this.own = own;
    const keys = new Set(series.map((one) => one.key));
    for (const key of this.slots.keys()) if (!keys.has(key)) this.slots.delete(key);
    const parents = new Set(series.map((one) => one.parent));
    const used = new Set(this.slots.values());
    for (const one of series) {
      const whole = parents.has(one.key);
      const there = this.slots.get(one.key);
      if (there !== undefined && (there === 'ink') === whole) continue;
      let slot = 0;
      while (used.has(slot)) slot += 1;
      const chosen = whole ? 'ink' : one.other ? 'other' : slot;
      this.slots.set(one.key, chosen);
      used.add(chosen);
    }
  }

  /** Forget the resolved colors, when the theme may have changed. */
  forget() {
    this.painted = null;
    this.found.clear();
  }

  /** Return the dashes of the series past the tenth, by key. */
  dashes() {
    /** @type {Map<string, number[]>} */
    const dashes = new Map();
    for (const [key, slot] of this.slots) {
      if (typeof slot !== 'number' || slot < SLOTS) continue;
      dashes.set(key, slot >= 2 * SLOTS ? [2, 3] : [7, 3]);
    }
    return dashes;
  }

  /**
   * Return the color of a series, or of a custom property (`--hw-ink`), in the current theme.
   * @param {string} key
   */
  of(key) {
    const known = this.found.get(key);
    if (known !== undefined) return known;
    if (!this.painted) this.painted = getComputedStyle(this.probe);
    const named = key.startsWith('--');
    const own = named ? '' : this.own(key);
    this.probe.style.color = own || `var(${named ? key : this.property(key)})`;
    const color = this.painted.color;
    this.found.set(key, color);
    return color;
  }

  /** @param {string} key */
  property(key) {
    const slot = this.slots.get(key);
    return typeof slot === 'number' ? `--hw-${(slot % SLOTS) + 1}` : `--hw-${slot}`;
  }
}
