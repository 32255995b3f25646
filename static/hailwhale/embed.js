/* The script that /graph.js sends: it draws a graph in the place of its <script>, on any page.
 *
 * It writes nothing into the document but one element, loads the widget once for all embeds of a
 * page, and jQuery only where the page has none; `HailWhale` is then the only new global.
 */

/**
 * What the service asks the script to show.
 * @typedef {object} Request
 * @property {HailWhale.Options} options
 * @property {string} target a CSS selector, '' for the place of the script
 * @property {string} version of the widget
 * @property {string} [fault] why there is no graph
 */

/** @typedef {{loading?: Record<string, Promise<unknown>>}} Loading */

/** @param {Request} request */
export function embed({ options, target, version, fault }) {
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  // Scripts come from where this one came from; hwurl says where the numbers are.
  const home = script.src.replace(/\/graph\.js(\?.*)?$/, '');
  const place = document.createElement('div');

  async function widget() {
    if (globalThis.HailWhale?.Graph) return;
    await load(`${home}/static/jquery.hailwhale.js?v=${version}`);
  }

  async function ownJquery() {
    await load(`${home}/static/vendor/jquery.js`);
    return jQuery.noConflict(true);
  }

  async function draw() {
    try {
      put(place, script, target);
      if (fault) throw new Error(fault);
      await once('widget', widget);
      const $ = typeof jQuery === 'function' ? jQuery : await once('jQuery', ownJquery);
      HailWhale.plugin($)(place).hailwhale({ hwurl: home, ...options });
    } catch (thrown) {
      if (!place.isConnected) put(place, script, '');
      complain(place, thrown instanceof Error ? thrown.message : String(thrown));
    }
  }

  if (document.body && (script.closest('body') || document.readyState !== 'loading')) draw();
  else document.addEventListener('DOMContentLoaded', draw);
}

/**
 * @param {string} url
 * @returns {Promise<void>}
 */
function load(url) {
  return new Promise((done, failed) => {
    const added = document.createElement('script');
    added.src = url;
    added.onload = () => done();
    added.onerror = () => failed(new Error(`${url} did not load`));
    document.head.append(added);
  });
}

/**
 * Do something once for all embeds of a page.
 * @template Result
 * @param {string} name
 * @param {() => Promise<Result>} work
 * @returns {Promise<Result>}
 */
function once(name, work) {
  const page = /** @type {{HailWhale?: Loading}} */ (globalThis);
  const shared = (page.HailWhale ||= {});
  shared.loading ||= {};
  shared.loading[name] ||= work();
  return /** @type {Promise<Result>} */ (shared.loading[name]);
}

/**
 * @param {HTMLElement} place
 * @param {HTMLScriptElement} script
 * @param {string} target
 */
function put(place, script, target) {
  if (target) {
    const found = document.querySelector(target);
    if (!found) throw new Error(`target: there is no ${target} on this page`);
    found.append(place);
  } else if (script.isConnected && document.body && document.body.contains(script)) {
    script.after(place);
  } else document.body.append(place);
}

/**
 * @param {HTMLElement} place
 * @param {string} message
 */
function complain(place, message) {
  const text = document.createElement('p');
  text.setAttribute('role', 'alert');
  text.style.cssText = 'color:#c62a2f;font:14px system-ui,sans-serif';
  text.textContent = `HailWhale: ${message}`;
  place.replaceChildren(text);
}
