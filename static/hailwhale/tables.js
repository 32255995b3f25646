/* HTML tables as graphs, and made-up hits for demonstrations. */
(function (hw) {
  'use strict';

  const DAY = /^\d{4}-\d\d(-\d\d)?([T ]\d\d:\d\d.*)?$/;

  /** The number a cell shows: `$ 1,234.50` is 1234.5, `1.234,50 €` too, `(3)` is -3; else 0. Pure. */
  function numberIn(text) {
    let digits = text.replace(/[^\d.,()\-−]/g, '').replace('−', '-');
    const negative = /^\(.*\)$/.test(digits) || digits.startsWith('-');
    digits = digits.replace(/[()-]/g, '');
    const comma = digits.lastIndexOf(',');
    const dot = digits.lastIndexOf('.');
    const decimal = comma > dot ? ',' : '.';
    const place = Math.max(comma, dot);
    const single = digits.split(decimal).length === 2;
    const other = digits.includes(decimal === ',' ? '.' : ',');
    // One mark with three digits behind it parts thousands, unless the other mark does so already.
    const fraction = place >= 0 && single && (other || digits.length - place !== 4 || (decimal === '.' && /^0?\./.test(digits)));
    const whole = (fraction ? digits.slice(0, place) : digits).replace(/[.,]/g, '');
    const value = Number(`${whole || 0}.${fraction ? digits.slice(place + 1) : 0}`);
    return negative ? -value : value || 0;
  }

  /** Rows of texts, the first of them the heads, as a model: days on a time axis, else names. Pure. */
  function modelOf(rows) {
    const [head, ...body] = rows;
    const names = body.map((row) => row[0]);
    const dated = names.length > 0 && names.every((name) => DAY.test(name));
    const times = names.map((name) => Date.parse(name.length === 7 ? `${name}-01` : name));
    const order = names.map((_, place) => place);
    if (dated) order.sort((a, b) => times[a] - times[b]);
    const columns = head.slice(1).map((name, column) => ({ name, values: order.map((place) => numberIn(body[place][column + 1] || '')) }));
    return hw.model.fromColumns(names, columns, dated ? order.map((place) => times[place]) : null);
  }

  /** The texts of a table: heads, then rows; what stands in its foot is a sum of them, and left out. */
  function rowsOf(table) {
    return [...table.rows].filter((row) => !row.closest('tfoot')).map((row) => [...row.cells].map((cell) => cell.textContent.trim()));
  }

  /** A graph above each table, of its numbers. */
  function graphTable(table, options) {
    const place = hw.dom.el('div');
    table.before(place);
    const model = modelOf(rowsOf(table));
    const title = table.caption ? table.caption.textContent.trim() : '';
    const own = { data: () => model, live: false, title, view: model.names ? 'bar' : 'line', periods: [], controls: false };
    return new hw.Graph(place, Object.assign(own, options));
  }

  /** Send hits from this page as images, as a visitor's browser would; `stop()` ends it. */
  function fakeHits(host, options) {
    const told = Object.assign({ pk: 'Demo', metrics: { dollars: [1, 100] }, dimensions: { country: ['US', 'CA', 'DE', 'BR', 'JP'], device: ['phone', 'tablet', 'desktop'] }, every_ms: 250, hits: Infinity, random: Math.random }, options);
    const begun = { sent: 0, stop: () => clearInterval(timer) };
    const send = () => {
      new Image().src = `${host}/count.gif?${hit(told)}&_=${Date.now()}${begun.sent}`;
      begun.sent += 1;
      if (begun.sent >= told.hits) begun.stop();
    };
    const timer = setInterval(send, told.every_ms);
    return begun;
  }

  /** The query of one hit drawn at random; the first values of a dimension come up most. Pure. */
  function hit({ pk, metrics, dimensions, random }) {
    const drawn = (some) => some[Math.floor(random() ** 2 * some.length)];
    const picked = Object.fromEntries(Object.entries(dimensions).map(([name, some]) => [name, Array.isArray(some) ? drawn(some) : some]));
    const amounts = Object.fromEntries(Object.entries(metrics).map(([name, range]) => [name, Array.isArray(range) ? Math.round((range[0] + random() * (range[1] - range[0])) * 100) / 100 : range]));
    return hw.options.query(hw.options.merge({ pk, dimensions: picked, metrics: amounts, period: '' }));
  }

  hw.tables = { numberIn, modelOf, rowsOf, graphTable };
  hw.fakes = { fakeHits, hit };
})(globalThis.HailWhale = globalThis.HailWhale || {});
