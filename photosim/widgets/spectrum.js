// Sliders over settings and a live spectrum. Nothing is fetched: all that this needs is in this file.
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000"];
const NARROW_UM = 0.05; // as in plotting/canvas.py: below it nm read better
const FLOOR_DB = -80;

/** Return round numbers between two ends, about `count` of them. */
export function ticks(low, high, count) {
  const span = high - low;
  if (!(span > 0)) return [low];
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(k * step);
  return found;
}

/** Return a number as text with as many digits as the distance of ticks needs. */
export function label(value, step) {
  const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  return value.toFixed(Math.min(digits, 8)).replace("-", "\u2212");
}

function draw(canvas, spectrum) {
  const scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth || 480;
  const height = canvas.clientHeight || 300;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const ink = getComputedStyle(canvas).color || "#202020";
  const { wl, curves } = spectrum;
  if (!wl || wl.length === 0) return;
  const low = wl[0];
  const high = wl[wl.length - 1];
  const factor = high - low < NARROW_UM ? 1000 : 1;
  let top = -Infinity;
  let bottom = Infinity;
  for (const curve of curves) for (const v of curve.dB) { if (v > top) top = v; if (v < bottom) bottom = v; }
  bottom = Math.max(bottom, FLOOR_DB);
  if (!(top > bottom)) { top = bottom + 1; }
  const margin = Math.max(0.05 * (top - bottom), 0.05);
  top += margin;
  bottom -= margin;
  const box = { left: 56, right: width - 24, top: 10, bottom: height - 42 };
  const x = (v) => box.left + ((v - low) / (high - low || 1)) * (box.right - box.left);
  const y = (v) => box.bottom - ((v - bottom) / (top - bottom)) * (box.bottom - box.top);
  pen.font = "12px sans-serif";
  pen.fillStyle = ink;
  pen.lineWidth = 1;
  const across = ticks(low * factor, high * factor, 6);
  const up = ticks(bottom, top, 6);
  pen.textAlign = "center";
  for (const t of across) {
    const at = x(t / factor);
    pen.strokeStyle = "rgba(128,128,128,0.25)";
    pen.beginPath(); pen.moveTo(at, box.top); pen.lineTo(at, box.bottom); pen.stroke();
    pen.fillText(label(t, across.length > 1 ? across[1] - across[0] : 1e-3), at, box.bottom + 16);
  }
  pen.textAlign = "right";
  for (const t of up) {
    const at = y(t);
    pen.strokeStyle = "rgba(128,128,128,0.25)";
    pen.beginPath(); pen.moveTo(box.left, at); pen.lineTo(box.right, at); pen.stroke();
    pen.fillText(label(t, up.length > 1 ? up[1] - up[0] : 1), box.left - 6, at + 4);
  }
  pen.textAlign = "center";
  pen.fillText(`wavelength (${factor === 1000 ? "nm" : "\u00b5m"})`, (box.left + box.right) / 2, height - 8);
  pen.save();
  pen.translate(14, (box.top + box.bottom) / 2);
  pen.rotate(-Math.PI / 2);
  pen.fillText("transmission (dB)", 0, 0);
  pen.restore();
  pen.strokeStyle = ink;
  pen.strokeRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  pen.save();
  pen.beginPath(); pen.rect(box.left, box.top, box.right - box.left, box.bottom - box.top); pen.clip();
  curves.forEach((curve, k) => {
    pen.strokeStyle = COLOURS[k % COLOURS.length];
    pen.lineWidth = 1.6;
    pen.setLineDash(k >= COLOURS.length ? [6, 3] : []);
    pen.beginPath();
    curve.dB.forEach((v, n) => (n ? pen.lineTo(x(wl[n]), y(v)) : pen.moveTo(x(wl[n]), y(v))));
    pen.stroke();
  });
  pen.restore();
}

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  Object.assign(made, attributes);
  made.append(...children);
  return made;
}

function render({ model, el }) {
  const knobs = element("div", { className: "knobs" });
  const canvas = element("canvas", {});
  const legend = element("div", { className: "legend" });
  const error = element("div", { className: "error" });
  el.classList.add("photosim-sliders");
  el.append(knobs, element("div", { className: "picture" }, element("b", { textContent: model.get("title") }), canvas, legend, error));

  // One question at a time: while one is on its way moves are collected, and only the newest of each counts.
  // Views of one widget share its model: each follows the questions of the others with its own sliders.
  let number = model.get("spectrum").number || 0;
  let waiting = false;
  const values = {};
  const moved = new Set();
  const fields = {};
  const ask = () => {
    if (waiting || moved.size === 0) return;
    waiting = true;
    number = Math.max(number, model.get("spectrum").number || 0) + 1;
    moved.clear();
    model.set("question", { number, values: { ...values } });
    model.save_changes();
  };
  const move = (name, value) => {
    if (!Number.isFinite(value)) return;
    values[name] = value;
    moved.add(name);
    ask();
  };
  const follow = () => {
    const question = model.get("question") || {};
    number = Math.max(number, question.number || 0);
    for (const [name, value] of Object.entries(question.values || {})) {
      if (!(name in fields) || moved.has(name) || values[name] === value) continue;
      values[name] = value;
      fields[name](value);
    }
  };
  const fill = () => {
    knobs.replaceChildren();
    moved.clear();
    for (const name of Object.keys(fields)) delete fields[name];
    for (const one of model.get("sliders")) {
      values[one.name] = one.value;
      const range = element("input", { type: "range", min: one.low, max: one.high, step: one.step, value: one.value });
      const exact = element("input", { type: "number", step: "any", value: one.value });
      range.setAttribute("aria-label", one.name);
      exact.setAttribute("aria-label", `${one.name}, as a number`);
      let sent = exact.value;
      range.addEventListener("input", () => { exact.value = sent = range.value; move(one.name, Number(range.value)); });
      fields[one.name] = (value) => { range.value = value; exact.value = value; sent = exact.value; };
      const enter = () => {
        if (exact.value === sent || exact.value === "") return;
        sent = exact.value;
        range.value = exact.value;
        move(one.name, Number(exact.value));
      };
      exact.addEventListener("change", enter);
      // JupyterLab takes the Enter key before the field's change is told.
      exact.addEventListener("keydown", (event) => { if (event.key === "Enter") enter(); });
      knobs.append(element("label", { textContent: one.name, title: one.text }), range, exact, element("span", { textContent: one.unit }));
    }
  };
  const show = () => {
    const spectrum = model.get("spectrum");
    error.textContent = spectrum.error || "";
    if (!spectrum.error) {
      draw(canvas, spectrum);
      legend.replaceChildren(...spectrum.curves.map((curve, k) => {
        const line = element("i", {});
        line.style.borderTopColor = COLOURS[k % COLOURS.length];
        if (k >= COLOURS.length) line.style.borderTopStyle = "dashed";
        return element("span", {}, line, curve.name);
      }));
    }
    if ((spectrum.number || 0) >= number) { waiting = false; ask(); }
  };
  const told = { "change:spectrum": show, "change:sliders": fill, "change:question": follow };
  for (const [event, act] of Object.entries(told)) model.on(event, act);
  fill();
  follow(); // a view that is opened later stands where the others do
  const watcher = new ResizeObserver(() => { const s = model.get("spectrum"); if (!s.error) draw(canvas, s); });
  watcher.observe(canvas);
  show();
  return () => {
    watcher.disconnect();
    for (const [event, act] of Object.entries(told)) model.off(event, act);
  };
}

export default { render };
