/* The beacon: counts from web pages, each event once, and decides for their visitors.

   Owns a queue of events in the page's own storage, one key per event, so that tabs do not overwrite
   each other's; an event leaves it when the service has answered for it. It is sent soon after it was
   counted and once more when the page is left, always with the same id: the service counts an id
   once. Nothing is stored or sent without consent where that is asked for, or against the browser's
   Do Not Track or Global Privacy Control.

   It is served without these comments: docs/beacon.rst says how it is used. */

/** @typedef {[key: string, event: object][]} Lot what one request sends */

(() => {
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const { src, dataset } = script;
  /** @type {Partial<HailWhale.Beacon>} */
  const early = window.hailwhale || {};
  if (early.home) return;
  const home = new URL('.', src).href;
  const EVENT = 'hailwhale.event.';
  const UID = 'hailwhale.uid';
  const HOURS_23 = 828e5; // the service forgets an id after 24
  const browser = /** @type {Navigator & {globalPrivacyControl?: boolean}} */ (navigator);
  const quiet = browser.globalPrivacyControl || String(browser.doNotTrack) === '1';
  /** @type {Record<string, string>} */
  const headers = dataset.token ? { Authorization: 'Bearer ' + dataset.token } : {};
  /** @type {Set<string>} keys that are on their way */
  const taken = new Set();
  /** @type {boolean | undefined} undefined: not known yet */
  let consent = quiet ? false : dataset.consent !== 'required' || undefined;
  /** @type {Record<string, string>} in memory, until there is consent */
  let store = {};
  let timer = 0;
  let failures = 0;

  const random = () => crypto.getRandomValues(new Uint32Array(3)).join('-');
  /** @param {unknown} fault */
  const told = (fault) => console.error('hailwhale:', fault);
  /** @param {number} ms */
  const later = (ms) => {
    timer ||= window.setTimeout(flush, ms);
  };
  /** @type {(path: string, body: string) => Promise<Response>} */
  const post = (path, body) =>
    fetch(home + path, { method: 'POST', body, headers, keepalive: true });

  // The visitor's id, for this site only.
  const uid = () => (store[UID] ||= random());

  /** @type {(path: string, event: HailWhale.Event) => void} */
  const put = (path, event) => {
    if (consent === false) return;
    if (String(event.uid) === 'true') event = { ...event, uid: uid() };
    const text = JSON.stringify([path, { id: random(), ...event }]);
    if (text.length > 2e4 || queued().length > 99) throw Error('dropped ' + text.slice(0, 99));
    const key = EVENT + Date.now() + '.' + random();
    try {
      store[key] = text;
    } catch {
      store = { ...store, [key]: text }; // the storage is full
    }
    later(50);
  };

  const queued = () =>
    Object.keys(store)
      .filter((key) => key.startsWith(EVENT))
      .sort();

  // What may be sent now, by path. A request that outlives its page may have 64 KiB.
  const lots = () => {
    /** @type {Record<string, Lot>} */
    const found = {};
    let chars = 0;
    for (const key of queued()) {
      const then = Number(key.split('.')[2]);
      const age = Date.now() - then;
      if (age > HOURS_23) delete store[key];
      else if (!taken.has(key) && (chars += store[key].length) <= 2e4) {
        try {
          const [path, event] = JSON.parse(store[key]);
          // Events sent at once get their time from the service, whose clock is more reliable.
          (found[path] ||= []).push([key, age > 5e3 ? { at: then, ...event } : event]);
          taken.add(key);
        } catch {
          delete store[key]; // it was modified
        }
      }
    }
    return Object.entries(found);
  };

  /** @param {Lot} lot */
  const bodyOf = (lot) => JSON.stringify(lot.map(([, event]) => event));

  const flush = () => {
    timer = 0;
    if (!consent) return;
    for (const [path, lot] of lots()) {
      post(path, bodyOf(lot))
        .then((reply) => reply.json())
        .then(({ error, rejected = [], unbuffered = [] }) => {
          if (error) throw told(error.message);
          for (const { error } of rejected) told(error.message);
          lot.forEach(([key], place) => unbuffered.includes(place) || delete store[key]);
          if (unbuffered.length) throw 0;
          failures = 0;
          if (queued().length) later(50);
        })
        .catch(() => later(Math.min(6e4, 1e3 * 2 ** failures++) * (0.5 + Math.random() / 2)))
        .finally(() => lot.forEach(([key]) => taken.delete(key)));
    }
  };

  // There is no answer: the events stay stored, and the next page sends them again.
  const leave = () => {
    if (!consent) return;
    for (const [path, lot] of lots()) {
      if (dataset.token) post(path, bodyOf(lot)).catch(() => {});
      else navigator.sendBeacon(home + path, bodyOf(lot));
    }
  };

  const begin = () => {
    try {
      Object.assign(localStorage, store);
      store = localStorage;
    } catch {
      // there is no storage, or it is full
    }
    flush();
  };

  /** @type {Readonly<Record<string, (...given: never[]) => void>>} */
  const commands = {
    count: (/** @type {HailWhale.Event} */ event) => put('count', event),
    count_decision: (/** @type {HailWhale.DecisionEvent} */ event) => put('count_decision', event),

    /**
     * Call `done(option, answer)` once: without an answer in time with the first option.
     * @param {HailWhale.Decision} decision
     * @param {(option: string, answer?: HailWhale.Decided) => void} done
     */
    decide({ timeout = 1e3, ...asked }, done) {
      let over = 0;
      /** @param {HailWhale.Decided} [answer] */
      const end = (answer) => {
        if (!over++) done(answer?.option ?? asked.options?.[0], answer);
      };
      if (!consent) return end();
      setTimeout(end, timeout);
      post('decide', JSON.stringify({ uid: uid(), reasons: 0, ...asked }))
        .then((reply) => reply.json())
        .then(end, () => end());
    },

    /** @param {boolean} given */
    consent(given) {
      consent = given && !quiet;
      if (consent) return begin();
      store = {};
      for (const key in localStorage) if (key.startsWith('hailwhale.')) delete localStorage[key];
    },

    /** @param {Event} event */
    noticed({ type, target }) {
      const element = /** @type {Element} */ (target); // or the document, which has no closest()
      /** @type {HTMLElement | null} */
      const found = element.closest?.(`[data-hailwhale-event~=${type}]`);
      if (!found) return;
      /** @type {Record<string, unknown>} */
      const event = {};
      for (const [name, text = ''] of Object.entries(found.dataset)) {
        const key = name.slice(9).toLowerCase();
        if (!name.startsWith('hailwhale') || key === 'event') continue;
        event[key] = /^[[{]/.test(text) ? JSON.parse(text) : text;
      }
      put(event.option ? 'count_decision' : 'count', event);
    },
  };

  /** @type {(name: string, ...given: unknown[]) => void} */
  const run = (name, ...given) => {
    try {
      commands[name](.../** @type {never[]} */ (given));
    } catch (fault) {
      told(fault);
    }
  };

  for (const type of ['click', 'submit', 'change']) {
    document.addEventListener(type, (event) => run('noticed', event), true);
  }

  addEventListener('pagehide', leave);
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) return leave();
    taken.clear();
    flush();
  });
  addEventListener('online', flush);
  window.hailwhale = Object.assign(run, { home });
  if (consent) begin();
  for (const [name, ...given] of early.q || []) run(String(name), ...given);
})();
