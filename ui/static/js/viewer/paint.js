// HU to grey, bits to colour, and what is drawn over a plane.
import { PLANES, layout, spans } from "./geometry.js";

// The bits of tools/imaging/overlays.py, each with its colour.
export const LAYERS = {
  lungs: { bit: 1, colour: [56, 189, 248] },
  emphysema: { bit: 2, colour: [250, 204, 21] },
  effusion: { bit: 4, colour: [167, 139, 250] },
  lesions: { bit: 8, colour: [45, 212, 191] },
  pneumothorax: { bit: 16, colour: [244, 114, 182] },
  dense: { bit: 32, colour: [248, 113, 113] },
  calcium: { bit: 64, colour: [255, 255, 255] },
  other: { bit: 128, colour: [251, 146, 60] },
};
const MARK = "#2dd4bf";
const CROSS = "#facc15";

// A canvas of a plane in its own pixels; `canvas` is used again.
export function grey(canvas, hu, columns, rows, [centre, width]) {
  if (canvas.width !== columns || canvas.height !== rows) { canvas.width = columns; canvas.height = rows; }
  const image = new ImageData(columns, rows);
  const out = new Uint32Array(image.data.buffer);
  const low = centre - width / 2;
  const scale = 255 / Math.max(1, width);
  for (let i = 0; i < hu.length; i += 1) {
    const value = (hu[i] - low) * scale;
    const shade = value <= 0 ? 0 : value >= 255 ? 255 : value | 0;
    out[i] = 0xff000000 | (shade << 16) | (shade << 8) | shade;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

export function tint(canvas, bits, columns, rows) {
  if (canvas.width !== columns || canvas.height !== rows) { canvas.width = columns; canvas.height = rows; }
  const image = new ImageData(columns, rows);
  const colours = new Uint32Array(256);
  for (let value = 1; value < 256; value += 1) {
    for (const { bit, colour: [r, g, b] } of Object.values(LAYERS)) if (value & bit) colours[value] = 0xff000000 | (b << 16) | (g << 8) | r;
  }
  const out = new Uint32Array(image.data.buffer);
  for (let i = 0; i < bits.length; i += 1) out[i] = colours[bits[i]];
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// The crosshair leaves its middle free: there is the lesion.
export function cross(pen, [x, y], width, height) {
  pen.strokeStyle = CROSS;
  pen.globalAlpha = 0.55;
  pen.lineWidth = 1;
  pen.beginPath();
  for (const [fromX, fromY, toX, toY] of [[0, y, x - 14, y], [x + 14, y, width, y], [x, 0, x, y - 14], [x, y + 14, x, height]]) {
    pen.moveTo(fromX, fromY);
    pen.lineTo(toX, toY);
  }
  pen.stroke();
  pen.globalAlpha = 1;
}

function label(pen, words, x, y, colour) {
  pen.font = "600 12px system-ui, sans-serif";
  const wide = pen.canvas.width / pen.getTransform().a;
  x = Math.max(4, Math.min(x, wide - pen.measureText(words).width - 4)); // never cut at the pane's edge
  y = Math.max(13, y);
  pen.lineWidth = 3;
  pen.strokeStyle = "rgba(0,0,0,.75)";
  pen.strokeText(words, x, y);
  pen.fillStyle = colour;
  pen.fillText(words, x, y);
}

// One mark: its long axis and size on the slice where it was measured, its box on the others that it reaches.
export function mark(pen, plane, index, one, place, chosen) {
  const { axis, across, down } = PLANES[plane];
  const box = spans(one.lesion);
  if (index < box[axis][0] || index > box[axis][1]) return;
  const [left, top] = place(box[across][0], box[down][0]);
  const [right, bottom] = place(box[across][1] + 1, box[down][1] + 1);
  pen.strokeStyle = MARK;
  pen.lineWidth = chosen ? 2 : 1.25;
  if (plane === "axial" && index === one.lesion.slice) {
    const ends = one.lesion.axis_ends.map(([x, y]) => place(x + 0.5, y + 0.5));
    pen.beginPath();
    pen.moveTo(...ends[0]);
    pen.lineTo(...ends[1]);
    pen.stroke();
    pen.fillStyle = MARK;
    for (const [x, y] of ends) pen.fillRect(x - 2, y - 2, 4, 4);
    label(pen, `${one.number}: ${one.lesion.long_mm.toFixed(1)} × ${one.lesion.short_mm.toFixed(1)} mm`, right + 5, top - 3, MARK);
    return;
  }
  pen.setLineDash([4, 3]);
  pen.strokeRect(left - 3, top - 3, right - left + 6, bottom - top + 6);
  pen.setLineDash([]);
  label(pen, String(one.number), right + 5, top - 1, MARK);
}

// A ruler between two points of this plane.
export function ruler(pen, plane, index, line, study, place) {
  if (line.plane !== plane || line.index !== index) return;
  const ends = [line.from, line.to ?? line.from].map(([column, row]) => place(column, row));
  pen.strokeStyle = pen.fillStyle = CROSS;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.moveTo(...ends[0]);
  pen.lineTo(...ends[1]);
  pen.stroke();
  for (const [x, y] of ends) pen.fillRect(x - 2, y - 2, 4, 4);
  if (line.to) label(pen, `${distance(line, study).toFixed(1)} mm`, ends[1][0] + 6, ends[1][1] - 6, CROSS);
}

export function distance({ plane, from, to }, study) {
  const { wide, high } = layout(study, plane);
  return Math.hypot((from[0] - to[0]) * wide, (from[1] - to[1]) * high);
}

// A bar of a round length.
export function scale(pen, pixelsPerMm, width, height) {
  const mm = [100, 50, 20, 10, 5].find((length) => length * pixelsPerMm <= width * 0.3) ?? 5;
  const long = mm * pixelsPerMm;
  const [x, y] = [width - 10 - long, height - 10];
  pen.strokeStyle = "#e2e8f0";
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.moveTo(x, y - 5);
  pen.lineTo(x, y);
  pen.lineTo(x + long, y);
  pen.lineTo(x + long, y - 5);
  pen.stroke();
  label(pen, `${mm} mm`, x, y - 8, "#e2e8f0");
}
