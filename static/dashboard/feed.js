/* The live feed: the last events of some pks, as the service's spy log has them.
 *
 * Where there is no log to be had (switched off, not allowed) there is no feed either.
 */
import { askIfThere } from './net.js';
import { ago, card, el, number } from './parts.js';
import { said } from './state.js';

const EVERY_S = 3;
const SHOWN = 14;

/** A card that shows what came under the paths that `pks()` gives, newest first. */
export function feed(lookout, pks) {
  const list = el('ol', { class: 'events', tabindex: '0', 'aria-label': 'The last events' });
  const shown = card('Just now', { class: 'feed', hidden: true }, list);
  let before = new Set();
  lookout.every(EVERY_S, async (signal) => {
    const answers = await Promise.all(pks().map((pk) => askIfThere('/spy', { pk, limit: SHOWN }, signal)));
    return answers.filter(Boolean).flatMap(({ events }) => events).filter(isNews);
  }, (events) => {
    const newest = events.sort((a, b) => b.at - a.at).slice(0, SHOWN);
    const keys = new Map();
    const rows = newest.map((event) => {
      const text = JSON.stringify(event);
      keys.set(text, (keys.get(text) || 0) + 1);
      const key = `${text}${keys.get(text)}`;
      return { key, event };
    });
    shown.hidden = !rows.length;
    list.replaceChildren(...rows.map(({ key, event }) => row(event, before.size > 0 && !before.has(key))));
    before = new Set(rows.map(({ key }) => key));
  });
  return shown;
}

/** What a decision notes for itself, that it was asked, is no event of anybody's. */
const isNews = ({ metrics }) => metrics.hits !== 0 || !('decided' in metrics);

function row(event, fresh) {
  const metrics = Object.entries(event.metrics);
  const worth = metrics.filter(([name]) => name !== 'hits' || metrics.length === 1);
  return el('li', { class: fresh ? 'rise' : null },
    el('span', { class: 'where' }, said(event.pk)),
    el('time', { class: 'muted number' }, ago(event.at, Date.now() / 1000)),
    el('span', { class: 'what' }, worth.map(([name, value]) => `${typeof value === 'number' ? number(value) : value} ${name}`).join(' · ')),
    el('span', { class: 'chips' }, ...event.dimensions.slice(0, 5).map((path) => el('span', { class: 'chip', title: said(path) }, said(path.slice(-1))))));
}
