"use strict";
/* The circuit in time: traces of its signals, and the eye of the first. */
(() => {
  const $ = (id) => document.getElementById(id);
  const card = $("time-card"), holder = $("traces"), canvas = $("eye"), figure = $("eye-figure");
  let plot = null, last = null, known = null;
  const OWN = "";

  Explorer.setTime = (found) => {
    known = found;
    const light = found.sources.length > 0;
    card.hidden = !(light || found.transients.length);
    if (card.hidden) return;
    const choices = found.transients.map((name) => Explorer.make("option", { value: name }, name));
    $("analysis").replaceChildren(...choices, Explorer.make("option", { value: OWN }, "a random pattern"));
    $("analysis-label").hidden = !found.transients.length;
    const numbers = Explorer.knobs().filter((k) => k.kind === "number" && (k.written || k.owner === ""));
    $("drive").replaceChildren(Explorer.make("option", { value: OWN }, "nothing"), ...numbers.map((k) => Explorer.make("option", { value: k.name }, k.name)));
    fill();
  };
  const usual = () => ({ analysis: known.transients[0] ?? null, drive: known.drive?.drive ?? null, low: known.drive?.low ?? 0, high: known.drive?.high ?? 1, rate: 10e9, symbols: 64, noise: false, quasi_static: false });
  const signal = () => ({ ...usual(), ...(Explorer.state.signal ?? {}) });
  const fill = () => {
    const now = signal();
    $("analysis").value = now.analysis ?? OWN;
    if ($("analysis").selectedIndex < 0) $("analysis").value = OWN;
    $("drive").value = now.drive ?? OWN;
    $("low").value = now.low; $("high").value = now.high; $("rate").value = now.rate / 1e9; $("symbols").value = now.symbols; $("noise").checked = now.noise; $("quasi").checked = now.quasi_static;
    $("pattern").hidden = $("analysis").value !== OWN;
  };
  for (const id of ["analysis", "drive", "low", "high", "rate", "symbols", "noise", "quasi"]) {
    $(id).addEventListener("change", () => {
      Explorer.state.signal = {
        analysis: $("analysis").value || null, drive: $("drive").value || null, low: $("low").valueAsNumber || 0,
        high: $("high").valueAsNumber || 0, rate: 1e9 * ($("rate").valueAsNumber || 10), symbols: Math.round($("symbols").valueAsNumber || 64), noise: $("noise").checked, quasi_static: $("quasi").checked,
      };
      fill();
      Explorer.remember();
      Explorer.askTime(0);
    });
  }

  let timer = 0;
  const question = new Explorer.Latest("time", (found) => { last = found; show(); }, (text) => {
    $("time-error").textContent = text;
    $("time-error").hidden = false;
  });
  Explorer.askTime = (delay = 350) => {
    clearTimeout(timer);
    if (card.hidden || !known) return;
    const now = signal();
    if (now.analysis && !known.transients.includes(now.analysis)) now.analysis = null;
    if (now.analysis === null && now.drive && !Explorer.knob(now.drive)) now.drive = null;
    timer = setTimeout(() => question.ask({ view: Explorer.view(), signal: now }), delay);
  };

  const scale = (largest) => [[1, ""], [1e3, "m"], [1e6, "\u00b5"], [1e9, "n"]].find(([f]) => largest * f >= 1) ?? [1e12, "p"];
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const most = (values) => { let top = 0; for (const one of values) if (Math.abs(one) > top) top = Math.abs(one); return top; };
  const show = () => {
    const found = last;
    $("time-error").hidden = !found.why;
    $("time-error").textContent = found.why ?? "";
    const time = Explorer.doubles(found.time);
    const [late, prefix] = scale(time[time.length - 1] || 1);
    const signals = found.signals.map((one) => ({ ...one, values: Explorer.doubles(one.values) }));
    const units = [...new Set(signals.map((one) => one.unit))];
    const factors = Object.fromEntries(units.map((unit) => [unit, scale(Math.max(...signals.filter((s) => s.unit === unit).map((s) => most(s.values)), 1e-30))]));
    const x = Float64Array.from(time, (t) => t * late);
    const data = [x, ...signals.map((one) => Float64Array.from(one.values, (v) => v * factors[one.unit][0]))];
    const colours = Explorer.colours();
    plot?.destroy();
    holder.textContent = "";
    const axis = { stroke: css("--quiet"), grid: { stroke: css("--grid"), width: 1 }, ticks: { stroke: css("--grid"), width: 1 }, font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif", labelSize: 20 };
    const label = (unit) => `${unit === "A" ? "photocurrent" : "power"} (${factors[unit][1]}${unit})`;
    plot = new uPlot({
      width: holder.clientWidth, height: 240, legend: { show: false },
      scales: { x: { time: false }, ...Object.fromEntries(units.map((unit) => [unit, {}])) },
      axes: [{ ...axis, label: `time (${prefix}s)` }, ...units.map((unit, k) => ({ ...axis, scale: unit, side: k ? 1 : 3, label: label(unit), size: 60, grid: { ...axis.grid, show: k === 0 } }))],
      series: [{}, ...signals.map((one, k) => ({ label: one.name, scale: one.unit, stroke: colours[k % colours.length], width: 1.4, points: { show: false } }))],
    }, data, holder);
    const names = Explorer.make("p", { class: "names" });
    signals.forEach((one, k) => {
      const dot = Explorer.make("span", { class: "dot" });
      dot.style.background = colours[k % colours.length];
      names.append(Explorer.make("span", { class: "chip still" }, dot, one.name));
    });
    holder.append(names);
    drawEye(found.eye);
    $("figures").replaceChildren(...found.figures.map((one) => Explorer.make("tr", { title: one.title }, Explorer.make("td", {}, one.name), Explorer.make("td", {}, one.value))));
    card.dataset.number = found.number;
    document.dispatchEvent(new CustomEvent("time"));
  };
  Explorer.redrawTime = () => { if (last && !card.hidden) show(); };

  const drawEye = (eye) => {
    figure.hidden = !eye;
    if (!eye) return;
    const time = Explorer.doubles(eye.time), traces = Explorer.doubles(eye.traces), n = time.length;
    const ratio = devicePixelRatio || 1, width = figure.clientWidth || 320, height = 240;
    canvas.width = width * ratio; canvas.height = height * ratio;
    canvas.style.width = `${width}px`; canvas.style.height = `${height}px`;
    const c = canvas.getContext("2d");
    c.scale(ratio, ratio);
    let low = Infinity, high = -Infinity;
    for (const one of traces) { if (one < low) low = one; if (one > high) high = one; }
    const room = 0.06 * (high - low) || 1e-12, box = { left: 52, top: 8, right: width - 8, bottom: height - 34 };
    const px = (t) => box.left + ((t - time[0]) / (time[n - 1] - time[0])) * (box.right - box.left);
    const py = (v) => box.bottom - ((v - low + room) / (high - low + 2 * room)) * (box.bottom - box.top);
    c.strokeStyle = css("--grid"); c.strokeRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
    c.globalAlpha = Math.max(0.08, Math.min(0.5, 12 / eye.count));
    c.strokeStyle = Explorer.colours()[0]; c.lineWidth = 1.2;
    for (let k = 0; k < eye.count; k += 1) {
      c.beginPath();
      for (let j = 0; j < n; j += 1) c.lineTo(px(time[j]), py(traces[k * n + j]));
      c.stroke();
    }
    c.globalAlpha = 1;
    c.strokeStyle = css("--quiet"); c.setLineDash([4, 4]); c.lineWidth = 1;
    c.beginPath(); c.moveTo(px(eye.at), box.top); c.lineTo(px(eye.at), box.bottom); c.stroke(); c.setLineDash([]);
    c.fillStyle = css("--quiet"); c.font = "12px system-ui, sans-serif"; c.textAlign = "right";
    const [factor, prefix] = scale(Math.max(Math.abs(low), Math.abs(high)));
    const size = factor * (high - low) / 4, power = 10 ** Math.floor(Math.log10(size || 1));
    const step = power * ([1, 2, 2.5, 5, 10].find((one) => one * power >= size) ?? 10);
    for (let level = Math.ceil((factor * low) / step - 1e-9) * step; level <= factor * high + 1e-9 * step; level += step) {
      c.fillText(String(Number(level.toPrecision(3))), box.left - 6, py(level / factor) + 4);
    }
    const [late, short] = scale(time[n - 1] - time[0]);
    c.textAlign = "center";
    const two = ((time[n - 1] - time[0]) * n) / (n - 1);  // the last sample ends before the next symbol begins
    c.fillText(`time (${short}s), two symbols: ${Number((two * late).toPrecision(3))} ${short}s`, (box.left + box.right) / 2, height - 8);
    c.save(); c.translate(12, (box.top + box.bottom) / 2); c.rotate(-Math.PI / 2);
    c.fillText(`${eye.unit === "A" ? "current" : "power"} (${prefix}${eye.unit})`, 0, 0); c.restore();
    $("eye-words").textContent = `eye of ${eye.name}`;
  };
  new ResizeObserver(() => { plot?.setSize({ width: holder.clientWidth, height: 240 }); }).observe(holder);
})();
