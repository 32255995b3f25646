/* The graph as one PNG: title, sums, plot and legend on one canvas, as sharp as the screen. */

/**
 * What is drawn on the picture.
 * @typedef {object} Scene
 * @property {string} title
 * @property {string} sums
 * @property {HTMLCanvasElement} plot
 * @property {Pick<import('./legend.js').Entry, 'name' | 'total' | 'color' | 'hidden'>[]} entries
 * @property {(name: string) => string} color the color of a custom property
 * @property {string} font
 */

const PAD = 20;

/**
 * @param {Scene} scene
 * @returns {Promise<Blob>}
 */
export function png(scene) {
  const scale = globalThis.devicePixelRatio || 1;
  const width = Math.max(320, Math.round(scene.plot.width / scale) + 2 * PAD);
  const rows = legendRows(scene, width - 2 * PAD);
  const height = PAD + 50 + Math.round(scene.plot.height / scale) + rows.length * 20 + PAD;
  const canvas = document.createElement('canvas');
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = penOf(canvas);
  const [ink, quiet] = [scene.color('--hw-ink'), scene.color('--hw-quiet')];
  pen.scale(scale, scale);
  pen.fillStyle = scene.color('--hw-paper');
  pen.fillRect(0, 0, width, height);
  write(pen, scene.title, PAD, PAD + 14, `600 15px ${scene.font}`, ink);
  write(pen, scene.sums, PAD, PAD + 36, `13px ${scene.font}`, quiet);
  const [plotWidth, plotHeight] = [scene.plot.width / scale, scene.plot.height / scale];
  pen.drawImage(scene.plot, PAD, PAD + 46, plotWidth, plotHeight);
  rows.forEach((row, line) => {
    const y = height - PAD - (rows.length - 1 - line) * 20;
    for (const { x, color, text } of row) {
      pen.fillStyle = color;
      pen.fillRect(PAD + x, y - 9, 10, 10);
      write(pen, text, PAD + x + 16, y, `12px ${scene.font}`, ink);
    }
  });
  return new Promise((done, failed) => {
    canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error('too large for a PNG'))));
  });
}

/** @param {HTMLCanvasElement} canvas */
function penOf(canvas) {
  const pen = canvas.getContext('2d');
  if (!pen) throw new Error('the browser has no canvas to draw on');
  return pen;
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {string} font
 * @param {string} color
 */
function write(pen, text, x, y, font, color) {
  pen.font = font;
  pen.fillStyle = color;
  pen.fillText(text, x, y);
}

/**
 * Return the entries of the legend in lines that fit.
 * @param {Scene} scene
 * @param {number} width
 */
function legendRows({ entries, font }, width) {
  const pen = penOf(document.createElement('canvas'));
  pen.font = `12px ${font}`;
  /** @type {{x: number, color: string, text: string}[][]} */
  const rows = [[]];
  let x = 0;
  for (const { name, total, color, hidden } of entries) {
    if (hidden) continue;
    const text = `${name}  ${total}`;
    const own = pen.measureText(text).width + 36;
    if (x && x + own > width) {
      rows.push([]);
      x = 0;
    }
    rows[rows.length - 1].push({ x, color, text });
    x += own;
  }
  return rows;
}
