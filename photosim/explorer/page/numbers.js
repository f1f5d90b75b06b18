"use strict";
/* Metrics of the curves, currents of the detectors, and the specification with what is met. */
(() => {
  const cells = (tag, ...words) => Explorer.make("tr", {}, ...words.map((one) => Explorer.make(tag, tag === "th" ? { scope: "col" } : {}, one)));
  const metrics = document.getElementById("metrics"), spec = document.getElementById("spec"), currents = document.getElementById("currents");
  const value = (one, unit) => {
    if (one === null) return "";
    if (unit === "um") return one > 0.1 ? `${one.toPrecision(8)} um` : `${(1000 * one).toPrecision(5)} nm`;
    if (unit === "s") return `${(1e12 * one).toPrecision(5)} ps`;
    if (unit === "dB") return `${one.toFixed(3)} dB`;
    return `${one.toPrecision(5)} ${unit === "1" ? "" : unit}`.trim();
  };
  const current = (one) => {
    const size = Math.abs(one);
    for (const [factor, unit] of [[1e3, "mA"], [1e6, "\u00b5A"], [1e9, "nA"]]) if (size * factor >= 1) return `${(one * factor).toPrecision(5)} ${unit}`;
    return `${(one * 1e9).toPrecision(4)} nA`;
  };

  Explorer.showNumbers = (found) => {
    metrics.textContent = "";
    const flagged = found.rows.some((row) => row.flags);
    metrics.append(Explorer.make("thead", {}, cells("th", "curve", ...found.heads, ...(flagged ? ["remarks"] : []))));
    const body = Explorer.make("tbody");
    for (const row of found.rows) {
      const tr = cells("td", Explorer.waveLabels.get(row.wave) ?? row.wave, ...row.cells, ...(flagged ? [row.flags] : []));
      tr.dataset.wave = row.wave;
      body.append(tr);
    }
    metrics.append(body);

    currents.textContent = "";
    currents.hidden = !found.currents.length;
    if (found.currents.length) {
      const why = found.currents.find((one) => one.why);
      currents.append(Explorer.make("caption", {}, why ? why.why : "photocurrents under the circuit's own light"));
      if (!why) for (const one of found.currents) currents.append(cells("td", one.detector, current(one.current)));
    }

    Explorer.specification = found.specification;
    const card = document.getElementById("spec-card");
    card.hidden = !found.specification.length;
    spec.textContent = "";
    if (found.specification.length) {
      spec.append(Explorer.make("thead", {}, cells("th", "", "entry", "asked", "found", "window (um)")));
      const rows = Explorer.make("tbody");
      for (const one of found.specification) {
        const [mark, name] = one.met === null ? ["?", "unknown"] : one.met ? ["\u2713 met", "met"] : ["\u2717 not met", "missed"];
        const window = one.window ? `${one.window[0]} to ${one.window[1]}` : "";
        const row = cells("td", Explorer.make("span", { class: "mark " + name }, mark), one.label, one.words, one.value === null ? one.why : value(one.value, one.unit), window);
        row.className = name;
        row.dataset.label = one.label;
        row.dataset.met = String(one.met);
        rows.append(row);
      }
      spec.append(rows);
      const met = found.specification.filter((one) => one.met).length;
      document.getElementById("spec-words").textContent = `${met} of ${found.specification.length} met`;
    }
    const list = document.getElementById("remarks");
    list.textContent = "";
    for (const text of found.remarks) list.append(Explorer.make("li", {}, text));
    Explorer.plot?.redraw(false);
    document.dispatchEvent(new CustomEvent("numbers"));
  };
  Explorer.numbersFailed = (text) => {
    metrics.textContent = "";
    document.getElementById("remarks").replaceChildren(Explorer.make("li", {}, text));
  };
})();
