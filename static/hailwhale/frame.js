/* The frame around a graph: title, sums, controls, notices, and its states.
 *
 * Owns the elements of the shadow root. Depends neither on where numbers come from nor on how they
 * are drawn.
 */

import { el, say } from './dom.js';
import { Tools } from './tools.js';

export class Frame {
  /**
   * @param {import('./options.js').Settled} options
   * @param {import('./tools.js').Callbacks} on
   */
  constructor(options, on) {
    this.title = el('h3', { class: 'title', part: 'title' });
    this.sums = el('p', { class: 'sums', part: 'sums' });
    this.notice = el('p', { class: 'notice', role: 'status', hidden: true });
    this.plot = el('div', {
      class: 'plot',
      part: 'plot',
      tabindex: '0',
      role: 'group',
      'aria-roledescription': 'chart',
    });
    this.stateText = el('p');
    this.retry = el('button', { type: 'button', class: 'quiet', onclick: on.retry }, 'Try again');
    this.state = el('div', { class: 'state', role: 'status' }, this.stateText, this.retry);
    this.stage = el('div', { class: 'stage' }, this.plot, this.state);
    this.spoken = el('p', { class: 'sr', 'aria-live': 'polite' });
    this.probe = el('i', { hidden: true }); // its computed style resolves colors
    this.tools = options.controls ? new Tools(options, on) : null;
    const head = el('div', { class: 'head' }, this.title, this.sums);
    this.element = el(
      'section',
      { class: 'graph', part: 'graph' },
      el('header', {}, head, this.tools && this.tools.element),
      this.tools && this.tools.custom,
      ...[this.notice, this.stage, this.spoken, this.probe],
    );
  }

  /**
   * Show the state over the plot: loading, empty, error, away or ready.
   * @param {string} state
   * @param {string} text
   * @param {boolean} [again] whether the reader may try again
   */
  show(state, text, again = false) {
    this.element.dataset.state = state;
    say(this.stateText, text);
    this.state.hidden = state === 'ready';
    this.retry.hidden = !again;
  }

  /**
   * Show a line above the plot while its numbers are out of date; '' removes it.
   * @param {string} text
   */
  warn(text) {
    say(this.notice, text);
    this.notice.hidden = !text;
    this.element.toggleAttribute('data-stale', Boolean(text));
  }
}
