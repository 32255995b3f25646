/* The beacon: counts from web pages, each event once, and decides for their visitors.

   Owns a queue of events in the page's own storage, one key an event, so that tabs do not overwrite
   each other's; an event leaves it when the service has answered for it. It is sent soon after it was
   counted and once more when the page is left, always with the id it has: the service counts an id
   once. Nothing is stored or sent without consent where that is asked for, or against the browser's
   Do Not Track or Global Privacy Control.

   It is served without these comments, as it is: docs/beacon.rst says how it is used. */
(() => {
  const {src, dataset} = document.currentScript;
  const early = window.hailwhale || {};
  if (early.home) return;
  const home = new URL('.', src).href;
  const EVENT = 'hailwhale.event.', UID = 'hailwhale.uid';
  const HOURS_23 = 828e5;  // the service forgets an id after 24
  const quiet = navigator.globalPrivacyControl || navigator.doNotTrack == 1;
  const headers = dataset.token ? {Authorization: 'Bearer ' + dataset.token} : {};
  const taken = new Set();  // keys that are on their way
  let consent = quiet ? false : dataset.consent != 'required' || undefined;  // not known yet
  let store = {};  // in memory, until there is consent
  let timer = 0, failures = 0;

  const random = () => crypto.getRandomValues(new Uint32Array(3)).join('-');
  const told = (fault) => console.error('hailwhale:', fault);
  const later = (ms) => timer ||= setTimeout(flush, ms);
  const post = (path, body) => fetch(home + path, {method: 'POST', body, headers, keepalive: true});

  // A visitor's name, for this site alone.
  const uid = () => store[UID] ||= random();

  const put = (path, event) => {
    if (consent === false) return;
    if (String(event.uid) == 'true') event = {...event, uid: uid()};
    const text = JSON.stringify([path, {id: random(), ...event}]);
    if (text.length > 2e4 || queued().length > 99) throw Error('dropped ' + text.slice(0, 99));
    const key = EVENT + Date.now() + '.' + random();
    try {
      store[key] = text;
    } catch {  // the storage is full
      store = {...store, [key]: text};
    }
    later(50);
  };

  const queued = () => Object.keys(store).filter((key) => key.startsWith(EVENT)).sort();

  // What may be sent now: by path, the keys and the events of a request. A request that outlives its
  // page may have 64 KiB.
  const lots = () => {
    const found = {};
    let chars = 0;
    for (const key of queued()) {
      const then = +key.split('.')[2], age = Date.now() - then;
      if (age > HOURS_23) delete store[key];
      else if (!taken.has(key) && (chars += store[key].length) <= 2e4) {
        try {
          const [path, event] = JSON.parse(store[key]);
          // The service's clock is the better one, for what comes at once.
          (found[path] ||= []).push([key, age > 5e3 ? {at: then, ...event} : event]);
          taken.add(key);
        } catch {  // not as it was put there
          delete store[key];
        }
      }
    }
    return Object.entries(found);
  };

  const flush = () => {
    timer = 0;
    if (!consent) return;
    for (const [path, lot] of lots()) {
      post(path, JSON.stringify(lot.map(([, event]) => event)))
        .then((reply) => reply.json())
        .then(({error, rejected = [], unbuffered = []}) => {
          if (error) throw told(error.message);
          rejected.forEach(({error}) => told(error.message));
          lot.forEach(([key], place) => unbuffered.includes(place) || delete store[key]);
          if (unbuffered.length) throw 0;
          failures = 0;
          if (queued().length) later(50);
        })
        .catch(() => later(Math.min(6e4, 1e3 * 2 ** failures++) * (0.5 + Math.random() / 2)))
        .finally(() => lot.forEach(([key]) => taken.delete(key)));
    }
  };

  // Whether it arrives nobody tells: the events stay, and come again with the next page.
  const leave = () => {
    if (!consent) return;
    for (const [path, lot] of lots()) {
      const body = JSON.stringify(lot.map(([, event]) => event));
      if (dataset.token) post(path, body).catch(() => {});
      else navigator.sendBeacon(home + path, body);
    }
  };

  const commands = {
    count: (event) => put('count', event),
    count_decision: (event) => put('count_decision', event),

    // done(option, answer), once: without an answer in time the first option.
    decide({timeout = 1e3, ...asked}, done) {
      let over = 0;
      const end = (answer) => {
        if (!over++) done(answer?.option ?? asked.options?.[0], answer);
      };
      if (!consent) return end();
      setTimeout(end, timeout);
      post('decide', JSON.stringify({uid: uid(), reasons: 0, ...asked}))
        .then((reply) => reply.json()).then(end, () => end());
    },

    consent(given) {
      consent = given && !quiet;
      if (consent) return begin();
      store = {};
      for (const key in localStorage) if (key.startsWith('hailwhale.')) delete localStorage[key];
    },

    noticed({type, target}) {
      const {dataset} = target.closest?.(`[data-hailwhale-event~=${type}]`) || {};
      const event = {};
      for (const name in dataset) {
        const text = dataset[name], key = name.slice(9).toLowerCase();
        if (!name.startsWith('hailwhale') || key == 'event') continue;
        event[key] = /^[[{]/.test(text) ? JSON.parse(text) : text;
      }
      if (dataset) put(event.option ? 'count_decision' : 'count', event);
    },
  };

  const begin = () => {
    try {
      Object.assign(localStorage, store);
      store = localStorage;
    } catch {}  // there is none, or it is full
    flush();
  };

  const run = (name, ...given) => {
    try {
      commands[name](...given);
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
  window.hailwhale = run;
  run.home = home;
  if (consent) begin();
  for (const given of early.q || []) run(...given);
})();
