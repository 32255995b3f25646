/* What /graph.js sends: a graph in the place of its <script>, on any page, whatever else is on it.
 *
 * Called with {options, target, version, fault} by the service. It writes nothing into the document
 * but one element, loads the widget once for all embeds of a page, and jQuery only where the page has
 * none, which then stays ours alone.
 */
(function (told) {
  'use strict';
  const script = document.currentScript;
  // Scripts come from where this one came from; hwurl says where the numbers are.
  const home = script.src.replace(/\/graph\.js(\?.*)?$/, '');
  const place = document.createElement('div');

  function load(url) {
    return new Promise(function (done, failed) {
      const added = document.createElement('script');
      added.src = url;
      added.onload = done;
      added.onerror = function () {
        failed(new Error(`${url} did not load`));
      };
      document.head.append(added);
    });
  }

  function once(name, work) {
    const hw = globalThis.HailWhale = globalThis.HailWhale || {};
    hw.loading = hw.loading || {};
    hw.loading[name] = hw.loading[name] || work();
    return hw.loading[name];
  }

  function widget() {
    return globalThis.HailWhale && globalThis.HailWhale.Graph ? Promise.resolve() : load(`${home}/static/jquery.hailwhale.js?v=${told.version}`);
  }

  async function ours() {
    await load(`${home}/static/vendor/jquery.js`);
    return globalThis.jQuery.noConflict(true);
  }

  function complain(message) {
    const text = document.createElement('p');
    text.setAttribute('role', 'alert');
    text.style.cssText = 'color:#c62a2f;font:14px system-ui,sans-serif';
    text.textContent = `HailWhale: ${message}`;
    place.replaceChildren(text);
  }

  function settle() {
    if (told.target) {
      const target = document.querySelector(told.target);
      if (!target) throw new Error(`target: there is no ${told.target} on this page`);
      target.append(place);
    } else if (script.isConnected && document.body && document.body.contains(script)) script.after(place);
    else document.body.append(place);
  }

  async function draw() {
    try {
      settle();
      if (told.fault) throw new Error(told.fault);
      await once('widget', widget);
      const $ = globalThis.jQuery || await once('jQuery', ours);
      globalThis.HailWhale.plugin($)(place).hailwhale(Object.assign({ hwurl: home }, told.options));
    } catch (fault) {
      if (!place.isConnected) (script.isConnected ? script : document.body.lastChild).after(place);
      complain(fault.message);
    }
  }

  if (document.body && (script.closest('body') || document.readyState !== 'loading')) draw();
  else document.addEventListener('DOMContentLoaded', draw);
})
