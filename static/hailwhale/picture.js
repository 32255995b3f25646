/* What is shown as one PNG: title, sums, plot and legend on one canvas, as sharp as the screen. */
(function (hw) {
  'use strict';

  const PAD = 20;

  /** A promise of the PNG of `scene`: {title, sums, plot (a canvas), entries, color, font}. */
  function png(scene) {
    const scale = globalThis.devicePixelRatio || 1;
    const width = Math.max(320, Math.round(scene.plot.width / scale) + 2 * PAD);
    const rows = legendRows(scene, width - 2 * PAD);
    const height = PAD + 50 + Math.round(scene.plot.height / scale) + rows.length * 20 + PAD;
    const canvas = document.createElement('canvas');
    canvas.width = width * scale;
    canvas.height = height * scale;
    const pen = canvas.getContext('2d');
    pen.scale(scale, scale);
    pen.fillStyle = scene.color('--hw-paper');
    pen.fillRect(0, 0, width, height);
    write(pen, scene.title, PAD, PAD + 14, `600 15px ${scene.font}`, scene.color('--hw-ink'));
    write(pen, scene.sums, PAD, PAD + 36, `13px ${scene.font}`, scene.color('--hw-quiet'));
    pen.drawImage(scene.plot, PAD, PAD + 46, scene.plot.width / scale, scene.plot.height / scale);
    rows.forEach((row, line) => {
      const y = height - PAD - (rows.length - 1 - line) * 20;
      for (const { x, color, text } of row) {
        pen.fillStyle = color;
        pen.fillRect(PAD + x, y - 9, 10, 10);
        write(pen, text, PAD + x + 16, y, `12px ${scene.font}`, scene.color('--hw-ink'));
      }
    });
    return new Promise((done) => {
      canvas.toBlob(done, 'image/png');
    });
  }

  function write(pen, text, x, y, font, color) {
    pen.font = font;
    pen.fillStyle = color;
    pen.fillText(text, x, y);
  }

  /** The legend's entries in lines that fit. */
  function legendRows({ entries, font }, width) {
    const pen = document.createElement('canvas').getContext('2d');
    pen.font = `12px ${font}`;
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

  hw.png = png;
})(globalThis.HailWhale = globalThis.HailWhale || {});
