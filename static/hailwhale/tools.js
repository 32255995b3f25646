/* The controls of a graph: live or not, the pickers of period and view, dates, and downloads. */

import { el, icon } from './dom.js';
import { period as inWords } from './formats.js';
import { PERIODS, VIEWS } from './options.js';

/**
 * What the reader can ask for.
 * @typedef {object} Callbacks
 * @property {(period: string) => void} period
 * @property {(view: HailWhale.View) => void} view
 * @property {() => void} live
 * @property {() => void} csv
 * @property {() => void} png
 * @property {() => void} retry
 */

/** @type {Readonly<Record<HailWhale.View, string>>} */
const VIEW_NAMES = {
  line: 'Line',
  area: 'Area',
  stacked: 'Stacked',
  bar: 'Bars',
  table: 'Table',
  number: 'Numbers',
};
const MORE = 'M8 3.2a1.3 1.3 0 1 0 0-.1ZM8 8.1a1.3 1.3 0 1 0 0-.1ZM8 13a1.3 1.3 0 1 0 0-.1Z';

export class Tools {
  /**
   * @param {import('./options.js').Settled} options
   * @param {Callbacks} on
   */
  constructor(options, on) {
    this.on = on;
    this.periods = options.sealed ? null : this.periodPicker(options.periods || PERIODS);
    this.views = this.viewPicker();
    this.live = el(
      'button',
      { type: 'button', class: 'live', onclick: () => on.live() },
      ...[el('i'), el('span', {}, 'Live')],
    );
    this.zone = el('p', { class: 'zone' });
    this.menu = this.more();
    this.from = el('input', { type: 'date', required: true, 'aria-label': 'From' });
    this.to = el('input', { type: 'date', required: true, 'aria-label': 'To' });
    /** The form of two dates; null where periods cannot be picked. */
    this.custom = options.sealed ? null : this.dates();
    const parts = [this.live, this.periods, this.views, this.menu];
    this.element = el('div', { class: 'tools', part: 'tools' }, ...parts);
  }

  /** @param {readonly string[]} periods */
  periodPicker(periods) {
    return el(
      'select',
      { 'aria-label': 'Period', onchange: () => this.picked() },
      ...periods.map((text) => el('option', { value: text }, inWords(text))),
      el('option', { value: 'custom' }, 'Dates …'),
    );
  }

  viewPicker() {
    /** @type {HTMLSelectElement} */
    const picker = el(
      'select',
      { 'aria-label': 'View', onchange: () => this.on.view(VIEWS[picker.selectedIndex]) },
      ...VIEWS.map((view) => el('option', { value: view }, VIEW_NAMES[view])),
    );
    return picker;
  }

  more() {
    /** @type {(text: string, act: () => void) => HTMLElement} */
    const entry = (text, act) => {
      const onclick = () => {
        menu.open = false;
        act();
      };
      return el('button', { type: 'button', onclick }, text);
    };
    const summary = el('summary', { 'aria-label': 'More', title: 'More' }, icon(MORE));
    const entries = [entry('Download CSV', this.on.csv), entry('Download PNG', this.on.png)];
    const menu = el('details', { class: 'menu' }, summary, el('div', {}, ...entries, this.zone));
    menu.addEventListener('focusout', ({ relatedTarget }) => {
      if (!(relatedTarget instanceof Node && menu.contains(relatedTarget))) menu.open = false;
    });
    menu.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') {
        menu.open = false;
        summary.focus();
      }
    });
    return menu;
  }

  dates() {
    const onsubmit = (/** @type {Event} */ event) => {
      event.preventDefault();
      const [from, to] = [this.from.value, this.to.value].sort();
      this.on.period(`${from}..${to}`);
    };
    return el(
      'form',
      { class: 'custom', hidden: true, onsubmit },
      ...[this.from, el('span', {}, '–'), this.to],
      el('button', { type: 'submit', class: 'quiet' }, 'Show'),
    );
  }

  picked() {
    if (!this.periods || !this.custom) return;
    const own = this.periods.value === 'custom';
    this.custom.hidden = !own;
    if (own) this.from.focus();
    else this.on.period(this.periods.value);
  }

  /**
   * Show the current choices; a period that the picker does not have is added to it.
   * @param {object} state
   * @param {string} state.period
   * @param {HailWhale.View} state.view
   * @param {boolean} state.live
   * @param {number} state.every_s
   */
  settle({ period, view, live, every_s }) {
    if (this.periods && this.custom) {
      const known = [...this.periods.options].some((option) => option.value === period);
      if (!known) this.periods.prepend(el('option', { value: period }, inWords(period)));
      if (this.periods.value !== period) this.periods.value = period;
      this.custom.hidden = !/^\d{4}-\d\d-\d\d\.\./.test(period);
    }
    this.views.value = view;
    this.live.setAttribute('aria-pressed', String(live));
    this.live.title = live
      ? `Refreshes every ${every_s} s; click to pause`
      : 'Paused; click to refresh again';
  }
}
