/* A page's script that uses graphs without jQuery, and all of the beacon. */

// The lines that docs/beacon.rst has for the head of a page.
window.hailwhale =
  window.hailwhale ||
  function () {
    (hailwhale.q = hailwhale.q || []).push(arguments);
  };

hailwhale('count', { pk: 'Signup', dimensions: { campaign: 'spring' }, metrics: { dollars: 9.5 } });
hailwhale('count', { pk: ['Shop', 7], dimension: ['country', 'US'], uid: true, at: 1773576630 });
hailwhale('count_decision', { pk: 'Headline', option: 'b', metrics: { hits: 0, sales: 1 } });
hailwhale('consent', true);
hailwhale(
  'decide',
  { pk: 'Headline', options: ['a', 'b'], by_metric: 'sales/hits', goal: 'max', timeout: 300 },
  (option, answer) => {
    document.title = option.toUpperCase();
    if (answer) console.log(answer.propensity.toFixed(2));
  },
);
/** @type {string | undefined} */
const service = hailwhale.home;
console.log(service);

const place = /** @type {HTMLElement} */ (document.querySelector('#here'));
const graph = new HailWhale.Graph(place, {
  pk: ['Shop', 'Mug'],
  dimensions: [['country', 'US'], 'device'],
  metrics: ['dollars', 'dollars/hits'],
  period: '1d:1mo',
  tz: 'Europe/Berlin',
  tzoffset: -800,
  depth: 1,
  threshold: 0.1,
  limit: 8,
  sort: 'value',
  other: true,
  compare: 'yesterday',
  view: 'stacked',
  title: 'Sales',
  height: 300,
  theme: 'dark',
  locale: 'de-DE',
  smooth: false,
  axis2: 'dollars/hits',
  formats: { dollars: { style: 'currency', currency: 'USD' } },
  labels: (series) => series.path.join(' / '),
  colors: { US: 'rebeccapurple' },
  controls: false,
  legend: true,
  table: false,
  periods: ['today', '1d:1mo'],
  live: true,
  interval: 5,
  host: 'https://hw.example.com',
  token: 'hw_x',
  sealed: '',
  data: async (query, signal) => (await fetch(`/own?${query}`, { signal: signal || null })).json(),
});

place.addEventListener('hailwhale:data', ({ detail }) => {
  const { tz, interval, starts, end, series, names, before } = detail.model;
  console.log(tz, interval, starts[0] + end, names && names[0], before && before.starts.length);
  for (const { key, path, metric, additive, total, values, parent, other, ghost } of series) {
    console.log(
      key,
      path.length,
      metric,
      additive,
      total ?? 0,
      (values[0] ?? 0) + 1,
      parent,
      other,
    );
    if (ghost) console.log(ghost.total, ghost.values.length);
  }
});
place.addEventListener('hailwhale:error', ({ detail: { kind, message, wait_s } }) => {
  console.log(kind, message.trim(), wait_s.toFixed(0));
});
document.addEventListener('hailwhale:period', ({ detail }) => console.log(detail.period.length));
document.addEventListener('hailwhale:view', ({ detail: { view } }) => {
  if (view === 'table') detailOf(graph);
});
place.addEventListener('hailwhale:toggle', ({ detail }) => detail.graph.toggle(detail.hidden[0]));
place.addEventListener('hailwhale:pick', ({ detail: { at, start_ms, end_ms, values } }) => {
  console.log(at, new Date(start_ms), new Date(end_ms), (values[0].value ?? 0) + 1);
});

/** @param {HailWhale.Graph} shown */
async function detailOf(shown) {
  await shown.refresh();
  await shown.update({ period: 'today' });
  if (shown.model) shown.toggle(shown.model.series[0].key, true);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await shown.png());
  link.textContent = shown.csv().slice(0, 10);
  shown.destroy();
}

const other = HailWhale.graph(place, { sealed: 'token', hwurl: HailWhale.home });
if (!other) HailWhale.complain(place, 'a wrong option');
