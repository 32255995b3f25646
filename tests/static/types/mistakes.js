/* One mistake in each line that says so: the types have to find them all, and nothing else. */

hailwhale('count', { pk: 'Signup', metrics: { dollars: true } }); // mistake
hailwhale('counts', { pk: 'Signup' }); // mistake
hailwhale('count', { pks: 'Signup' }); // mistake
hailwhale('count_decision', { pk: 'Headline' }); // mistake
hailwhale('decide', { pk: 'Headline', options: ['a', 'b'] }); // mistake
hailwhale('decide', { options: 'a,b' }, () => {}); // mistake
hailwhale('decide', { options: ['a'] }, (option) => option.toFixed()); // mistake
hailwhale('decide', { options: ['a'] }, (_, answer) => console.log(answer.option)); // mistake
hailwhale('consent', 'yes'); // mistake

const graph = new HailWhale.Graph(document.body, { view: 'line' });
new HailWhale.Graph('#here'); // mistake
new HailWhale.Graph(document.body, { view: 'pie' }); // mistake
new HailWhale.Graph(document.body, { metricks: 'dollars' }); // mistake
new HailWhale.Graph(document.body, { formats: { dollars: { style: 'money' } } }); // mistake
new HailWhale.Graph(document.body, { labels: (series) => series.values }); // mistake
new HailWhale.Graph(document.body, { data: () => 3 }); // mistake
graph.update({ periods: 7 }); // mistake
graph.toggle(3); // mistake
graph.png().toFixed(); // mistake
console.log(graph.model.series); // mistake
document.body.addEventListener('hailwhale:data', ({ detail }) => detail.period); // mistake
document.body.addEventListener('hailwhale:pick', ({ detail }) => detail.values.total); // mistake

$('.graph').hailwhale('redraw'); // mistake
$('.graph').hailwhale('update', { view: 'pie' }); // mistake
$('.graph').hailwhale('toggle'); // mistake
$('.graph').hailwhale('csv').length; // mistake
$('.graph').hailwhale({ pk: 'Shop', heights: 300 }); // mistake
const hw = $.hailwhale('https://hw.example.com');
hw.add_graph({ pk: 'Shop' }); // mistake
hw.graph_tables('table').hide(); // mistake
hw.trigger_fake_hits({ metrics: { dollars: ['a', 'b'] } }); // mistake
hw.host = 'https://other.example.com'; // mistake
