// Pointer, wheel, touch and keys on a pane.
import { PLANES, clamp, steps } from "./geometry.js";

export function listen(pane) {
  const { canvas, title } = pane;
  const touches = new Map();
  canvas.addEventListener("wheel", (event) => { event.preventDefault(); wheel(pane, event); }, { passive: false });
  canvas.addEventListener("keydown", (event) => key(pane, event));
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("dblclick", () => pane.viewer.tool === "cross" && pane.viewer.maximise(pane.name));
  canvas.addEventListener("pointerdown", (event) => {
    if (!pane.study?.shape) return;
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    touches.set(event.pointerId, event);
    pane.drag = touches.size > 1 ? { kind: "pinch", apart: apart(touches) } : press(pane, event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!pane.study?.shape) return;
    if (touches.has(event.pointerId)) touches.set(event.pointerId, event);
    if (event.pointerType === "mouse") pane.hover(event);
    if (pane.drag?.kind === "pinch" && touches.size > 1) {
      const now = apart(touches);
      pane.zoomAt(now / pane.drag.apart, [...touches.values()][0]);
      pane.drag.apart = now;
    } else if (pane.drag) move(pane, event);
  });
  canvas.addEventListener("pointerleave", () => pane.hover(null));
  const end = (event) => {
    touches.delete(event.pointerId);
    const { drag } = pane;
    pane.drag = null;
    if (drag && event.type === "pointerup") release(pane, drag, event);
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  title.addEventListener("dragstart", (event) => event.dataTransfer.setData("text/x-pane", pane.name));
  pane.element.addEventListener("dragover", (event) => { if (event.dataTransfer.types.includes("text/x-pane")) event.preventDefault(); });
  pane.element.addEventListener("drop", (event) => {
    const other = event.dataTransfer.getData("text/x-pane");
    if (other) { event.preventDefault(); pane.viewer.swap(other, pane.name); }
  });
  title.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") { event.preventDefault(); pane.viewer.shift(pane.name, event.key === "ArrowLeft" ? -1 : 1); }
  });
}

function apart(touches) {
  const [a, b] = [...touches.values()];
  return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) || 1;
}

// What a drag does: by the button that is held, else by the tool; a finger scrolls.
function press(pane, event) {
  const { viewer } = pane;
  const start = { x: event.clientX, y: event.clientY, from: pane.index, pan: [...pane.pan], window: [...viewer.window], moved: false };
  const kind = event.button === 2 || event.ctrlKey ? "window"
    : event.button === 1 || event.shiftKey ? "pan"
    : viewer.tool === "cross" && event.pointerType !== "mouse" ? "scroll"
    : viewer.tool === "measure" ? "point"
    : viewer.tool;
  if (kind === "cross") viewer.goTo(pane.series, pane.point(event));
  if (kind === "ruler") {
    const at = pane.under(event);
    const open = pane.series.line && !pane.series.line.to && pane.series.line.index === pane.index && pane.series.line.plane === pane.plane;
    if (open) { pane.series.line.to = at; start.closed = true; }
    else pane.series.line = { plane: pane.plane, index: pane.index, from: at, to: null };
    viewer.measured();
  }
  return { kind, ...start };
}

function move(pane, event) {
  const { drag, viewer } = pane;
  const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
  if (Math.hypot(dx, dy) > 5) drag.moved = true;
  if (!drag.moved) return;
  if (drag.kind === "window") viewer.setWindow([Math.round(drag.window[0] + dy * 2), clamp(Math.round(drag.window[1] + dx * 4), 1, 4000)]);
  else if (drag.kind === "pan" || (drag.kind === "scroll" && pane.zoom > 1)) { pane.pan = [drag.pan[0] + dx, drag.pan[1] + dy]; pane.draw(); }
  else if (drag.kind === "scroll") viewer.scroll(pane, drag.from + Math.round(dy / 6) - pane.index);
  else if (drag.kind === "cross") viewer.goTo(pane.series, pane.point(event));
  else if (drag.kind === "ruler" && !drag.closed) { pane.series.line.to = pane.under(event); viewer.measured(); }
}

function release(pane, drag, event) {
  const { viewer } = pane;
  if (drag.kind === "point" && !drag.moved) viewer.measure(pane, pane.point(event));
  else if (drag.kind === "scroll" && !drag.moved) viewer.goTo(pane.series, pane.point(event));
}

function wheel(pane, event) {
  if (!pane.study?.shape) return;
  if (event.ctrlKey) { pane.zoomAt(event.deltaY < 0 ? 1.15 : 1 / 1.15, event); return; }
  pane.turned = (pane.turned ?? 0) + event.deltaY;
  const turns = Math.trunc(pane.turned / 40);
  if (!turns) return;
  pane.turned -= turns * 40;
  pane.viewer.scroll(pane, clamp(turns, -5, 5));
}

const SCROLL = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };
const WAYS = { ArrowUp: [0, -1], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowRight: [1, 0] };

function key(pane, event) {
  const { viewer } = pane;
  if (!pane.study?.shape) return;
  if (event.key === "Tab" || event.altKey || event.metaKey) return;
  if (event.shiftKey && event.key in WAYS) step(pane, WAYS[event.key]);
  else if (event.ctrlKey && event.key in WAYS) { pane.pan = pane.pan.map((p, i) => p + 24 * WAYS[event.key][i]); pane.draw(); }
  else if (event.ctrlKey && event.key === "z") viewer.marks.undo();
  else if (event.ctrlKey) return;
  else if (event.key in SCROLL) viewer.scroll(pane, SCROLL[event.key]);
  else if (event.key === "Enter" || event.key.toLowerCase() === "m") viewer.measure(pane, pane.series.point);
  else if ("123".includes(event.key)) viewer.preset(Number(event.key) - 1);
  else if (event.key === "+" || event.key === "=") pane.zoomAt(1.25);
  else if (event.key === "-") pane.zoomAt(0.8);
  else if (event.key === "0") { pane.reset(); pane.draw(); }
  else if (event.key === "[" || event.key === "]") viewer.setWindow([viewer.window[0], clamp(viewer.window[1] + (event.key === "]" ? 50 : -50), 1, 4000)]);
  else if (event.key === "{" || event.key === "}") viewer.setWindow([viewer.window[0] + (event.key === "}" ? 20 : -20), viewer.window[1]]);
  else if (event.key === "f") viewer.maximise(pane.name);
  else if (event.key === "r") rule(pane);
  else if (event.key === "Escape" && pane.series.line) { pane.series.line = null; viewer.measured(); }
  else return;
  event.preventDefault();
}

// The crosshair moves by about a millimetre.
function step(pane, [right, down]) {
  const { across, down: axis } = PLANES[pane.plane];
  const mm = steps(pane.study);
  const point = [...pane.series.point];
  point[across] += right * Math.max(1, Math.round(1 / mm[across]));
  point[axis] += down * Math.max(1, Math.round(1 / mm[axis]));
  pane.viewer.goTo(pane.series, point);
}

// The ruler by key: from the crosshair, then to it.
function rule(pane) {
  const { across, down } = PLANES[pane.plane];
  const at = [pane.series.point[across] + 0.5, pane.series.point[down] + 0.5];
  const { line } = pane.series;
  if (line && !line.to && line.plane === pane.plane && line.index === pane.index) line.to = at;
  else pane.series.line = { plane: pane.plane, index: pane.index, from: at, to: null };
  pane.viewer.measured();
}
