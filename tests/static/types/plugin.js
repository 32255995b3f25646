/* A page's script that uses all of the jQuery plugin. */

const own = HailWhale.plugin(jQuery);

$('.graph')
  .hailwhale({ pk: 'Shop', metric: 'dollars', dimension: 'country', depth: 1, area: true })
  .addClass('drawn');
$('.graph').hailwhale();
$('.graph').hailwhale('refresh').hailwhale('update', { period: 'today' });
$('.graph').hailwhale('toggle', 'key').hailwhale('toggle', 'key', true);
console.log($('.graph').hailwhale('csv')?.split('\r\n').length);
$('.graph')
  .hailwhale('png')
  ?.then((image) => console.log(image.size));
console.log($('.graph').hailwhale('graph')?.model?.series.length);
$('.graph').hailwhale('destroy').remove();
console.log(own.fn.hailwhale.defaults.period);

$('.graph').on('hailwhale:pick', ({ originalEvent }) => {
  const { detail } = /** @type {CustomEvent<HailWhale.PickDetail>} */ (
    /** @type {unknown} */ (originalEvent)
  );
  console.log(detail.values.map(({ value }) => value?.toFixed(2)));
});

const hw = $.hailwhale('https://hw.example.com');
console.log(hw.host.length, $.hailwhale().host);
hw.add_graph('#here', { pk: 'Shop', metric: 'dollars' }).show();
hw.add_graph(document.body);
hw.add_graph($('.graph'), { view: 'bar' });
hw.graph_tables('table.numbers', { view: 'bar' }).forEach((graph) => graph.destroy());
const fakes = hw.trigger_fake_hits({
  pk: 'Demo',
  metrics: { dollars: [1, 100], sales: 1 },
  dimensions: { country: ['US', 'DE'], site: 'a' },
  every_ms: 100,
  hits: 10,
  random: Math.random,
});
if (fakes.sent > 3) fakes.stop();
