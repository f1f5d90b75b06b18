"use strict";
/* The spectrum: curves of ports, detectors and probes over the wavelength. */
(() => {
  // Okabe and Ito's colours, as in photosim's pictures; on dark ground the two darkest are lighter.
  const LIGHT = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000"];
  const DARK = ["#4DA3E0", "#FF8A3D", "#2FC79C", "#E39BC4", "#8CD0F5", "#F2B84B", "#E8E8E8"];
  const DASHES = [[], [7, 4], [2, 3]];
  const FLOOR = -90;
  const holder = document.getElementById("plot"), legend = document.getElementById("legend");
  let plot = null, shown = [], answer = null, cursor = null;
  Explorer.colours = () => (Explorer.isDark() ? DARK : LIGHT);
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const label = (wave) => Explorer.waveLabels.get(wave) ?? wave;
  Explorer.waveLabels = new Map();

  const unit = () => (Explorer.wl && Explorer.wl[Explorer.wl.length - 1] - Explorer.wl[0] < 0.5 ? ["nm", 1000] : ["um", 1]);
  const level = (value) => {
    if (Explorer.state.scale !== "dB") return value;
    return value > 0 ? 10 * Math.log10(value) : null;
  };

  Explorer.showSpectrum = (found) => {
    answer = found;
    Explorer.wl = Explorer.doubles(found.wl);
    for (const curve of found.curves) curve.numbers = Explorer.doubles(curve.values);
    Explorer.lastSpectrum = found;
    draw();
    document.getElementById("plot-error").hidden = true;
    holder.dataset.number = found.number;
    document.dispatchEvent(new CustomEvent("spectrum"));
  };
  Explorer.spectrumFailed = (text) => {
    const line = document.getElementById("plot-error");
    line.textContent = text;
    line.hidden = false;
  };

  const visible = () => answer.curves.filter((curve) => !curve.dark || curve.kind === "probe");
  const draw = () => {
    const curves = visible();
    const key = JSON.stringify([curves.map((c) => c.wave), Explorer.state.scale, unit()[0], Explorer.isDark()]);
    const [, factor] = unit();
    const x = Float64Array.from(Explorer.wl, (one) => one * factor);
    const data = [x, ...curves.map((curve) => {
      const y = Array.from(curve.numbers, level);
      return Explorer.state.scale === "dB" ? y.map((one) => (one !== null && one < FLOOR - 60 ? null : one)) : y;
    })];
    if (plot && plot.key === key) { plot.setData(data); } else build(key, curves, data);
    showLegend();
  };
  Explorer.redraw = () => { if (answer) { plot?.destroy(); plot = null; draw(); } };

  const ends = (_u, low, high) => {
    if (low === null || high === null) return [0, 1];
    if (Explorer.state.scale === "linear") return [0, Math.max(high * 1.04, 1e-12)];
    if (Explorer.state.scale === "phase") return low === high ? [low - 1, high + 1] : [low - 0.04 * (high - low), high + 0.04 * (high - low)];
    const top = high + Math.max(1, 0.04 * (high - Math.max(low, FLOOR)));
    return [Math.min(Math.max(low, high + FLOOR) - 2, top - 10), top];
  };

  const build = (key, curves, data) => {
    plot?.destroy();
    holder.textContent = "";
    const axis = { stroke: css("--quiet"), grid: { stroke: css("--grid"), width: 1 }, ticks: { stroke: css("--grid"), width: 1 }, font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif", labelSize: 20 };
    const colours = Explorer.colours();
    const words = { dB: "transmission (dB)", linear: "transmission", phase: "phase (rad)" }[Explorer.state.scale];
    const options = {
      width: holder.clientWidth, height: heightOf(),
      legend: { show: false },
      cursor: { drag: { x: true, y: false, setScale: false, dist: 6 }, focus: { prox: 24 }, points: { size: 6 } },
      focus: { alpha: 0.5 },
      scales: { x: { time: false }, y: { range: ends } },
      axes: [{ ...axis, label: `wavelength (${unit()[0]})`, values: (_u, ticks) => ticks.map((one) => String(Number(one.toPrecision(9)))) }, { ...axis, label: words, size: 56 }],
      series: [{}, ...curves.map((curve, k) => ({
        label: curve.wave, stroke: colours[k % colours.length], width: curve.kind === "probe" ? 2.2 : 1.6,
        dash: DASHES[Math.floor(k / colours.length) % DASHES.length], points: { show: data[0].length < 3 }, show: !Explorer.state.hidden.includes(curve.wave),
      }))],
      hooks: {
        drawAxes: [drawWindows], draw: [drawMarker],
        setCursor: [(u) => { cursor = u.cursor.idx ?? null; showValues(); }],
        setSelect: [(u) => {
          if (u.select.width < 6) return;
          const [, factor] = unit();
          const [a, b] = [u.posToVal(u.select.left, "x") / factor, u.posToVal(u.select.left + u.select.width, "x") / factor];
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          Explorer.setRange(`${a.toPrecision(9)}:${b.toPrecision(9)}:auto`);
        }],
      },
    };
    plot = new uPlot(options, data, holder);
    plot.key = key;
    Explorer.plot = plot;
    let down = null;
    plot.over.addEventListener("mousedown", (event) => { down = [event.clientX, event.clientY]; });
    plot.over.addEventListener("click", (event) => {
      if (!down || Math.hypot(event.clientX - down[0], event.clientY - down[1]) > 4) return;
      const [, factor] = unit();
      Explorer.setMarker(plot.posToVal(event.clientX - plot.over.getBoundingClientRect().left, "x") / factor);
    });
  };
  const heightOf = () => Math.max(240, Math.min(420, Math.round(window.innerHeight * 0.4)));

  const drawMarker = (u) => {
    const at = Explorer.marker();
    if (at === null) return;
    const x = u.valToPos(at * unit()[1], "x", true);
    if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) return;
    const c = u.ctx;
    c.save();
    c.strokeStyle = css("--quiet");
    c.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
    c.lineWidth = devicePixelRatio;
    c.beginPath(); c.moveTo(x, u.bbox.top); c.lineTo(x, u.bbox.top + u.bbox.height); c.stroke();
    c.restore();
  };
  /* Where the specification allows no curve: shaded, red where the circuit is there. */
  const drawWindows = (u) => {
    if (Explorer.state.scale !== "dB") return;
    const c = u.ctx, [, factor] = unit();
    c.save();
    c.beginPath(); c.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height); c.clip();
    for (const one of Explorer.specification ?? []) {
      if (one.quantity !== "power_dB" || !one.window || one.start !== answer.start) continue;
      const left = u.valToPos(one.window[0] * factor, "x", true), right = u.valToPos(one.window[1] * factor, "x", true);
      const [low, high] = one.limits;
      const y = u.valToPos(low ?? high, "y", true);
      const [top, bottom] = low !== null ? [y, u.bbox.top + u.bbox.height] : [u.bbox.top, y];
      c.fillStyle = one.met ? css("--window") : css("--window-bad");
      c.fillRect(left, top, Math.max(right - left, 1), bottom - top);
      c.strokeStyle = one.met ? css("--good") : css("--bad");
      c.lineWidth = 1.5 * devicePixelRatio;
      c.beginPath(); c.moveTo(left, y); c.lineTo(right, y); c.stroke();
    }
    c.restore();
  };

  const format = (value) => {
    if (value === null || value === undefined || !Number.isFinite(value)) return "dark";
    if (Explorer.state.scale === "dB") return `${value.toFixed(2)} dB`;
    return Explorer.state.scale === "phase" ? `${value.toFixed(3)} rad` : value.toPrecision(4);
  };
  const showLegend = () => {
    const curves = visible(), colours = Explorer.colours();
    const key = JSON.stringify([curves.map((c) => c.wave), Explorer.state.hidden, Explorer.isDark()]);
    if (legend.dataset.key !== key) {
      legend.dataset.key = key;
      legend.textContent = "";
      curves.forEach((curve, k) => {
        const off = Explorer.state.hidden.includes(curve.wave);
        const dot = Explorer.make("span", { class: "dot" });
        dot.style.background = colours[k % colours.length];
        const chip = Explorer.make("button", { type: "button", class: "chip" + (off ? " off" : ""), "aria-pressed": String(!off), "data-wave": curve.wave, title: "Show or hide this curve" }, dot, Explorer.make("span", {}, label(curve.wave)), Explorer.make("span", { class: "value quiet" }));
        chip.addEventListener("click", () => {
          Explorer.state.hidden = off ? Explorer.state.hidden.filter((w) => w !== curve.wave) : [...Explorer.state.hidden, curve.wave];
          plot.setSeries(k + 1, { show: off });
          showLegend();
          Explorer.remember();
        });
        legend.append(chip);
        if (curve.kind === "probe") {
          const drop = Explorer.make("button", { type: "button", class: "drop-probe", title: "Remove this probe", "aria-label": `Remove the probe ${label(curve.wave)}` }, "\u00d7");
          drop.addEventListener("click", () => Explorer.toggleProbe(curve.wave));
          legend.append(drop);
        }
      });
      const dark = answer.curves.filter((c) => c.dark && c.kind !== "probe").map((c) => label(c.wave));
      if (dark.length) legend.append(Explorer.make("span", { class: "quiet dark-words" }, `no light: ${dark.slice(0, 8).join(", ")}${dark.length > 8 ? ` and ${dark.length - 8} more` : ""}`));
    }
    showValues();
  };
  const showValues = () => {
    if (!answer) return;
    const curves = visible();
    let k = cursor;
    if (k === null || k === undefined) {
      const at = Explorer.marker();
      k = at === null ? 0 : Explorer.wl.reduce((best, one, j) => (Math.abs(one - at) < Math.abs(Explorer.wl[best] - at) ? j : best), 0);
    }
    legend.querySelectorAll(".chip").forEach((chip, j) => { chip.querySelector(".value").textContent = format(level(curves[j].numbers[k])); });
  };
  Explorer.marker = () => {
    if (Explorer.state.at !== null) return Explorer.state.at;
    return Explorer.wl ? 0.5 * (Explorer.wl[0] + Explorer.wl[Explorer.wl.length - 1]) : null;
  };
  new ResizeObserver(() => { plot?.setSize({ width: holder.clientWidth, height: heightOf() }); }).observe(holder);
})();
