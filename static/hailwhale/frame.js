/* The frame around a graph: title, sums, the pickers of period and view, downloads, and its states.
 *
 * Owns the elements of the shadow root and what the reader can do with them; tells of it by the
 * callbacks it is given. Knows neither where numbers come from nor how they are drawn.
 */
(function (hw) {
  'use strict';

  const { el, icon, say } = hw.dom;
  const VIEW_NAMES = { line: 'Line', area: 'Area', stacked: 'Stacked', bar: 'Bars', table: 'Table', number: 'Numbers' };
  const MORE = 'M8 3.2a1.3 1.3 0 1 0 0-.1ZM8 8.1a1.3 1.3 0 1 0 0-.1ZM8 13a1.3 1.3 0 1 0 0-.1Z';

  class Frame {
    /** `on` has the callbacks period, view, live, csv, png, retry. */
    constructor(options, on) {
      this.on = on;
      this.title = el('h3', { class: 'title', part: 'title' });
      this.sums = el('p', { class: 'sums', part: 'sums' });
      this.notice = el('p', { class: 'notice', role: 'status', hidden: true });
      this.plot = el('div', { class: 'plot', part: 'plot', tabindex: '0', role: 'group', 'aria-roledescription': 'chart' });
      this.stateText = el('p', {});
      this.retry = el('button', { type: 'button', class: 'quiet', onclick: on.retry }, 'Try again');
      this.state = el('div', { class: 'state', role: 'status' }, this.stateText, this.retry);
      this.stage = el('div', { class: 'stage' }, this.plot, this.state);
      this.spoken = el('p', { class: 'sr', 'aria-live': 'polite' });
      this.zone = el('p', { class: 'zone' });
      this.probe = el('i', { hidden: true }); // what colours come to is read off it
      this.element = el('section', { class: 'graph', part: 'graph' },
        el('header', {}, el('div', { class: 'head' }, this.title, this.sums), options.controls ? this.tools(options) : null),
        this.custom, this.notice, this.stage, this.spoken, this.probe);
    }

    tools(options) {
      const periods = options.periods || hw.options.PERIODS;
      this.periods = options.sealed ? null : el('select', { 'aria-label': 'Period', onchange: () => this.picked() },
        ...periods.map((text) => el('option', { value: text }, hw.formats.period(text))),
        el('option', { value: 'custom' }, 'Dates …'));
      this.views = el('select', { 'aria-label': 'View', onchange: () => this.on.view(this.views.value) },
        ...hw.options.VIEWS.map((view) => el('option', { value: view }, VIEW_NAMES[view])));
      this.live = el('button', { type: 'button', class: 'live', onclick: () => this.on.live() }, el('i', {}), el('span', {}, 'Live'));
      this.custom = options.sealed ? null : this.dates();
      const entry = (text, act) => el('button', { type: 'button', onclick: () => { this.menu.open = false; act(); } }, text);
      this.menu = el('details', { class: 'menu' },
        el('summary', { 'aria-label': 'More', title: 'More' }, icon(MORE)),
        el('div', {}, entry('Download CSV', this.on.csv), entry('Download PNG', this.on.png), this.zone));
      this.menu.addEventListener('focusout', (event) => {
        if (!this.menu.contains(event.relatedTarget)) this.menu.open = false;
      });
      this.menu.addEventListener('keydown', (event) => {
        if (event.key === 'Escape') {
          this.menu.open = false;
          this.menu.firstChild.focus();
        }
      });
      return el('div', { class: 'tools', part: 'tools' }, this.live, this.periods, this.views, this.menu);
    }

    dates() {
      this.from = el('input', { type: 'date', required: true, 'aria-label': 'From' });
      this.to = el('input', { type: 'date', required: true, 'aria-label': 'To' });
      return el('form', {
        class: 'custom',
        hidden: true,
        onsubmit: (event) => {
          event.preventDefault();
          const [from, to] = [this.from.value, this.to.value].sort();
          this.on.period(`${from}..${to}`);
        },
      }, this.from, el('span', {}, '–'), this.to, el('button', { type: 'submit', class: 'quiet' }, 'Show'));
    }

    picked() {
      const own = this.periods.value === 'custom';
      this.custom.hidden = !own;
      if (own) this.from.focus();
      else this.on.period(this.periods.value);
    }

    /** Make the controls say what is shown: a period that is not in the picker is added to it. */
    settle({ period, view, live, every_s }) {
      if (!this.views) return;
      if (this.periods) {
        const known = [...this.periods.options].some((option) => option.value === period);
        if (!known) this.periods.prepend(el('option', { value: period }, hw.formats.period(period)));
        if (this.periods.value !== period) this.periods.value = period;
        this.custom.hidden = !/^\d{4}-\d\d-\d\d\.\./.test(period);
      }
      this.views.value = view;
      this.live.setAttribute('aria-pressed', String(live));
      this.live.title = live ? `Looks again every ${every_s} s; click to hold` : 'Held; click to look again by itself';
    }

    /** The state over the plot: loading, empty, error or ready. */
    show(state, text, again) {
      this.element.dataset.state = state;
      say(this.stateText, text || '');
      this.state.hidden = state === 'ready';
      this.retry.hidden = !again;
    }

    /** A line above the plot that stays beside old numbers; '' takes it away. */
    warn(text) {
      say(this.notice, text);
      this.notice.hidden = !text;
      this.element.toggleAttribute('data-stale', Boolean(text));
    }
  }

  hw.Frame = Frame;
})(globalThis.HailWhale = globalThis.HailWhale || {});
